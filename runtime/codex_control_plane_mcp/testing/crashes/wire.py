"""The named pipe through which a trap says that it has sprung."""

import asyncio
import os
from pathlib import Path


class Wire:
    """A pipe that is listened to; a context manager of an event loop."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._sprung = asyncio.Event()
        os.mkfifo(path, 0o600)
        # Read and write: it never reports an end, and the trap's side opens without waiting.
        self._descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def __enter__(self) -> "Wire":
        asyncio.get_running_loop().add_reader(self._descriptor, self._sprung.set)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)
        self.path.unlink()

    async def sprung(self, within: float) -> bool:
        """Return whether the trap springs within so many seconds."""
        try:
            async with asyncio.timeout(within):
                await self._sprung.wait()
        except TimeoutError:
            return False
        return True
