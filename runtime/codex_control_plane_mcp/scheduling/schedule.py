"""The decision, on one consistent view of the store."""

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from codex_control_plane_contract.lifecycles import operation
from codex_control_plane_contract.settings import Settings
from codex_control_plane_contract.types import QueueReason
from codex_control_plane_mcp.scheduling.locks import Locks
from codex_control_plane_mcp.scheduling.standing import Standing, in_order
from codex_control_plane_mcp.store import Contender, Lane, Reader

LOOKAHEAD: Final = 100
"""How many waiting writers of a project are looked at, by rank; those behind wait until one has started."""


@dataclass(frozen=True, slots=True)
class Writers:
    """The writers of a project that could start but for locks: those that were looked at, and that may."""

    seen: frozenset[str]
    free: Sequence[Contender]


class Schedule:
    """The slots and locks taken at one moment; `pressed` says that Codex has too many calls to answer.

    To be used within the read or the transaction that `reader` belongs to; `now` is the store's time.
    """

    def __init__(self, reader: Reader, settings: Settings, *, now: int, pressed: bool = False) -> None:
        self._reader = reader
        self._settings = settings
        self._now = now
        self._pressed = pressed
        self.active = reader.slot_holders()
        self.projects = Counter(task.project_id for task in self.active)
        self.agents = Counter(task.agent_id for task in self.active if task.agent_id)
        self.threads = Counter(task.thread_id for task in self.active if task.thread_id)
        self._lanes: list[Lane] | None = None
        self._writers: dict[str, tuple[Writers, Locks]] = {}

    def next(self) -> operation.Queued | None:
        """Return the task that may start now and comes first, or None."""
        if self._pressed or len(self.active) >= self._settings.max_active_turns_global:
            return None
        locks = self._locks()
        for project in in_order(self._waiting_lanes(), self._settings):
            if self._is_project_free(project.project_id):
                found = self._first_of(project, locks)
                row = self._reader.operation(found.operation_id) if found is not None else None
                if isinstance(row, operation.Queued):
                    return row
        return None

    def reason(self, row: operation.Queued) -> QueueReason:
        """Return why a queued task has not started; `waiting_for_worker` if it only has to come first."""
        if row.next_attempt_at is not None and row.next_attempt_at > self._now:
            return row.queued_reason or "retry_after_worker_error"
        if not row.runs_turn:
            return "waiting_for_worker"
        if self._is_thread_taken(row):
            return "thread_slot_limit"
        if len(self.active) >= self._settings.max_active_turns_global:
            return "global_slot_limit"
        if not self._is_project_free(row.project_id):
            return "project_slot_limit"
        if not self._is_agent_free(row.agent_id):
            return "agent_slot_limit"
        if self._is_barred(row):
            return "resource_lock_conflict"
        return "app_server_backpressure" if self._pressed else "waiting_for_worker"

    def _is_thread_taken(self, row: operation.Queued) -> bool:
        """Return whether something is on the thread, or comes first there (docs/decisions/0090)."""
        if row.thread_id is None:
            return False
        in_use = self._reader.thread_in_use(row.thread_id)
        return in_use is not None or self._reader.ahead_on_thread(row) is not None

    def _first_of(self, project: Standing, locks: Locks) -> Contender | None:
        """Return the first task of a project that may start; what its writers wait for is held then."""
        lanes = [lane for lane in project.lanes if self._is_agent_free(lane.agent_id)]
        free = [first for lane in lanes if not lane.writes for first in self._ready(lane, limit=1)]
        free += self._free_writers(lanes, locks).free
        return min(
            free,
            key=lambda task: (project.agents[task.agent_id], task.ranked_at, task.operation_id),
            default=None,
        )

    def _free_writers(self, lanes: Sequence[Lane], locks: Locks) -> Writers:
        """Look at the writers by rank; each bars those behind it from its paths, whether it starts or not.

        Otherwise one that needs the whole project would wait for as long as others need parts of it.
        """
        waiting = heapq.merge(
            *(self._ready(lane, limit=LOOKAHEAD) for lane in lanes if lane.writes),
            key=lambda task: (task.ranked_at, task.operation_id),
        )
        seen: set[str] = set()
        free: list[Contender] = []
        for task in islice(waiting, LOOKAHEAD):
            seen.add(task.operation_id)
            if not locks.bar(task):
                free.append(task)
            locks.hold(task)
            if locks.bar_all(task.project_path):
                break
        return Writers(frozenset(seen), free)

    def _is_barred(self, row: operation.Queued) -> bool:
        task = Contender.of(row)
        if not task.writes:
            return False
        if row.project_id not in self._writers:
            locks = self._locks()
            lanes = [
                lane
                for lane in self._waiting_lanes()
                if lane.project_id == row.project_id and self._is_agent_free(lane.agent_id)
            ]
            self._writers[row.project_id] = self._free_writers(lanes, locks), locks
        writers, locks = self._writers[row.project_id]
        if row.operation_id in writers.seen:
            return all(free.operation_id != row.operation_id for free in writers.free)
        return locks.bar(task)

    def _ready(self, lane: Lane, *, limit: int) -> Iterator[Contender]:
        return self._reader.ready_of_lane(lane, now=self._now, limit=limit)

    def _waiting_lanes(self) -> Sequence[Lane]:
        if self._lanes is None:
            self._lanes = self._reader.waiting_lanes()
        return self._lanes

    def _locks(self) -> Locks:
        locks = Locks(broad_turns=self._settings.max_active_write_turns_per_project)
        for task in self.active:
            locks.hold(task)
        return locks

    def _is_project_free(self, project_id: str) -> bool:
        return self.projects[project_id] < self._settings.max_active_turns_per_project

    def _is_agent_free(self, agent_id: str) -> bool:
        return self.agents[agent_id] < self._settings.max_active_turns_per_agent
