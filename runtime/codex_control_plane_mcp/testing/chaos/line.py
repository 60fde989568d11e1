"""A person's line to the tools: a server process of its own, and another one whenever that is gone."""

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Final, cast

from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.testing.raw_client import RawClient, ServerSilent

_BOUND_SECONDS: Final = 3600.0


class Line:
    """Calls tools, again and again until a server answers; so only what may be said twice is said on it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._held = ExitStack()
        self._server: RawClient | None = None

    @property
    def pid(self) -> int | None:
        """The process of the server, None while there is none."""
        return self._server.pid if self._server is not None else None

    async def call(self, tool: str, arguments: JsonObject) -> JsonObject:
        """Return the structured result of a tool, an error of the contract too."""
        while True:
            try:
                server = self._server
                if server is None:
                    server = await asyncio.to_thread(self._connect)
                result = await asyncio.to_thread(server.call, tool, arguments)
            except (ServerSilent, BrokenPipeError):
                self.hang_up()
            else:
                return cast("JsonObject", result["structuredContent"])

    def hang_up(self) -> None:
        """End the server, if it lives."""
        self._server = None
        self._held.close()

    def _connect(self) -> RawClient:
        server = self._held.enter_context(RawClient(self._environment, bound=_BOUND_SECONDS))
        # Known before it answers: it can be killed while it starts.
        self._server = server
        server.initialize()
        return server
