"""Carrying: the worker's tasks for operations, of which each operation has one at a time.

What a task finds out about an operation holds for as long as no other task moves that operation on. One that
puts it back in the queue may not be at its own end yet when the operation is claimed again.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TypeAlias

from codex_control_plane_mcp.store import FenceLost

_LOG = logging.getLogger(__name__)
# Pace of work that met a fault of ours.
_PAUSE_SECONDS = 2.0

Work: TypeAlias = Callable[[], Coroutine[None, None, None]]
"""What is to be done for an operation."""


class Carrying:
    """The tasks that run; ``ended`` is called, on the event loop, at the end of each."""

    def __init__(self, ended: Callable[[], None]) -> None:
        self._notify = ended
        self._tasks: set[asyncio.Task[None]] = set()
        self._latest: dict[str, asyncio.Task[None]] = {}

    def __contains__(self, operation_id: str) -> bool:
        return operation_id in self._latest

    def __len__(self) -> int:
        return len(self._latest)

    def carry(self, operation_id: str, work: Work) -> None:
        """Do the work, once the work on the same operation that was begun before has come to its end."""
        former = self._latest.get(operation_id)
        task = asyncio.create_task(_guarded(operation_id, work, former), name=operation_id)
        self._tasks.add(task)
        self._latest[operation_id] = task
        task.add_done_callback(partial(self._ended, operation_id))

    def operations(self) -> set[str]:
        """Return the operations that are carried."""
        return set(self._latest)

    async def drain(self, seconds: float) -> None:
        """Let what is under way come to its end, for at most so long."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)

    async def cancel(self) -> None:
        """Stop every task at once."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ended(self, operation_id: str, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._latest.get(operation_id) is task:
            del self._latest[operation_id]
        self._notify()


async def _guarded(operation_id: str, work: Work, former: asyncio.Task[None] | None) -> None:
    """Let no fault of one operation stop the others, or come again without a pause."""
    if former is not None:
        await asyncio.wait({former})
    try:
        await work()
    except FenceLost:
        return
    except Exception:  # noqa: BLE001 -- the boundary of the work on one operation
        _LOG.exception("work on %s failed", operation_id)
        await asyncio.sleep(_PAUSE_SECONDS)
