"""One direction of a connection, in which messages meet their faults."""

import asyncio
from typing import Final, assert_never

from websockets.asyncio.connection import Connection

from codex_control_plane_mcp.testing.faults.fault import LATE_SECONDS, Action


class Cut(Exception):
    """The connection is to break here."""


class Lane:
    """Carries frames from ``source`` to ``sink``; one that is to be overtaken is held."""

    def __init__(self, source: Connection, sink: Connection) -> None:
        self._source = source
        self._sink: Final = sink
        self._held: str | bytes | None = None

    async def receive(self) -> str | bytes:
        """Return the next frame; what is held goes on when none comes for LATE_SECONDS.

        Raises ConnectionClosed.
        """
        try:
            async with asyncio.timeout(None if self._held is None else LATE_SECONDS):
                return await self._source.recv()
        except TimeoutError:
            await self._let_go()
            return await self._source.recv()

    async def carry(self, frame: str | bytes, action: Action | None) -> None:
        """Pass a frame on, as the action has it. Raises Cut and ConnectionClosed."""
        match action:
            case "reorder":
                await self._let_go()
                self._held = frame
                return
            case "cut_before":
                raise Cut
            case "drop":
                return
            case None | "cut_after":
                await self._sink.send(frame)
            case "delay":
                await asyncio.sleep(LATE_SECONDS)
                await self._sink.send(frame)
            case "duplicate":
                await self._sink.send(frame)
                await self._sink.send(frame)
            case "truncate":
                await self._sink.send(frame[: len(frame) // 2])
            case _:
                assert_never(action)
        await self._let_go()
        if action == "cut_after":
            raise Cut

    async def _let_go(self) -> None:
        frame, self._held = self._held, None
        if frame is not None:
            await self._sink.send(frame)
