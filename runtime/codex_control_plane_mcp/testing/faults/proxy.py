"""The proxy between a worker and Codex: carries every message, and does to it what the script says."""

import asyncio
import json
import os
from collections import Counter
from contextlib import suppress
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Final

from websockets.asyncio.client import unix_connect
from websockets.asyncio.connection import Connection
from websockets.asyncio.server import Server, ServerConnection, unix_serve
from websockets.exceptions import ConnectionClosed

from codex_control_plane_mcp.codex.connection import reachable_path
from codex_control_plane_mcp.testing.faults.fault import Action, Direction, Script, Subject, read_script
from codex_control_plane_mcp.testing.faults.lane import Cut, Lane
from codex_control_plane_mcp.testing.faults.passage import Passage
from codex_control_plane_mcp.testing.faults.traffic import Traffic, read_message


class Proxy:
    """Listens where the worker expects Codex, and connects to the real one behind, once for each connection.

    ``script`` is read anew whenever somebody connects; another text begins to count anew. Each message is
    written to ``log``, one line a message, once it has been dealt with.
    """

    def __init__(self, behind: Path, script: Path, log: Path) -> None:
        self._behind: Final = behind
        self._place: Final = script
        self._log: Final = log.open("a", buffering=1)
        self._text = ""
        self._script = Script()
        self._seen: Counter[Subject] = Counter()
        self._asked: dict[str, str] = {}
        self._connections = count(1)

    async def listen(self, path: Path) -> Server:
        """Accept connections at ``path`` until the server is closed."""
        return await unix_serve(
            self._serve, str(path), max_size=None, max_queue=None, compression=None, ping_interval=None
        )

    async def _serve(self, worker: ServerConnection) -> None:
        self._read_script()
        async with unix_connect(
            str(reachable_path(self._behind)),
            "ws://localhost/",
            max_size=None,
            max_queue=None,
            compression=None,
            ping_interval=None,
        ) as codex:
            await self._carry_between(worker, codex)

    def _read_script(self) -> None:
        text = self._place.read_text()
        if text != self._text:
            self._text, self._script, self._seen = text, read_script(text), Counter()

    async def _carry_between(self, worker: Connection, codex: Connection) -> None:
        """Carry both ways until one side ends; then the other is torn down without a word, as by Codex."""
        traffic, number = Traffic(self._asked), next(self._connections)
        lanes = [
            asyncio.create_task(self._carry(Lane(worker, codex), "to_codex", traffic, number)),
            asyncio.create_task(self._carry(Lane(codex, worker), "from_codex", traffic, number)),
        ]
        try:
            await asyncio.wait(lanes, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for side in (worker, codex):
                side.transport.abort()
            await asyncio.gather(*lanes, return_exceptions=True)

    async def _carry(self, lane: Lane, direction: Direction, traffic: Traffic, number: int) -> None:
        with suppress(ConnectionClosed, Cut):
            while True:
                frame = await lane.receive()
                message = read_message(frame)
                subject = traffic.subject(direction, message)
                action = None if subject is None else self._strike(subject)
                try:
                    await lane.carry(frame, action)
                finally:
                    self._note(Passage(number, direction, subject, message.get("id"), action))

    def _strike(self, subject: Subject) -> Action | None:
        """Return what the script has for a message, and tell the one who waits for it."""
        self._seen[subject] += 1
        action = self._script.strike(subject, self._seen[subject])
        if action is not None and self._script.wire is not None:
            _tell(self._script.wire, str(subject))
        return action

    def _note(self, passage: Passage) -> None:
        self._log.write(json.dumps(asdict(passage)) + "\n")


def _tell(wire: Path, word: str) -> None:
    # Nobody listens any more once the story is over.
    with suppress(OSError):
        pipe = os.open(wire, os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(pipe, f"{word}\n".encode())
        finally:
            os.close(pipe)
