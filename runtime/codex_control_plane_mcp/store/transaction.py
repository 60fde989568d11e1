"""The one way to change state: update, journal row and effects, in one transaction.

docs/architecture.md, One way to change state. A change is legal by construction (it is a method of the
typed row that it starts from); the database checks it once more by state, revision, fence and trigger.
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar, cast

from codex_control_plane_contract.change import Change, Touch
from codex_control_plane_contract.lifecycles import worker_command
from codex_control_plane_contract.records import (
    INSERT_JOURNAL,
    INSERT_PROGRESS_EVENT,
    INSERT_REPAIR_RUN,
    INSERT_TURN_PLAN,
)
from codex_control_plane_contract.values import Actor, Value
from codex_control_plane_mcp.fail_points import COURSE
from codex_control_plane_mcp.store.following import FollowerRow, tie_of
from codex_control_plane_mcp.store.identifiers import new_id
from codex_control_plane_mcp.store.reading import Reader

RowT = TypeVar("RowT")

# An order to the worker that nobody could carry out for a week is given up.
COMMAND_LIFETIME_MS = 7 * 24 * 3600 * 1000


class Stale(Exception):
    """The row is not in the state or revision that the change starts from: reload and decide again."""


class FenceLost(Exception):
    """This worker no longer holds the executor lease: it must stop at once."""


@dataclass(frozen=True, slots=True)
class Fence:
    """The right to execute: the holder of the lease and its number."""

    holder: str
    number: int


@dataclass(frozen=True, slots=True)
class Author:
    """Who commits: the id of the process, and the fence if it is the executing worker."""

    actor_id: str
    fence: Fence | None = None


class LifecycleRow(Protocol):
    """What every typed row has."""

    @property
    def row_id(self) -> str:
        """The key."""
        ...

    @property
    def state(self) -> str:
        """The state."""
        ...

    @property
    def revision(self) -> int:
        """How often it has changed."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """What a journal row says of a change."""

    lifecycle: str
    row_id: str
    event: str
    source: str | None
    target: str
    revision: int


class Transaction:
    """An open write transaction; made by :meth:`Store.transaction`, which commits or rolls back."""

    def __init__(self, connection: sqlite3.Connection, author: Author, now: int) -> None:
        self.connection = connection
        self.now = now
        self._author = author
        self._cause: int | None = None
        self._changes: list[str] = []

    def apply(self, change: Change[RowT], *, by: Actor | None = None, evidence: str | None = None) -> RowT:
        """Make one change, journal it, let its workflow follow, enqueue its effects; return the row as it is.

        ``by`` names the actor where the spec allows several; ``evidence`` shows that the event happened, and
        need not be said twice where the row keeps it. Raises :class:`Stale` or :class:`FenceLost`, and then
        nothing of the whole transaction may be committed.
        """
        return self._apply(change, by=by, evidence=evidence, cause=self._cause)

    def _apply(
        self, change: Change[RowT], *, by: Actor | None, evidence: str | None, cause: int | None
    ) -> RowT:
        actor = self._actor(change, by)
        evidence = evidence or _kept_evidence(change)
        if change.required_evidence is not None and not evidence:
            name = f"{change.lifecycle}.{change.event}"
            raise ValueError(f"{name} needs evidence ({change.required_evidence}), and none was given")
        stored = self._write(change, actor)
        entry = Entry(
            change.lifecycle, change.row_id, change.event, change.source, change.target, change.revision + 1
        )
        sequence = self._journal(entry, actor, evidence, "applied", cause)
        if self._cause is None:
            self._cause = sequence
        name = f"{change.lifecycle}.{change.event}"
        self._changes.append(name)
        COURSE.change(name, "written")
        row = change.read(stored)
        if change.source != change.target:
            self._let_follow(change, stored, row, actor, sequence)
        for command in change.emits:
            # The compiler has checked that every effect is a command_type of worker_command.
            self.enqueue(cast(worker_command.CommandType, command), change.row_id, by=actor)
        return row

    def _let_follow(
        self, change: Change[object], stored: Mapping[str, Value], row: object, actor: Actor, cause: int
    ) -> None:
        """Raise what the change means for the row's follower: in the same name, and with it as the cause."""
        tie = tie_of(change.lifecycle, stored)
        if tie is None or not tie.events:
            return
        found = self.connection.execute(tie.query, (tie.key,)).fetchone()
        if found is None:
            # The first of a workflow's rows comes before the workflow, which names it.
            assert change.source is None, f"{change.lifecycle} {change.row_id} names no {tie.table.name}"
            return
        follower = cast("FollowerRow", tie.table.read(found))
        following = tie.change(follower, row, Reader(self.connection))
        if following is not None:
            evidence = f"{change.lifecycle} {change.row_id} is {change.target}"
            self._apply(following, by=actor, evidence=evidence, cause=cause)

    def record_conflict(
        self, lifecycle: str, row: LifecycleRow, *, event: str, target: str, by: Actor, evidence: str
    ) -> None:
        """Journal a second, different outcome of an ended row; nothing else changes (contract §19.7)."""
        self._journal(
            Entry(lifecycle, row.row_id, event, row.state, target, row.revision),
            by,
            evidence,
            "conflict",
            self._cause,
        )

    def touch(self, touch: Touch) -> None:
        """Update columns that are no state, such as a heartbeat; not journalled."""
        self.connection.execute(touch.statement, {**touch.parameters, "now": self.now})

    def add_progress(self, progress: Mapping[str, Value]) -> bool:
        """Append one progress event; return False for an item that is shown already."""
        values = {"at": self.now, "item_id": None, **progress}
        return self.connection.execute(INSERT_PROGRESS_EVENT, values).rowcount > 0

    def add_plan(self, plan: Mapping[str, Value]) -> bool:
        """Append one plan of a turn; return False for one that the turn is known for already."""
        return self.connection.execute(INSERT_TURN_PLAN, {"seen_at": self.now, **plan}).rowcount > 0

    def add_repair_run(self, action: str, scope_id: str, reason: str | None) -> str:
        """Append a repair that is done with this transaction; return its id."""
        run_id = new_id("rep", self.now)
        run = {"repair_run_id": run_id, "action": action, "scope_id": scope_id, "reason": reason}
        self.connection.execute(INSERT_REPAIR_RUN, {"at": self.now, **run})
        return run_id

    def enqueue(self, command_type: worker_command.CommandType, subject_id: str, *, by: Actor) -> str:
        """Ask the worker for something; return the command's id, that of the open one if there is one."""
        found = self.connection.execute(
            "SELECT worker_command_id FROM worker_command WHERE subject_id = ? AND command_type = ? "
            "AND state IN ('queued', 'running')",
            (subject_id, command_type),
        ).fetchone()
        if found:
            return str(found["worker_command_id"])
        change = worker_command.enqueue(
            worker_command_id=new_id(worker_command.ID_PREFIX, self.now),
            command_type=command_type,
            subject_id=subject_id,
            deadline_at=self.now + COMMAND_LIFETIME_MS,
        )
        return self.apply(change, by="worker" if by == "codex" else by).worker_command_id

    def passes(self, phase: str) -> None:
        """Pass a phase of the commit, once for every change that is in it (see `fail_points`)."""
        for name in self._changes:
            COURSE.change(name, phase)

    def _actor(self, change: Change[object], by: Actor | None) -> Actor:
        actor = by or change.actors[0]
        if actor not in change.actors or (by is None and len(change.actors) > 1):
            raise ValueError(f"{change.lifecycle}.{change.event} is raised by {change.actors}, not by {by}")
        return actor

    def _write(self, change: Change[RowT], actor: Actor) -> Mapping[str, Value]:
        parameters = {**change.parameters, "now": self.now}
        statement = change.statement
        if change.fenced and actor not in ("client", "operator"):
            fence = self._author.fence
            if fence is None:
                raise FenceLost(f"{change.lifecycle}.{change.event} needs the executor lease")
            statement = change.fenced_statement
            parameters |= {"lease_holder": fence.holder, "lease_fence": fence.number}
        row: Mapping[str, Value] | None = self.connection.execute(statement, parameters).fetchone()
        if row is None:
            self._explain_refusal(change)
        assert row is not None
        return row

    def _explain_refusal(self, change: Change[object]) -> None:
        fence = self._author.fence
        if fence is not None:
            held = self.connection.execute(
                "SELECT 1 FROM executor_lease WHERE holder = ? AND fence = ? AND expires_at > ?",
                (fence.holder, fence.number, self.now),
            ).fetchone()
            if held is None:
                raise FenceLost(f"fence {fence.number} of {fence.holder} is no longer valid")
        raise Stale(
            f"{change.lifecycle} {change.row_id} is not {change.source} at revision {change.revision}"
        )

    def _journal(
        self, entry: Entry, actor: Actor, evidence: str | None, outcome: str, cause: int | None
    ) -> int:
        cursor = self.connection.execute(
            INSERT_JOURNAL,
            {
                "entity": entry.lifecycle,
                "entity_id": entry.row_id,
                "revision": entry.revision,
                "event": entry.event,
                "source": entry.source,
                "target": entry.target,
                "outcome": outcome,
                "at": self.now,
                "actor": actor,
                "actor_id": self._author.actor_id,
                "fence": self._author.fence.number if self._author.fence else None,
                "evidence": evidence,
                "cause": cause,
            },
        )
        sequence = cursor.lastrowid
        assert sequence is not None
        return sequence


def _kept_evidence(change: Change[object]) -> str | None:
    """Return what the row itself will hold as evidence."""
    kept = change.parameters.get("evidence")
    return kept if isinstance(kept, str) else None
