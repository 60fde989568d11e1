"""Replay of a journal through the lifecycles: does the spec allow everything that ever happened?"""

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from codex_control_plane_contract.records import JournalRow, read_journal
from codex_control_plane_mcp.store.database import connect
from codex_control_plane_mcp.testing.lifecycle_tables import LIFECYCLES, LifecycleTable

_Position = tuple[str, int]
"""The state and the revision of a row."""


@dataclass(frozen=True, slots=True)
class Violation:
    """The first thing that the spec forbids."""

    entity: str
    entity_id: str
    fault: str
    row: JournalRow | None = None
    """The journal row at fault; None where a stored row differs from what its journal says."""


def first_violation(path: Path) -> Violation | None:
    """Return what the spec forbids in the journal and the rows of a state file, or None."""
    with contextlib.closing(connect(path, busy_seconds=10.0)) as connection:
        connection.execute("BEGIN")
        return next(_violations(connection), None)


def _violations(connection: sqlite3.Connection) -> Iterator[Violation]:
    positions: dict[tuple[str, str], _Position] = {}
    for stored in connection.execute("SELECT * FROM journal ORDER BY sequence"):
        row = read_journal(stored)
        entity = (row.entity, row.entity_id)
        fault = _fault(row, positions.get(entity))
        if fault:
            yield Violation(*entity, fault, row)
        if row.outcome == "applied":
            positions[entity] = (row.target, row.revision)
    for lifecycle in LIFECYCLES.values():
        yield from _differences(connection, lifecycle, positions)


def _fault(row: JournalRow, position: _Position | None) -> str | None:
    """Return why the spec forbids this journal row where its subject is at ``position``, or None."""
    lifecycle = LIFECYCLES.get(row.entity)
    if lifecycle is None:
        return "there is no such lifecycle"
    if row.actor not in lifecycle.actors.get(row.event, ()):
        return f"{row.actor} may not raise it"
    if row.cause is not None and row.cause >= row.sequence:
        return "it has a cause that comes after it"
    if row.source is None:
        return _fault_of_creation(row, lifecycle, position)
    if position is None:
        return "it happens to a row that was never created"
    if row.outcome == "conflict":
        return _fault_of_conflict(row, lifecycle, position)
    return _fault_of_transition(row, lifecycle, position)


def _fault_of_creation(row: JournalRow, lifecycle: LifecycleTable, position: _Position | None) -> str | None:
    if position is not None:
        return "it creates a row that exists"
    if (row.target, row.revision, row.outcome) != (lifecycle.creations.get(row.event), 1, "applied"):
        return "no creation of the spec makes a row like this"
    return None


def _fault_of_conflict(row: JournalRow, lifecycle: LifecycleTable, position: _Position) -> str | None:
    if (row.source, row.revision) != position:
        return f"it contradicts a row that is at {position}"
    if lifecycle.cells.get((position[0], row.event)) != "conflict":
        return "the spec sees no contradiction here"
    if row.target not in {target for (_, event), target in lifecycle.targets.items() if event == row.event}:
        return "the event leads nowhere near"
    return None


def _fault_of_transition(row: JournalRow, lifecycle: LifecycleTable, position: _Position) -> str | None:
    state, revision = position
    if row.source != state:
        return f"it starts from {row.source}, but the row is {state}"
    if row.revision != revision + 1:
        return f"revision {row.revision} follows revision {revision}"
    target = lifecycle.targets.get((state, row.event))
    if row.target != target:
        return f"it leads to {row.target}; by the spec to {target}"
    return None


def _differences(
    connection: sqlite3.Connection, lifecycle: LifecycleTable, positions: dict[tuple[str, str], _Position]
) -> Iterator[Violation]:
    """Compare the stored rows with where the journal left them; a row that has ended may be gone."""
    # Names of the emitted schema, not input.
    query = f"SELECT {lifecycle.key} AS id, state, revision FROM {lifecycle.table}"  # noqa: S608
    stored = {row["id"]: (row["state"], row["revision"]) for row in connection.execute(query)}
    journalled = {key: position for (name, key), position in positions.items() if name == lifecycle.name}
    for key in stored.keys() | journalled.keys():
        is_now, was_left = stored.get(key), journalled.get(key)
        gone_in_order = is_now is None and was_left is not None and was_left[0] in lifecycle.ended
        if is_now != was_left and not gone_in_order:
            yield Violation(lifecycle.name, key, f"the row is at {is_now}, its journal ends at {was_left}")
