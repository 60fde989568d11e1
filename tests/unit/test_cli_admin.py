"""The commands of an operator: what they print, and with which exit code they end."""

import contextlib
import json
import sqlite3
from pathlib import Path

import pytest

from codex_control_plane_mcp.cli.__main__ import main
from codex_control_plane_mcp.store import Fence, Store
from codex_control_plane_mcp.testing.sample_rows import SampleRows


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A state file with one cancelled task."""
    path = tmp_path / "state" / "state.sqlite"
    with Store.open(path) as store:
        SampleRows(store, Fence("nobody", 0)).row("operation", "cancelled")
    return path


def forge(path: Path) -> None:
    """Add a journal row that the spec forbids."""
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO journal (entity, entity_id, revision, event, source, target, outcome, at, actor, "
            "actor_id, evidence) SELECT entity, entity_id, 3, 'claim', 'cancelled', 'starting_app_server', "
            "'applied', 0, 'worker', 'intruder', 'none' FROM journal LIMIT 1"
        )


def test_a_file_that_conforms(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said how much was looked at, and the exit code is 0."""
    assert main(["conform", "--state-db", str(path)]) == 0
    assert capsys.readouterr().out == (
        f"{path} conforms.\n2 changes of 1 rows: the spec (contract 1) allows each.\n"
    )


@pytest.mark.spoils_state
def test_a_row_that_the_spec_forbids_is_named(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Entity, sequence, event, source and target are named, what is wrong, what is allowed; exit code 1."""
    forge(path)
    assert main(["conform", "--state-db", str(path)]) == 1
    out = capsys.readouterr().out
    assert "  operation operation_id-1\n" in out
    assert "  journal row 3: claim, cancelled → starting_app_server\n" in out
    assert "  At fault: the spec does not allow it in cancelled.\n" in out
    assert "  The spec allows here: nothing.\n" in out


@pytest.mark.spoils_state
def test_a_violation_as_json(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A program reads the same."""
    forge(path)
    assert main(["conform", "--state-db", str(path), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["conforms"] is False
    assert found["violation"] | {"fault": ""} == {
        "entity": "operation",
        "entityId": "operation_id-1",
        "fault": "",
        "allowed": {},
        "sequence": 3,
        "event": "claim",
        "source": "cancelled",
        "target": "starting_app_server",
        "outcome": "applied",
        "revision": 3,
        "actor": "worker",
        "actorId": "intruder",
        "evidence": "none",
    }


def test_the_state_file_of_the_settings_is_found(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without --state-db it is the file that a server would use."""
    monkeypatch.setenv("CODEX_MCP_STATE_DB", str(path))
    assert main(["conform", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["stateDb"] == str(path)


def test_a_missing_file_is_told_and_not_created(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A command that cannot read the file says so and ends with 2."""
    path = tmp_path / "state.sqlite.bak"
    assert main(["conform", "--state-db", str(path)]) == 2
    assert "There is no state file" in capsys.readouterr().err
    assert not path.exists()


def test_invalid_settings_are_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message names the variable, as a server's does."""
    monkeypatch.setenv("CODEX_MCP_STATE_DB", "relative/state.sqlite")
    assert main(["conform"]) == 2
    assert "CODEX_MCP_STATE_DB" in capsys.readouterr().err
