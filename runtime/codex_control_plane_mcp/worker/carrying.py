"""Carrying: the worker's tasks for operations, of which each operation has one at a time.

What a task finds out about an operation holds for as long as no other task moves that operation on. One that
puts it back in the queue may not be at its own end yet when the operation is claimed again.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TypeAlias

from codex_control_plane_contract.errors import InternalError
from codex_control_plane_mcp.incidents import report_incident
from codex_control_plane_mcp.store import STATE_FAULTS, FenceLost

_LOG = logging.getLogger(__name__)
# Pace of work that met a fault; one of ours is met again later each time.
_PAUSE_SECONDS = 2.0
_LONGEST_PAUSE_SECONDS = 60.0
_ADVICE = "It is tried again."

Work: TypeAlias = Callable[[], Coroutine[None, None, None]]
"""What is to be done for an operation."""

Faulted: TypeAlias = Callable[[str, InternalError], Coroutine[None, None, None]]
"""Writes a fault of ours on the operation whose work met it."""


class Carrying:
    """The tasks that run; ``ended`` is called, on the event loop, at the end of each."""

    def __init__(self, ended: Callable[[], None], faulted: Faulted) -> None:
        self._notify = ended
        self._faulted = faulted
        self._faults: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._latest: dict[str, asyncio.Task[None]] = {}

    def __contains__(self, operation_id: str) -> bool:
        return operation_id in self._latest

    def __len__(self) -> int:
        return len(self._latest)

    def carry(self, operation_id: str, work: Work) -> None:
        """Do the work, once the work on the same operation that was begun before has come to its end."""
        former = self._latest.get(operation_id)
        task = asyncio.create_task(self._guarded(operation_id, work, former), name=operation_id)
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

    async def _guarded(self, operation_id: str, work: Work, former: asyncio.Task[None] | None) -> None:
        """Let no fault of one operation stop the others, or come again without a pause."""
        if former is not None:
            await asyncio.wait({former})
        try:
            await work()
        except FenceLost:
            return
        except STATE_FAULTS as fault:
            _LOG.warning("work on %s could not be recorded: %s", operation_id, fault)
            await asyncio.sleep(_PAUSE_SECONDS)
        except Exception:  # noqa: BLE001 -- the boundary of the work on one operation
            await self._meet_fault(operation_id)
        else:
            del self._faults[operation_id]

    async def _meet_fault(self, operation_id: str) -> None:
        """Write the fault that is being handled on the operation, and let time pass."""
        error = report_incident(f"the work on {operation_id}", _ADVICE)
        self._faults[operation_id] += 1
        pause = _PAUSE_SECONDS * 2 ** (self._faults[operation_id] - 1)
        try:
            await self._faulted(operation_id, error)
        except (FenceLost, *STATE_FAULTS) as fault:
            _LOG.warning("the fault of %s could not be recorded: %s", operation_id, fault)
        await asyncio.sleep(min(pause, _LONGEST_PAUSE_SECONDS))
