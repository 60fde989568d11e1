"""What a test sees of a conversation with Codex, awaited event by event instead of slept for."""

import asyncio
from collections.abc import Callable
from typing import Final

from codex_control_plane_mcp.codex.connection import Connection
from codex_control_plane_mcp.codex.json_types import JsonObject
from codex_control_plane_mcp.codex.messages import Notification, ServerRequest

_PATIENCE: Final = 20.0


class Witness:
    """Reads the messages of one connection; `seen` holds all of them in order."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.seen: list[Notification | ServerRequest] = []
        self._messages = connection.messages()

    async def see(self, method: str, *, within: float = _PATIENCE) -> JsonObject:
        """Return the params of the next message of `method`. Raises TimeoutError or ConnectionError."""
        return (await self._find(lambda message: message.method == method, within)).params

    async def see_request(self, method: str, *, within: float = _PATIENCE) -> ServerRequest:
        """Return the next request of `method` from Codex. Raises TimeoutError or ConnectionError."""
        message = await self._find(lambda message: message.method == method, within)
        assert isinstance(message, ServerRequest)
        return message

    async def see_item(self, kind: str, *, within: float = _PATIENCE) -> JsonObject:
        """Return the next completed item of type `kind`. Raises TimeoutError or ConnectionError."""

        def is_it(message: Notification | ServerRequest) -> bool:
            item = message.params.get("item")
            return message.method == "item/completed" and isinstance(item, dict) and item.get("type") == kind

        item = (await self._find(is_it, within)).params["item"]
        assert isinstance(item, dict)
        return item

    async def see_end(self, *, within: float = _PATIENCE) -> JsonObject:
        """Return the turn of the next `turn/completed`. Raises TimeoutError or ConnectionError."""
        turn = (await self.see("turn/completed", within=within))["turn"]
        assert isinstance(turn, dict)
        return turn

    async def start_thread(self, cwd: str, **params: object) -> str:
        """Start a thread in `cwd` that this connection follows; return its id."""
        thread = (await self.connection.call("thread/start", {"cwd": cwd, **params}))["thread"]
        assert isinstance(thread, dict)
        return str(thread["id"])

    async def start_turn(self, thread_id: str, prompt: str, **params: object) -> str:
        """Submit a prompt; return the id of the turn that answers it."""
        text = {"type": "text", "text": prompt}
        result = await self.connection.call("turn/start", {"threadId": thread_id, "input": [text], **params})
        turn = result["turn"]
        assert isinstance(turn, dict)
        return str(turn["id"])

    async def _find(
        self, matches: Callable[[Notification | ServerRequest], bool], within: float
    ) -> Notification | ServerRequest:
        async with asyncio.timeout(within):
            async for message in self._messages:
                self.seen.append(message)
                if matches(message):
                    return message
        raise ConnectionError(f"the connection closed after {[message.method for message in self.seen]}")
