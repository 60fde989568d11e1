"""The replay finds whatever the spec forbids, so that a store which passes it may be trusted."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

from codex_control_plane_contract.errors import CodexStateUnusable
from codex_control_plane_contract.records import INSERT_JOURNAL
from codex_control_plane_mcp.store import Fence, Store
from codex_control_plane_mcp.store.conformance import (
    Conformance,
    first_violation,
    moves,
    replay,
)
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
        "evidence": "hearsay",
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
        ({"target": "failed"}, "does not allow it in cancelled"),
        ({"evidence": ""}, "no evidence; the spec asks for a refusal"),
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
        ({"outcome": "conflict", "revision": 3}, "contradicts a row that is at cancelled, revision 2"),
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
        (
            "UPDATE operation SET revision = 3",
            "the row is at cancelled, revision 3; its journal ends at cancelled, revision 2",
        ),
        ("UPDATE operation SET state = 'queued', completed_at = NULL", "the row is at queued, revision 2"),
        ("DELETE FROM journal WHERE sequence = 2", "its journal ends at queued, revision 1"),
        ("DELETE FROM journal", "the journal does not know it"),
    ],
)
def test_a_row_that_its_journal_does_not_tell(cancelled: Path, statement: str, fault: str) -> None:
    """A row that was changed past the journal is found."""
    spoil(cancelled, statement)
    violation = first_violation(cancelled)
    assert violation is not None
    assert fault in violation.fault
    assert violation.row is None


def test_a_row_that_does_not_fit_its_state(cancelled: Path) -> None:
    """A row without what its state requires is found, though its state is the right one."""
    spoil(cancelled, "PRAGMA ignore_check_constraints = ON", "UPDATE operation SET completed_at = NULL")
    violation = first_violation(cancelled)
    assert violation is not None
    assert "does not fit its state" in violation.fault
    assert "completed_at" in violation.fault


def test_a_gap_in_the_journal_is_found(cancelled: Path) -> None:
    """A row that was taken out is missed at the one after it."""
    spoil(cancelled, "DELETE FROM journal WHERE sequence = 1")
    violation = first_violation(cancelled)
    assert violation is not None
    assert violation.row is not None
    assert (violation.row.sequence, violation.fault) == (2, "1 journal row(s) before it are missing")


def test_an_end_of_the_journal_that_was_cut_off_is_found(cancelled: Path) -> None:
    """SQLite has counted the rows that were there, even if nothing else remembers them."""
    spoil(cancelled, "DELETE FROM journal", "DELETE FROM operation")
    violation = first_violation(cancelled)
    assert violation is not None
    assert (violation.entity, violation.fault) == ("journal", "2 row(s) after the last one are missing")


def test_a_violation_says_what_the_spec_allows_there(cancelled: Path) -> None:
    """Nothing leaves an ended task; a row that is not there yet may be created."""
    spoil(cancelled)
    spoil(cancelled, entity="attempt", entity_id="att_1", event="void", source="sent", target="void")
    violation = first_violation(cancelled)
    assert violation is not None
    assert violation.allowed == {"prepare": "prepared"}
    assert moves("operation", "cancelled") == {}
    assert moves("attempt", "prepared") == {"send": "sent", "void": "void"}


def test_a_file_in_use_is_replayed_without_a_lock(tmp_path: Path) -> None:
    """A replay neither waits for an open write transaction nor sees it, and the writer commits meanwhile."""
    path = tmp_path / "used" / "state.sqlite"
    with Store.open(path, clock=ManualClock(), busy_seconds=0.0) as store:
        samples = SampleRows(store, Fence("nobody", 0))
        row = samples.row("operation", "queued")

        def commit_meanwhile(done: int, total: int) -> None:
            assert (done, total) == (1, 1)
            samples.apply(samples.change(row, "cancel"))

        assert replay(path, on_change=commit_meanwhile) == Conformance(1, 1, None)
        submission = samples.creation("operation", "submit")
        with store.transaction("test") as (transaction, _):
            transaction.apply(submission)
            assert replay(path) == Conformance(2, 1, None)


@pytest.mark.parametrize("content", [b"", b"no database", None])
def test_what_is_no_state_file_is_told(tmp_path: Path, content: bytes | None) -> None:
    """A file that is empty, foreign or missing is unusable, and stays as it is."""
    path = tmp_path / "tasks.sqlite"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CodexStateUnusable):
        replay(path)
    assert (path.read_bytes() if path.exists() else None) == content


def test_a_file_of_another_schema_is_told(cancelled: Path) -> None:
    """The machines of this program say nothing of rows that another version wrote."""
    spoil(cancelled, "PRAGMA user_version = 99")
    with pytest.raises(CodexStateUnusable, match="has schema 99"):
        replay(cancelled)


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
    assert "the row is gone" in violation.fault
