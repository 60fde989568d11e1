"""An operator decides what nobody can find out: what is offered, what follows, what the journal says."""

import json
import subprocess
import sys
from dataclasses import replace
from inspect import signature
from pathlib import Path

import pytest

from codex_control_plane_contract.lifecycles import attempt, operation, turn
from codex_control_plane_contract.settings import Settings
from codex_control_plane_mcp.cli.__main__ import main
from codex_control_plane_mcp.doubts import choices_of
from codex_control_plane_mcp.store import Fence, Store
from codex_control_plane_mcp.testing.sample_rows import ERROR, SampleRows
from codex_control_plane_mcp.testing.tool_caller import ToolCaller
from codex_control_plane_mcp.testing.trap import EXIT_CODE
from codex_control_plane_mcp.worker import calls, doubting

ARMED = (sys.executable, "-P", "-m", "codex_control_plane_mcp.testing.armed")
REASON = "the disk with the thread is gone"
OF_ITS_OWN = {"operation_id", "client_request_id", "repeats_operation_id", "thread_id", "ranked_at"}
"""What a task that repeats another one has of its own."""


@pytest.fixture
def path(store: Store) -> Path:
    """The state file."""
    return store.path


def known(store: Store, operation_id: str) -> operation.Operation:
    """Return a task as it is now."""
    with store.read() as reader:
        row = reader.operation(operation_id)
    assert row is not None
    return row


@pytest.fixture
def starting(store: Store, samples: SampleRows, fence: Fence) -> str:
    """A task whose prompt may have reached Codex, which cannot be asked."""
    row = samples.row("operation", "starting_turn")
    assert isinstance(row, operation.StartingTurn)
    with store.transaction("wrk_test", fence) as (transaction, reader):
        sent = calls.record_sent(
            transaction,
            kind="turn_start",
            operation_id=row.operation_id,
            subject_id=row.operation_id,
            worker_id="wrk_test",
            generation=1,
            thread_id=row.thread_id,
        )
        transaction.apply(sent.doubt(error=ERROR))
        doubting.note(transaction, reader, row.operation_id, "another Codex holds the thread")
    return row.operation_id


@pytest.fixture
def running(store: Store, samples: SampleRows, fence: Fence) -> str:
    """A task whose turn cannot be looked up."""
    carried = samples.row("turn", "running")
    assert isinstance(carried, turn.Running)
    with store.transaction("wrk_test", fence) as (transaction, reader):
        row = reader.operation(carried.operation_id)
        assert isinstance(row, operation.Queued)
        claimed = transaction.apply(row.claim(worker_id="wrk_test"))
        opening = transaction.apply(claimed.open_thread(app_server_generation=1))
        ready = transaction.apply(opening.open_turn(thread_id=carried.thread_id), evidence="a reply")
        transaction.apply(ready.run(turn_id=carried.turn_id), evidence="a reply")
        doubting.note(transaction, reader, row.operation_id, "another Codex holds the thread")
    return carried.operation_id


def resolve(path: Path, *arguments: str) -> int:
    """Run the command on a state file."""
    return main(["resolve", *arguments, "--state-db", str(path), "--reason", REASON])


def decided_by(store: Store, event: str) -> list[tuple[str, str | None]]:
    """Return actor and evidence of each journal row of an event."""
    with store.read() as reader:
        return [(row.actor, row.evidence) for row in reader.journal(limit=1000) if row.event == event]


