"""The tools that act on a thread as a whole: what is stored, what is refused, what is waited for."""

from pathlib import Path
from typing import cast

import pytest

from codex_control_plane_contract.lifecycles import thread_action
from codex_control_plane_contract.settings import Settings
from codex_control_plane_contract.types import Error
from codex_control_plane_contract.values import JsonValue
from codex_control_plane_mcp.scheduling.schedule import Schedule
from codex_control_plane_mcp.store import Reader, Transaction
from codex_control_plane_mcp.testing.played_worker import PlayedWorker
from codex_control_plane_mcp.testing.tool_caller import ToolCaller

ARCHIVE, UNARCHIVE = "codex_archive_thread", "codex_unarchive_thread"
COMPACT, STATUS = "codex_start_thread_compaction", "codex_get_thread_compaction_status"


@pytest.fixture
def idle(running: str, worker: PlayedWorker) -> str:
    """A thread whose task has completed."""
    worker.complete(running)
    return "thread-1"


def refusal(client: ToolCaller, tool: str, **arguments: JsonValue) -> dict[str, JsonValue]:
    """Return the error of a call that fails."""
    answer = client.call(tool, timeout_seconds=1, **arguments)
    assert not answer["ok"], answer
    error: dict[str, JsonValue] = answer["error"]
    return error


def compact(client: ToolCaller, thread: str) -> str:
    """Ask for a compaction and return its id."""
    action_id: str = client.call(COMPACT, thread_id=thread, timeout_seconds=1)["actionId"]
    return action_id


def end(client: ToolCaller, worker: PlayedWorker, action_id: str) -> None:
    """Let the worker say that an action is done."""

    def work(transaction: Transaction, reader: Reader) -> None:
        row = reader.thread_action(action_id)
        assert isinstance(row, thread_action.Open)
        transaction.apply(row.complete(terminal_evidence="the test"), evidence="the test")

    worker.change(work)
    assert client.call(STATUS, action_id=action_id)["status"] == "completed"


def test_a_wish_is_stored_with_its_order_and_a_worker_summoned(client: ToolCaller, idle: str) -> None:
    """In one transaction, so that neither is ever without the other."""
    action_id = compact(client, idle)
    assert client.summons
    with client.store.read() as reader:
        row = reader.thread_action(action_id)
        assert isinstance(row, thread_action.Starting)
        assert reader.open_command_of(action_id, "act_on_thread") is not None


def test_asking_twice_is_asking_once_until_it_has_ended(
    client: ToolCaller, idle: str, worker: PlayedWorker
) -> None:
    """Afterwards it is another compaction."""
    first = compact(client, idle)
    assert compact(client, idle) == first
    end(client, worker, first)
    assert compact(client, idle) != first


def test_an_end_that_does_not_come_in_time_is_told_as_such(client: ToolCaller, idle: str) -> None:
    """The work goes on, and the error says where to look."""
    error = refusal(client, ARCHIVE, thread_id=idle)
    assert error["code"] == "CODEX_TIMEOUT"
    details = error["details"]
    assert isinstance(details, dict)
    shown = client.call(STATUS, action_id=details["actionId"])
    assert (shown["kind"], shown["status"], shown["pollRecommended"]) == ("archive", "starting", True)


@pytest.mark.parametrize("tool", [ARCHIVE, UNARCHIVE, COMPACT])
def test_a_thread_with_a_turn_is_busy(client: ToolCaller, running: str, tool: str) -> None:
    """The error names the task and the reason."""
    error = refusal(client, tool, thread_id="thread-1")
    assert error["code"] == "CODEX_BUSY"
    assert error["details"] == {"threadId": "thread-1", "operationId": running, "reason": "active_turn"}


def test_a_thread_under_another_action_is_busy(client: ToolCaller, idle: str) -> None:
    """One action per thread at a time."""
    action_id = compact(client, idle)
    error = refusal(client, ARCHIVE, thread_id=idle)
    assert error["details"] == {"threadId": idle, "actionId": action_id, "reason": "thread_action"}


def test_a_thread_that_a_task_waits_for_is_not_archived(client: ToolCaller, idle: str) -> None:
    """In the archive the task would fail; a compaction it merely waits for."""
    task = client.call("codex_submit_task", operation_type="send_message", thread_id=idle, message="More.")
    error = refusal(client, ARCHIVE, thread_id=idle)
    assert error["details"] == {
        "threadId": idle,
        "operationId": task["operationId"],
        "reason": "queued_task",
    }
    assert compact(client, idle)


def test_a_thread_whose_plan_waits_is_not_archived(
    client: ToolCaller, worker: PlayedWorker, root: Path
) -> None:
    """Its plan is to be carried out there; a workflow that was dropped lets the thread go."""
    begun = client.call("codex_start_plan_workflow", project_id=str(root), message="Move the cart.")
    worker.run(begun["planOperationId"])
    worker.propose(begun["planOperationId"], "1. Read it.\n2. Move it.")
    worker.complete(begun["planOperationId"])
    error = refusal(client, ARCHIVE, thread_id="thread-1")
    assert (error["code"], error["retryable"]) == ("CODEX_BUSY", True)
    details = cast("dict[str, JsonValue]", error["details"])
    assert (details["workflowId"], details["reason"]) == (begun["workflowId"], "plan_workflow")
    client.call("codex_interrupt_turn", workflow_id=begun["workflowId"])
    assert refusal(client, ARCHIVE, thread_id="thread-1")["code"] == "CODEX_TIMEOUT"


def test_no_turn_starts_on_a_thread_under_an_action(
    client: ToolCaller, idle: str, worker: PlayedWorker
) -> None:
    """The task waits in the queue, says why, and is due as soon as the action has ended."""
    action_id = compact(client, idle)
    task = client.call("codex_submit_task", operation_type="send_message", thread_id=idle, message="More.")
    assert task["queuedReason"] == "thread_slot_limit"
    assert _due(client) is None
    end(client, worker, action_id)
    assert _due(client) == task["operationId"]


def test_a_thread_of_another_project_is_refused(client: ToolCaller, idle: str) -> None:
    """A reference that is wrong is not silently left aside."""
    other = "00000000-0000-5000-8000-000000000000"
    error = refusal(client, ARCHIVE, thread_id=idle, project_id=other)
    assert error["code"] == "CODEX_PROJECT_NOT_FOUND"


@pytest.mark.parametrize("tool", [ARCHIVE, COMPACT])
def test_an_action_that_failed_is_the_error_of_the_call(
    client: ToolCaller, idle: str, worker: PlayedWorker, tool: str
) -> None:
    """With the words that Codex had for it."""

    held: Error = {"code": "CODEX_BUSY", "message": "Held.", "details": {"x": 1}, "retryable": True}

    def work(transaction: Transaction, reader: Reader) -> None:
        row = reader.open_thread_action(idle)
        assert row is not None
        transaction.apply(row.fail(last_error=held), by="worker", evidence="Held.")

    client.on_summon = lambda: worker.change(work)
    error = client.call(tool, thread_id=idle, timeout_seconds=20)["error"]
    assert (error["code"], error["message"], error["details"]["x"]) == ("CODEX_BUSY", "Held.", 1)


def test_an_action_that_is_not_on_record_is_refused(client: ToolCaller) -> None:
    """With the place of the mistake."""
    answer = client.call(STATUS, action_id="act_x")
    assert answer["error"]["details"]["path"] == "action_id"


def _due(client: ToolCaller) -> str | None:
    """Return the task that a worker would take now."""
    with client.store.read() as reader:
        row = Schedule(reader, Settings(), now=client.store.clock.now()).next()
    return row.operation_id if row is not None else None
