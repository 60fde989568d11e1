"""The replay finds whatever the spec forbids, so that a store which passes it may be trusted."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

from codex_control_plane_contract.records import INSERT_JOURNAL
from codex_control_plane_mcp.store import Fence, Store
from codex_control_plane_mcp.testing.journal_replay import first_violation
from codex_control_plane_mcp.testing.manual_clock import ManualClock
from codex_control_plane_mcp.testing.sample_rows import SampleRows


@pytest.fixture
def cancelled(tmp_path: Path) -> Path:
    """A state file with one cancelled task, which a test spoils."""
    path = tmp_path / "spoilt" / "tasks.sqlite"
    with Store.open(path, clock=ManualClock()) as store:
        SampleRows(store, Fence("nobody", 0)).row("operation", "cancelled")
    assert first_violation(path) is None
    return path


def spoil(path: Path, *statements: str, **journal: object) -> None:
    """Execute statements without the guards of the schema, then add a row to the journal if one is given."""
    usual = {
        "entity": "operation",
        "entity_id": "operation_id-1",
        "revision": 3,
        "event": "fail",
        "source": "cancelled",
        "target": "failed",
        "outcome": "applied",
        "at": 0,
        "actor": "worker",
        "actor_id": "intruder",
        "fence": None,
        "evidence": None,
        "cause": None,
    }
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        guards = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in guards:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        if journal:
            connection.execute(INSERT_JOURNAL, usual | journal)


@pytest.mark.parametrize(
    ("journal", "fault"),
    [
        ({"entity": "operations"}, "no such lifecycle"),
        ({"actor": "client"}, "client may not raise it"),
        ({"event": "explode"}, "worker may not raise it"),
        ({"cause": 99}, "a cause that comes after it"),
        ({"entity_id": "op_unknown"}, "never created"),
        ({"source": "queued"}, "starts from queued, but the row is cancelled"),
        ({"revision": 4}, "revision 4 follows revision 2"),
        ({"target": "failed"}, "leads to failed; by the spec to None"),
        ({"event": "submit", "source": None, "actor": "client"}, "creates a row that exists"),
        (
            {
                "event": "submit",
                "source": None,
                "actor": "client",
                "entity_id": "op_2",
                "target": "running",
            },
            "no creation",
        ),
        ({"outcome": "conflict", "revision": 3}, "contradicts a row that is at ('cancelled', 2)"),
        (
            {"outcome": "conflict", "revision": 2, "event": "withdraw", "target": "cancelled"},
            "no contradiction",
        ),
        ({"outcome": "conflict", "revision": 2, "target": "running"}, "leads nowhere near"),
    ],
)
def test_a_journal_row_that_the_spec_forbids(cancelled: Path, journal: dict[str, object], fault: str) -> None:
    """The first such row is returned, with the reason."""
    spoil(cancelled, **journal)
    violation = first_violation(cancelled)
    assert violation is not None
    assert fault in violation.fault
    assert violation.row is not None
    assert violation.row.actor_id == "intruder"


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE operation SET revision = 3", "the row is at ('cancelled', 3)"),
        ("UPDATE operation SET state = 'queued', completed_at = NULL", "the row is at ('queued', 2)"),
        ("DELETE FROM journal WHERE sequence = 2", "its journal ends at ('queued', 1)"),
        ("DELETE FROM journal", "its journal ends at None"),
    ],
)
def test_a_row_that_its_journal_does_not_tell(cancelled: Path, statement: str, fault: str) -> None:
    """A row that was changed past the journal is found."""
    spoil(cancelled, statement)
    violation = first_violation(cancelled)
    assert violation is not None
    assert fault in violation.fault
    assert violation.row is None


def test_a_conflict_in_order_is_allowed(cancelled: Path) -> None:
    """A second, different outcome of an ended row is part of a sound journal."""
    spoil(cancelled, outcome="conflict", revision=2)
    assert first_violation(cancelled) is None


def test_an_ended_row_may_be_gone(cancelled: Path) -> None:
    """What has ended may be cleared away; its journal stays."""
    spoil(cancelled, "DELETE FROM operation")
    assert first_violation(cancelled) is None


def test_a_living_row_may_not_be_gone(cancelled: Path) -> None:
    """A task that disappears before its end was lost."""
    spoil(cancelled, "DELETE FROM operation", "DELETE FROM journal WHERE sequence = 2")
    violation = first_violation(cancelled)
    assert violation is not None
    assert "the row is at None" in violation.fault