def test_nothing_unresolved(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A store without doubts says so, with exit code 0."""
    assert main(["resolve", "--state-db", str(path)]) == 0
    assert capsys.readouterr().out == "Nothing is unresolved.\n"


def test_a_doubt_is_listed(path: Path, starting: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said which evidence is missing and what may be decided; exit code 1."""
    assert main(["resolve", "--state-db", str(path), "--json"]) == 1
    (listed,) = json.loads(capsys.readouterr().out)["unresolved"]
    assert (listed["operationId"], listed["message"]) == (starting, "another Codex holds the thread")
    assert listed["missingEvidence"].startswith("whether Codex took the prompt; missing is thread/turns/list")
    assert listed["resolveChoices"] == ["declare_lost", "declare_never_received"]
    assert main(["resolve", "--state-db", str(path)]) == 1
    assert "choices  declare_lost, declare_never_received" in capsys.readouterr().out


def test_a_prompt_that_was_never_received_is_queued_again(store: Store, path: Path, starting: str) -> None:
    """Its call is void by the operator's word, so that the next claim may send it."""
    assert resolve(path, starting, "declare_never_received") == 0
    row = known(store, starting)
    assert isinstance(row, operation.Queued)
    assert row.last_error is None
    with store.read() as reader:
        (calling,) = reader.attempts_of(starting, "turn_start")
    assert isinstance(calling, attempt.Void)
    assert calling.evidence == REASON
    assert decided_by(store, "declare_never_received") == [("operator", REASON)]


def test_a_task_that_is_to_be_stopped_is_not_queued_again(
    store: Store, path: Path, starting: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is not offered is refused, with what is; nothing changes."""
    with store.transaction("srv") as (transaction, reader):
        row = reader.operation(starting)
        assert isinstance(row, operation.StartingTurn)
        transaction.apply(row.request_interrupt())
    assert resolve(path, starting, "declare_never_received") == 1
    assert "offers declare_lost; declare_never_received is not offered" in capsys.readouterr().err
    assert known(store, starting).state == "starting_turn"


def test_a_lost_start_can_be_submitted_again_once(
    store: Store, path: Path, starting: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The old task ends unknown and stays so; the new one has its request, a new thread, and names it."""
    assert resolve(path, starting, "declare_lost") == 0
    lost = known(store, starting)
    assert isinstance(lost, operation.UnknownAfterAppServerExit)
    assert lost.last_error is not None
    assert lost.last_error["details"]["resolveChoices"] == ["submit_again"]
    assert resolve(path, starting, "submit_again") == 0
    with store.read() as reader:
        again = reader.replacement_of(starting)
    assert isinstance(again, operation.Queued)
    assert (again.message, again.thread_id) == (lost.message, None)
    assert known(store, starting) == lost
    assert decided_by(store, "submit_again") == [("operator", REASON)]
    assert resolve(path, starting, "submit_again") == 1
    assert f"was submitted again, as {again.operation_id}" in capsys.readouterr().err
    assert main(["resolve", "--state-db", str(path)]) == 0


def test_a_request_is_submitted_again_whole(store: Store, samples: SampleRows) -> None:
    """Everything that a task is submitted with stands in the new one, also its images and the schema."""
    creation = samples.creation("operation", "submit")
    asked = {"input_items": '[{"type":"image"}]', "output_schema": '{"type":"object"}', "prompt_hash": "abc"}
    original = samples.apply(replace(creation, parameters={**creation.parameters, **asked}))
    assert isinstance(original, operation.Queued)
    assert original.input_items == [{"type": "image"}]
    with store.transaction("operator") as (transaction, _):
        repeated = operation.submit_again(
            original, operation_id="op_again", ranked_at=1, replaces_operation_id=original.operation_id
        )
        again = transaction.apply(repeated, evidence=REASON)
    names = signature(operation.submit).parameters.keys() - OF_ITS_OWN
    assert {name: getattr(again, name) for name in names} == {name: getattr(original, name) for name in names}


def test_a_turn_that_is_declared_lost_ends_with_its_task(store: Store, path: Path, running: str) -> None:
    """The turn says that an operator ended it."""
    assert resolve(path, running, "declare_lost") == 0
    row = known(store, running)
    assert isinstance(row, operation.UnknownAfterAppServerExit)
    assert row.turn_id is not None
    with store.read() as reader:
        carried = reader.turn(row.turn_id)
    assert isinstance(carried, turn.UnknownAfterAppServerExit)
    assert carried.terminal_source == "operator"


def test_a_dry_run_changes_nothing(
    store: Store, path: Path, starting: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says what would follow."""
    before = known(store, starting)
    assert resolve(path, starting, "declare_lost", "--dry-run") == 0
    assert f"{starting} would be unknown_after_app_server_exit." in capsys.readouterr().out
    assert known(store, starting) == before


@pytest.mark.parametrize(
    ("point", "state"),
    [
        ("attempt.void.written", "starting_turn"),
        ("operation.declare_never_received.before_commit", "starting_turn"),
        ("operation.declare_never_received.committed", "queued"),
        ("operation.declare_never_received.reply_lost", "queued"),
    ],
)
def test_a_command_that_is_killed_has_decided_or_has_not(
    store: Store, starting: str, point: str, state: str, tmp_path: Path
) -> None:
    """Task and call move together or not at all, and what was not decided can be decided again."""
    command = [*ARMED, point, "exit", str(tmp_path / "wire"), "admin", "resolve", starting]
    command += ["declare_never_received", "--state-db", str(store.path)]
    assert subprocess.run(command, check=False).returncode == EXIT_CODE
    with store.read() as reader:
        (calling,) = reader.attempts_of(starting, "turn_start")
    assert (known(store, starting).state, calling.state == "void") == (state, state == "queued")
    assert resolve(store.path, starting, "declare_never_received") == (1 if state == "queued" else 0)


@pytest.mark.parametrize("operation_id", ["op_unknown", None])
def test_what_is_not_in_doubt_is_not_decided(
    path: Path, samples: SampleRows, operation_id: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """A task that does not exist or goes its way is left alone."""
    operation_id = operation_id or samples.row("operation", "running").row_id
    assert resolve(path, operation_id, "declare_lost") == 1
    assert operation_id in capsys.readouterr().err


def test_a_task_without_a_choice_is_a_wrong_call(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The choices are named."""
    assert resolve(path, "op_1") == 2
    assert "declare_lost" in capsys.readouterr().err


def test_a_doubt_is_taken_back(store: Store, running: str, fence: Fence) -> None:
    """A task that can be looked up again is in doubt no more."""
    with store.transaction("wrk_test", fence) as (transaction, reader):
        doubting.clear(transaction, reader, running)
    assert choices_of(known(store, running)) == ()


def test_a_prompt_that_was_never_sent_is_no_doubt(store: Store, samples: SampleRows, fence: Fence) -> None:
    """Nothing is written on a task of which nothing is unknown."""
    row = samples.row("operation", "starting_turn")
    with store.transaction("wrk_test", fence) as (transaction, reader):
        doubting.note(transaction, reader, row.row_id, "never mind")
    assert known(store, row.row_id) == row


def test_health_counts_the_doubts(store: Store, path: Path, starting: str) -> None:
    """Clients see that an operator is asked."""
    caller = ToolCaller(Settings(state_db=path))
    found = caller.call("codex_health_summary")["findings"]
    caller.close()
    assert [one["message"] for one in found if one["id"] == "unresolved_operations"] == [
        "What became of 1 task(s) cannot be looked up."
    ]
    assert known(store, starting).state == "starting_turn"
