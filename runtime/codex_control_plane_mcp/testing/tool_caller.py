"""The tools without a server process: real dispatcher, schemas, handlers and store; summons are counted."""

import asyncio
import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from codex_control_plane_contract.settings import Settings
from codex_control_plane_contract.tools import TOOLS
from codex_control_plane_contract.values import JsonValue
from codex_control_plane_mcp.handlers.context import Context
from codex_control_plane_mcp.server.dispatch import Dispatcher
from codex_control_plane_mcp.server.state_file import StateFile
from codex_control_plane_mcp.store import Clock, Store


class ToolCaller:
    """Calls tools as a client would; every result has passed its output schema."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self._state = StateFile(settings, clock)
        self._context = Context(
            settings=settings, actor_id="server-test", open_store=self.open_store, summon=self._summon
        )
        self._dispatcher = Dispatcher(TOOLS, self._context, self._state)
        self.summons = 0
        self.on_summon: Callable[[], None] | None = None
        """What a summoned worker does, on a thread of its own."""

    @property
    def store(self) -> Store:
        """The store that the tools use."""
        return self._state.store()

    def open_store(self) -> Store:
        """Return the store to a handler; a test overrides it to see when a handler looks."""
        return self._state.store()

    def call(self, tool: str, **arguments: JsonValue) -> dict[str, Any]:
        """Return the answer of a tool, in an event loop of its own."""
        return asyncio.run(self.answer(tool, arguments))

    async def answer(self, tool: str, arguments: Mapping[str, JsonValue]) -> dict[str, Any]:
        """Return the answer of a tool, to be called in an event loop."""
        answer = await self._dispatcher.call(tool, arguments)
        content: dict[str, Any] = json.loads(answer.text)
        return content

    def close(self) -> None:
        """Close the store."""
        self._state.forget()

    def _summon(self) -> None:
        self.summons += 1
        if self.on_summon is not None:
            threading.Thread(target=self.on_summon).start()
