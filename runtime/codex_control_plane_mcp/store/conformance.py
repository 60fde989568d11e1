"""Conformance: does the spec allow everything that ever happened to the rows of a state file?

The journal is replayed through the machines that the compiler emits, and where it ends is compared with the
stored rows. Only one read transaction is open meanwhile: servers and worker go on (docs/guarantees.md).
"""

import contextlib
import functools
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from statemachine import StateChart

from codex_control_plane_contract.following import FOLLOWERS
from codex_control_plane_contract.machines import MACHINES
from codex_control_plane_contract.records import JournalRow, read_journal
from codex_control_plane_mcp.store.database import connect_read_only
from codex_control_plane_mcp.store.faults import explained
from codex_control_plane_mcp.store.following import FollowerRow, Tie, tie_of
from codex_control_plane_mcp.store.lifecycle_tables import LIFECYCLES, LifecycleTable

_BUSY_SECONDS = 10.0
# The library leaves the parameters of its types open, which the strict checker calls unknown.
_send: Callable[..., Any] = StateChart.send  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]

_Position = tuple[str, int]
"""The state and the revision of a row."""


@dataclass(frozen=True, slots=True)
class Violation:
    """The first thing that the spec forbids."""

    entity: str
    """The lifecycle; `journal` where rows of the journal itself are missing at its end."""
    entity_id: str
    fault: str
    """What is wrong, in one sentence without its full stop."""
    row: JournalRow | None = None
    """The journal row at fault; None where a stored row differs from what its journal says."""
    allowed: Mapping[str, str] = field(default_factory=dict[str, str])
    """What the spec allows where the subject was: event to target; empty in a state that nothing leaves."""


@dataclass(frozen=True, slots=True)
class Conformance:
    """What a replay has found."""

    changes: int
    """How many journal rows were replayed; of a file that does not conform, up to the one at fault."""
    subjects: int
    """How many rows of lifecycles they are about."""
    violation: Violation | None


def replay(path: Path, *, on_change: Callable[[int, int], None] = lambda _done, _total: None) -> Conformance:
    """Replay the journal of a state file that may be in use.

    ``on_change`` hears after each journal row how many of how many are done. Raises CODEX_STATE_UNUSABLE for
    a file that cannot be read, and CODEX_STATE_BUSY.
    """
    with (
        explained(path),
        contextlib.closing(connect_read_only(path, busy_seconds=_BUSY_SECONDS)) as connection,
    ):
        # One snapshot, so that rows and journal are of the same moment.
        connection.execute("BEGIN")
        course = _Replay(connection, on_change)
        violation = next(course.violations(), None)
        return Conformance(course.changes, len(course.positions), violation)


def first_violation(path: Path) -> Violation | None:
    """Return what the spec forbids in the journal and the rows of a state file, or None."""
    return replay(path).violation


@functools.cache
def moves(lifecycle: str, state: str) -> Mapping[str, str]:
    """Return where each event leads that the lifecycle's machine takes in a state."""
    chart = MACHINES[lifecycle]
    return {event.id: _moved(chart, state, event.id) for event in chart(start_value=state).allowed_events}


def _moved(chart: type[StateChart[object]], state: str, event: str) -> str:
    machine = chart(start_value=state)
    # Through the class: the event `send` of an attempt hides the method of the same name.
    _send(machine, event)
    return str(machine.current_state_value)


