"""Faults of the worker's own, as clients see them: said, bounded, and never the loss of a turn."""

from typing import Any

import pytest

from codex_control_plane_contract.errors import InternalError
from codex_control_plane_contract.lifecycles import operation
from codex_control_plane_mcp.store import Reader, Transaction
from codex_control_plane_mcp.testing.played_worker import FAULT, PlayedWorker
from codex_control_plane_mcp.testing.tool_caller import ToolCaller
from codex_control_plane_mcp.worker.requeueing import recover
from codex_control_plane_mcp.worker.unexpected import note_fault

INCIDENT = InternalError("A fault of ours, logged as inc_1. It is tried again.", incidentId="inc_1")


def status(client: ToolCaller, operation_id: str) -> dict[str, Any]:
    """Read the status of a task."""
    return client.call("codex_get_operation_status", operation_id=operation_id)


def meet_fault(worker: PlayedWorker, operation_id: str) -> None:
    """Let the work on a task meet a fault that nobody expected."""
    worker.change(lambda tx, reader: note_fault(tx, reader, operation_id, INCIDENT, retry_ms=1000))


def hand_over(worker: PlayedWorker, operation_id: str) -> None:
    """Bring a claimed task to where its prompt is about to be sent."""

    def work(transaction: Transaction, reader: Reader) -> None:
        row = reader.operation(operation_id)
        assert isinstance(row, operation.StartingAppServer)
        opened = transaction.apply(row.open_thread(app_server_generation=1))
        transaction.apply(opened.open_turn(thread_id="thread-1"), evidence="reply")

    worker.change(work)


def never_sent(worker: PlayedWorker, operation_id: str) -> None:
    """Let reconciliation find that the prompt of a task was never sent."""

    def work(transaction: Transaction, reader: Reader) -> None:
        row = reader.operation(operation_id)
        assert isinstance(row, operation.StartingTurn)
        recover(transaction, reader, row, evidence="its prompt was never sent")

    worker.change(work)


def test_a_fault_before_the_prompt_is_shown_and_tried_again(
    client: ToolCaller, task: str, worker: PlayedWorker
) -> None:
    """Later each time; at the fifth in a row the task fails with the incident to look up."""
    pauses: list[str] = []
    for number in range(1, 5):
        worker.claim(task)
        meet_fault(worker, task)
        shown = status(client, task)
        assert (shown["status"], shown["lastError"]["code"]) == ("queued", "INTERNAL_ERROR")
        assert shown["lastError"]["details"] == {"incidentId": "inc_1", "faults": number}
        pauses.append(shown["nextAttemptAt"])
    assert pauses == sorted(pauses)
    worker.claim(task)
    meet_fault(worker, task)
    shown = status(client, task)
    assert (shown["status"], shown["nextRecommendedAction"]) == ("failed", "inspect_diagnostics")
    assert shown["lastError"]["details"]["incidentId"] == "inc_1"


def test_another_fault_begins_the_count_anew(client: ToolCaller, task: str, worker: PlayedWorker) -> None:
    """Only faults in a row tell that it would not end."""
    for _ in range(4):
        worker.claim(task)
        meet_fault(worker, task)
    worker.claim(task)
    worker.put_back(task, next_attempt_at=None, error=FAULT)
    worker.claim(task)
    meet_fault(worker, task)
    shown = status(client, task)
    assert (shown["status"], shown["lastError"]["details"]["faults"]) == ("queued", 1)


def test_a_turn_is_never_given_up_for_a_fault_of_ours(
    client: ToolCaller, running: str, worker: PlayedWorker
) -> None:
    """Codex works on, whatever the worker meets; the status says what keeps it from being looked after."""
    for _ in range(9):
        meet_fault(worker, running)
    shown = status(client, running)
    assert (shown["status"], shown["lastError"]["code"]) == ("running", "INTERNAL_ERROR")
    assert shown["lastError"]["details"]["incidentId"] == "inc_1"
    worker.complete(running, "Done.")
    shown = status(client, running)
    assert (shown["status"], "lastError" in shown) == ("completed", False)


def test_a_prompt_that_may_have_been_sent_is_looked_up_first(
    client: ToolCaller, task: str, worker: PlayedWorker
) -> None:
    """Nothing but Codex's history puts such a task back; it fails once that was so five times in a row."""
    for number in range(1, 6):
        worker.claim(task)
        hand_over(worker, task)
        meet_fault(worker, task)
        shown = status(client, task)
        assert (shown["status"], shown["lastError"]["details"]["faults"]) == ("starting_turn", number)
        never_sent(worker, task)
    assert status(client, task)["status"] == "failed"


@pytest.mark.parametrize("faults", [1, 5])
def test_a_task_that_somebody_wants_stopped_is_stopped(
    client: ToolCaller, task: str, worker: PlayedWorker, faults: int
) -> None:
    """Whatever else it has met."""
    for _ in range(faults - 1):
        worker.claim(task)
        meet_fault(worker, task)
    worker.claim(task)
    client.on_summon = lambda: meet_fault(worker, task)
    answer = client.call("codex_interrupt_turn", operation_id=task)
    assert answer["status"] == "cancelled"


def test_a_task_that_has_ended_is_left_alone(client: ToolCaller, running: str, worker: PlayedWorker) -> None:
    """A fault on the way out changes nothing."""
    worker.complete(running, "Done.")
    meet_fault(worker, running)
    assert "lastError" not in status(client, running)
