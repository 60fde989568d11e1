"""Transactions: those that the composition has, and those that a journal holds."""

import contextlib
import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias

from codex_control_plane_codegen.analysis import analyse
from codex_control_plane_codegen.facts import Facts
from codex_control_plane_codegen.model import ComposedRow, Composition
from codex_control_plane_codegen.verification.choices import chosen_views
from codex_control_plane_codegen.verification.verification import verify

REPOSITORY: Final = Path(__file__).parents[2]

Transaction: TypeAlias = frozenset[tuple[str, str]]
"""What one commit does to one task: the rows of the composition and the event of each."""

_COMPACTION: Final = ("action", "compacting", "act_order")
"""Rows of the composition that one view alone has, which CI does not explore."""


def unmodelled(state_file: Path) -> list[str]:
    """Return the transactions of a state file that are no step of the composition, each once."""
    found = set(_recorded(state_file)) - _explored(None)
    if any(row in _COMPACTION for each in found for row, _ in each):
        found -= _explored("compacting")
    if found:
        # Minutes, for the few tasks that asked something and were stopped as well.
        found -= _explored("together")
    return sorted(", ".join(sorted(f"{row}.{event}" for row, event in each)) for each in found)


@cache
def _composition() -> tuple[Facts, Composition]:
    model = analyse(REPOSITORY).model
    assert model.composition is not None
    return Facts(model), model.composition


@cache
def _explored(view: str | None) -> frozenset[Transaction]:
    """Return every transaction of a view, in its least bounds; without one, of the views that CI explores."""
    facts, composition = _composition()
    views = chosen_views(composition, [view] if view else [])
    limits = {bound.name: 0 for bound in composition.bounds} if view else {}
    surveys = verify(facts, composition, views, limits).surveys
    return frozenset(
        frozenset((change.row, change.event) for change in changes)
        for survey in surveys
        for _, changes in survey.found.transactions
    )


def _recorded(state_file: Path) -> list[Transaction]:
    """Return what each commit of a journal did to each task."""
    _, composition = _composition()
    commits: defaultdict[tuple[int, str], set[tuple[str, str]]] = defaultdict(set)
    unknown: set[str] = set()
    with contextlib.closing(sqlite3.connect(f"file:{state_file}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        for entry in connection.execute("SELECT * FROM journal WHERE outcome = 'applied'").fetchall():
            row = _row(connection, entry["entity"], entry["entity_id"])
            part = next((each for each in composition.rows if _is_of(each, entry["entity"], row)), None)
            if part is not None:
                commit = entry["cause"] or entry["sequence"]
                commits[commit, _task(connection, row)].add((part.name, entry["event"]))
            elif entry["entity"] == "thread_action":
                # Of a kind that the composition does not have; then its orders are no part of it either.
                unknown.add(entry["entity_id"])
        twice = _asking_twice(connection)
    return [
        frozenset(changes)
        for (_, task), changes in commits.items()
        if task not in unknown and not (task in twice and _closes_a_question(changes))
    ]


def _closes_a_question(changes: set[tuple[str, str]]) -> bool:
    """Return whether a commit may make a task wait for its other question, which the composition lacks."""
    return any(row == "question" and event != "ask" for row, event in changes)


def _asking_twice(connection: sqlite3.Connection) -> set[str]:
    """Return the tasks of which two questions were open at once; the composition has one at a time."""
    found = connection.execute(
        "SELECT one.operation_id FROM interaction AS one JOIN interaction AS other USING (operation_id) "
        "WHERE one.interaction_id < other.interaction_id "
        "AND (one.resolved_at IS NULL OR other.created_at <= one.resolved_at)"
    )
    return {str(row[0]) for row in found}


def _row(connection: sqlite3.Connection, lifecycle: str, identifier: str) -> Mapping[str, object]:
    found = connection.execute(f"SELECT * FROM {lifecycle} WHERE {lifecycle}_id = ?", (identifier,))  # noqa: S608 -- a name of the spec
    return dict(found.fetchone())


def _is_of(part: ComposedRow, lifecycle: str, row: Mapping[str, object]) -> bool:
    return part.lifecycle == lifecycle and all(row[column] == value for column, value in part.where.items())


def _task(connection: sqlite3.Connection, row: Mapping[str, object]) -> str:
    """Return the task, thread action or goal of a row; an order or a call belongs to that of its subject."""
    for name in ("operation_id", "thread_action_id", "goal_id"):
        if row.get(name) is not None:
            return str(row[name])
    asked = connection.execute(
        "SELECT operation_id FROM interaction WHERE interaction_id = ?", (row["subject_id"],)
    ).fetchone()
    return str(asked["operation_id"] if asked else row["subject_id"])