class _Replay:
    """One pass over journal and rows; `changes` and `positions` say how far it has come."""

    def __init__(self, connection: sqlite3.Connection, on_change: Callable[[int, int], None]) -> None:
        self.changes = 0
        self.positions: dict[tuple[str, str], _Position] = {}
        self._connection = connection
        self._on_change = on_change

    def violations(self) -> Iterator[Violation]:
        """Give what is wrong, in the order of the journal; rows come after it."""
        yield from self._of_journal()
        for lifecycle in LIFECYCLES.values():
            yield from self._of_rows(lifecycle)
        for name in {follower.followed for follower in FOLLOWERS}:
            yield from self._of_followers(LIFECYCLES[name])
        yield from self._of_the_end()

    def _of_journal(self) -> Iterator[Violation]:
        total = self._connection.execute("SELECT count(*) AS total FROM journal").fetchone()["total"]
        for stored in self._connection.execute("SELECT * FROM journal ORDER BY sequence"):
            row = read_journal(stored)
            self.changes += 1
            subject = (row.entity, row.entity_id)
            position = self.positions.get(subject)
            fault = self._gap(row) or _fault(row, position)
            if fault:
                yield Violation(*subject, fault, row, _allowed(row.entity, position))
            if row.outcome == "applied":
                self.positions[subject] = (row.target, row.revision)
            self._on_change(self.changes, total)

    def _gap(self, row: JournalRow) -> str | None:
        """Return what is missing before a row: a rollback gives its sequences back, so there are no gaps."""
        missing = row.sequence - self.changes
        return f"{missing} journal row(s) before it are missing" if missing else None

    def _of_rows(self, lifecycle: LifecycleTable) -> Iterator[Violation]:
        """Compare the stored rows with where the journal left them; a row that has ended may be gone."""
        journalled = {key: at for (name, key), at in self.positions.items() if name == lifecycle.name}
        # Names of the emitted schema, not input.
        for row in self._connection.execute(f"SELECT * FROM {lifecycle.table}"):  # noqa: S608
            key, is_now = str(row[lifecycle.key]), (str(row["state"]), int(row["revision"]))
            was_left = journalled.pop(key, None)
            fault = _difference(is_now, was_left) or _misfit(lifecycle, row)
            if fault:
                yield Violation(lifecycle.name, key, fault, allowed=_allowed(lifecycle.name, was_left))
        for key, was_left in journalled.items():
            if was_left[0] not in lifecycle.ended:
                fault = f"the row is gone; its journal ends at {_described(was_left)}, where it has not ended"
                yield Violation(lifecycle.name, key, fault, allowed=_allowed(lifecycle.name, was_left))

    def _of_followers(self, followed: LifecycleTable) -> Iterator[Violation]:
        """Compare the rows of a lifecycle with those that follow them, where the spec leaves no choice."""
        # A name of the emitted schema, not input.
        for row in self._connection.execute(f"SELECT * FROM {followed.table}"):  # noqa: S608
            tie = tie_of(followed.name, row)
            if tie is None:
                continue
            found = self._connection.execute(tie.query, (tie.key,)).fetchone()
            fault = _stray(tie, cast("FollowerRow", tie.table.read(found)) if found else None)
            if fault:
                subject = f"{followed.name} {row[followed.key]}, its {tie.role}, is {tie.state}"
                yield Violation(tie.table.name, tie.key, f"{fault}; {subject}")

    def _of_the_end(self) -> Iterator[Violation]:
        """Compare the number of journal rows with how many SQLite has counted."""
        query = "SELECT seq FROM sqlite_sequence WHERE name = 'journal'"
        counted = self._connection.execute(query).fetchone()
        last = int(counted["seq"]) if counted else 0
        if last > self.changes:
            fault = f"{last - self.changes} row(s) after the last one are missing"
            yield Violation("journal", str(last), fault)


def _allowed(entity: str, position: _Position | None) -> Mapping[str, str]:
    if entity not in LIFECYCLES:
        return {}
    if position is None:
        return LIFECYCLES[entity].creations
    return moves(entity, position[0])


def _fault(row: JournalRow, position: _Position | None) -> str | None:
    """Return why the spec forbids this journal row where its subject is at ``position``, or None."""
    lifecycle = LIFECYCLES.get(row.entity)
    if lifecycle is None:
        return "there is no such lifecycle"
    if row.actor not in lifecycle.actors.get(row.event, ()):
        return f"{row.actor} may not raise it"
    if row.cause is not None and row.cause >= row.sequence:
        return "it has a cause that comes after it"
    if row.event in lifecycle.evidence and not row.evidence:
        return f"it has no evidence; the spec asks for {lifecycle.evidence[row.event]}"
    if row.source is None:
        return _fault_of_creation(row, lifecycle, position)
    if position is None:
        return "it happens to a row that was never created"
    if row.outcome == "conflict":
        return _fault_of_conflict(row, lifecycle, position)
    return _fault_of_transition(row, position)


def _fault_of_creation(row: JournalRow, lifecycle: LifecycleTable, position: _Position | None) -> str | None:
    if position is not None:
        return "it creates a row that exists"
    if (row.target, row.revision, row.outcome) != (lifecycle.creations.get(row.event), 1, "applied"):
        return "no creation of the spec makes a row like this"
    return None


def _fault_of_conflict(row: JournalRow, lifecycle: LifecycleTable, position: _Position) -> str | None:
    if (row.source, row.revision) != position:
        return f"it contradicts a row that is at {_described(position)}"
    if lifecycle.cells.get((position[0], row.event)) != "conflict":
        return "the spec sees no contradiction here"
    if row.target not in {target for (_, event), target in lifecycle.targets.items() if event == row.event}:
        return "the event leads nowhere near"
    return None


def _fault_of_transition(row: JournalRow, position: _Position) -> str | None:
    state, revision = position
    if row.source != state:
        return f"it starts from {row.source}, but the row is {state}"
    if row.revision != revision + 1:
        return f"revision {row.revision} follows revision {revision}"
    target = moves(row.entity, state).get(row.event)
    if target is None:
        return f"the spec does not allow it in {state}"
    if row.target != target:
        return f"it leads to {row.target}; by the spec to {target}"
    return None


def _difference(is_now: _Position, was_left: _Position | None) -> str | None:
    if was_left is None:
        return f"the row is at {_described(is_now)}, and the journal does not know it"
    if is_now != was_left:
        return f"the row is at {_described(is_now)}; its journal ends at {_described(was_left)}"
    return None


def _misfit(lifecycle: LifecycleTable, row: Mapping[str, Any]) -> str | None:
    try:
        lifecycle.read(row)
    except ValueError as fault:
        return f"the row does not fit its state: {fault}"
    return None


def _stray(tie: Tie, follower: FollowerRow | None) -> str | None:
    """Return why a follower is not where it is to be, or None."""
    if follower is None:
        return "there is no such row"
    missed = [] if tie.optional else tie.transitions(follower)
    return f"it is {follower.state} and has not followed by {' or '.join(missed)}" if missed else None


def _described(position: _Position) -> str:
    state, revision = position
    return f"{state}, revision {revision}"
