"""One thread of one session: what Codex has said of it waits here, and what is known only from its words."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

from codex_control_plane_contract.types import Error
from codex_control_plane_contract.values import JsonArray, JsonObject
from codex_control_plane_mcp.codex.messages import Notification, ServerRequest


class Follower:
    """The messages of one thread, to be taken one after the other.

    ``left`` says that no task was on the thread when it was last looked at; ``changes`` are the diffs of its
    items by id, ``token_usage`` and ``error`` those of the turn at work.
    """

    def __init__(self) -> None:
        self.inbox: asyncio.Queue[Notification | ServerRequest | asyncio.Event | None] = asyncio.Queue()
        self.task: asyncio.Task[None] | None = None
        self.left = False
        self.changes: dict[str, JsonArray] = {}
        self.token_usage: JsonObject | None = None
        self.error: Error | None = None
        self._lock = asyncio.Lock()
        self._wanted = 0

    @contextlib.asynccontextmanager
    async def alone(self) -> AsyncGenerator[None, None]:
        """Let nobody else take a message of the thread, or hold it, meanwhile."""
        self._wanted += 1
        try:
            async with self._lock:
                yield
        finally:
            self._wanted -= 1

    @property
    def is_spent(self) -> bool:
        """Whether the thread may be forgotten: it was left, and nobody and nothing waits on it."""
        return self.left and not self._wanted and self.inbox.empty()
