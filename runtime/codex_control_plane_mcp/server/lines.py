"""Lines from a descriptor: bounded, and read by a thread that never keeps the process alive.

A thread and plain `os.read` work for a pipe, a socket, a file, a terminal and `/dev/null` alike. Waiting on
the descriptor in the event loop would not: files and `/dev/null` cannot be polled, and it makes the
descriptor non-blocking for every process that shares it. The thread is a daemon, so that a signal ends the
process while a read is still waiting for a client that says nothing.
"""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Final

LINE_LIMIT: Final = 4 * 2**20
"""Bytes of the longest line: 200,000 characters, each escaped as a surrogate pair, fit with room to spare."""

_CHUNK: Final = 2**16
_CHUNKS_AHEAD: Final = 4


@dataclass(frozen=True, slots=True)
class Overlong:
    """Stands for a line that was thrown away because it is longer than `limit` bytes."""

    limit: int


class LineSplitter:
    """Cuts bytes into lines, without their line feeds; never holds more than `limit` bytes of one."""

    def __init__(self, limit: int = LINE_LIMIT) -> None:
        self._limit = limit
        self._begun = bytearray()
        self._overlong = False

    def feed(self, chunk: bytes) -> Iterator[bytes | Overlong]:
        """Yield the lines that `chunk` ends, in order."""
        *ended, rest = chunk.split(b"\n")
        for part in ended:
            self._add(part)
            yield self._take()
        self._add(rest)

    def finish(self) -> Iterator[bytes | Overlong]:
        """Yield the last line if the stream ended without a line feed."""
        if self._begun or self._overlong:
            yield self._take()

    def _add(self, part: bytes) -> None:
        if self._overlong or len(self._begun) + len(part) > self._limit:
            self._overlong = True
            self._begun.clear()
        else:
            self._begun += part

    def _take(self) -> bytes | Overlong:
        line = Overlong(self._limit) if self._overlong else bytes(self._begun)
        self._begun.clear()
        self._overlong = False
        return line


class ChunkReader:
    """What arrives on a descriptor, read ahead by at most a few chunks."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue()
        self._room = threading.Semaphore(_CHUNKS_AHEAD)
        threading.Thread(target=self._read, name="stdin", daemon=True).start()

    async def chunk(self) -> bytes:
        """Return the next bytes; none at the end of the stream."""
        chunk = await self._chunks.get()
        self._room.release()
        return chunk

    def _read(self) -> None:
        while True:
            self._room.acquire()
            try:
                chunk = os.read(self._descriptor, _CHUNK)
            except OSError:
                # A terminal that hangs up and a peer that resets its socket are ends of the stream too.
                chunk = b""
            try:
                self._loop.call_soon_threadsafe(self._chunks.put_nowait, chunk)
            except RuntimeError:
                # The loop is closed: the process is ending and nobody listens any more.
                return
            if not chunk:
                return


async def lines(descriptor: int, limit: int = LINE_LIMIT) -> AsyncIterator[bytes | Overlong]:
    """Yield the lines of `descriptor` until its end, blank ones left out."""
    reader, splitter = ChunkReader(descriptor), LineSplitter(limit)
    while chunk := await reader.chunk():
        for line in splitter.feed(chunk):
            if isinstance(line, Overlong) or line.strip():
                yield line
    for line in splitter.finish():
        yield line
