"""Named gates at which a test holds the scripted model until it says go on."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager


class Gates:
    """A set of gates, all closed at first; an opened gate stays open.

    Every method belongs to the event loop that serves the model.
    """

    def __init__(self) -> None:
        self._opened: set[str] = set()
        self._held: list[str] = []
        self._change = asyncio.Condition()

    @property
    def opened(self) -> list[str]:
        """The names of the gates that are open, sorted."""
        return sorted(self._opened)

    @property
    def held(self) -> list[str]:
        """The gates at which a response is held, sorted, one name for each response."""
        return sorted(self._held)

    async def open(self, name: str) -> None:
        """Open a gate and let go what is held there."""
        self._opened.add(name)
        await self._announce()

    async def open_all(self) -> None:
        """Let go everything that is held."""
        self._opened.update(self._held)
        await self._announce()

    async def hold(self, name: str) -> None:
        """Return once the gate is open."""
        with self._holding(name):
            await self._announce()
            async with self._change:
                await self._change.wait_for(lambda: name in self._opened)

    async def reached(self, name: str, within: float) -> bool:
        """Return whether a response is held at the gate, waiting `within` seconds for one."""
        try:
            async with asyncio.timeout(within), self._change:
                await self._change.wait_for(lambda: name in self._held)
        except TimeoutError:
            return False
        return True

    @contextmanager
    def _holding(self, name: str) -> Generator[None]:
        self._held.append(name)
        try:
            yield
        finally:
            self._held.remove(name)

    async def _announce(self) -> None:
        async with self._change:
            self._change.notify_all()
