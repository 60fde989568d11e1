"""Tasks between two turns: waiting for quota or queued again, as clients see and stop them."""

from pathlib import Path

import pytest

from codex_control_plane_contract.lifecycles import operation
from codex_control_plane_contract.types import Error
from codex_control_plane_contract.values import JsonValue
from codex_control_plane_mcp.testing.played_worker import PlayedWorker
from codex_control_plane_mcp.testing.tool_caller import ToolCaller

LIMIT: Error = {
    "code": "CODEX_SEND_FAILED",
    "message": "You have hit your usage limit.",
    "details": {"codexErrorInfo": "usageLimitExceeded"},
    "retryable": False,
}


@pytest.fixture
def waiting(client: ToolCaller, running: str, worker: PlayedWorker) -> str:
    """The id of a task that waits for quota for 90 seconds."""
    worker.await_quota(running, LIMIT, resumes_at=client.store.clock.now() + 90_000, retries=2)
    return running


def test_a_task_that_waits_for_quota_says_until_when(client: ToolCaller, waiting: str) -> None:
    """Looking again pays at the reset; the turn that met the limit is named."""
    answer = client.call("codex_get_operation_status", operation_id=waiting)
    assert (answer["status"], answer["phase"]) == ("waiting_for_quota", "waiting")
    assert answer["nextRecommendedAction"] == "wait_for_quota"
    assert 85 <= answer["recommendedPollAfterSeconds"] <= 90
    assert "turnId" not in answer
    assert answer["lastError"]["details"] == {"codexErrorInfo": "usageLimitExceeded"}
    assert answer["continuationState"] == {
        "recoveryPolicy": "report",
        "maxContinuations": 1,
        "continuationCount": 0,
        "quotaRetryCount": 2,
        "earlierTurnIds": ["turn-1"],
    }


def test_health_says_when_the_first_task_goes_on(client: ToolCaller, waiting: str) -> None:
    """Work cannot run meanwhile, so it is not healthy."""
    status = client.call("codex_get_operation_status", operation_id=waiting)
    answer = client.call("codex_health_summary")
    assert (answer["overallStatus"], answer["activeWork"]["waitingForQuotaCount"]) == ("degraded", 1)
    [found] = answer["findings"]
    assert found["id"] == "usage_limit"
    assert status["resumesAt"] in found["message"]


@pytest.mark.parametrize(
    "named", [{}, {"thread_id": "thread-1", "turn_id": "turn-1"}], ids=["by its id", "by its last turn"]
)
def test_a_task_that_waits_for_quota_is_interrupted(
    client: ToolCaller, waiting: str, named: dict[str, JsonValue]
) -> None:
    """Codex has had a turn of it, so it was not cancelled before Codex had it."""
    answer = client.call("codex_interrupt_turn", **(named or {"operation_id": waiting}))
    assert (answer["status"], answer["turnId"]) == ("interrupted", "turn-1")
    assert "resumesAt" not in client.call("codex_get_operation_status", operation_id=waiting)


def test_a_task_that_is_queued_again_is_interrupted(
    client: ToolCaller, waiting: str, worker: PlayedWorker
) -> None:
    """Whether it waits for quota or for a worker makes no difference."""

    worker.change(
        lambda transaction, reader: transaction.apply(
            _waiting(reader.operation(waiting)).replenish(), evidence="the clock"
        )
    )
    queued = client.call("codex_get_operation_status", operation_id=waiting)
    assert (queued["status"], queued["phase"]) == ("queued", "queued")
    assert client.call("codex_interrupt_turn", operation_id=waiting)["status"] == "interrupted"


def test_a_policy_is_shown_before_it_is_needed(client: ToolCaller, root: Path) -> None:
    """A task that would be reported says nothing of it."""
    request: dict[str, JsonValue] = {"operation_type": "start_chat", "cwd": str(root), "message": "Do it."}
    plain = client.call("codex_submit_task", **request)["operationId"]
    kept = client.call(
        "codex_submit_task", **request, recovery_policy="continue", max_continuations=3, force=True
    )
    assert "continuationState" not in client.call("codex_get_operation_status", operation_id=plain)
    shown = client.call("codex_get_operation_status", operation_id=kept["operationId"])["continuationState"]
    assert shown == {"recoveryPolicy": "continue", "maxContinuations": 3, "continuationCount": 0}


@pytest.mark.parametrize("wrong", [0, 11])
def test_continuations_have_bounds(client: ToolCaller, root: Path, wrong: int) -> None:
    """One to ten."""
    answer = client.call(
        "codex_submit_task",
        operation_type="start_chat",
        cwd=str(root),
        message="Do it.",
        recovery_policy="continue",
        max_continuations=wrong,
    )
    assert answer["error"]["code"] == "INVALID_ARGUMENT"


def test_a_bound_without_the_policy_is_refused(client: ToolCaller, root: Path) -> None:
    """It would mean nothing, and the caller something."""
    answer = client.call(
        "codex_submit_task", operation_type="start_chat", cwd=str(root), message="Do it.", max_continuations=2
    )
    assert answer["error"]["code"] == "INVALID_ARGUMENT"
    assert answer["error"]["details"]["path"] == "max_continuations"


def test_another_policy_is_another_request(client: ToolCaller, root: Path) -> None:
    """Continuing may run commands again, so a known key does not change it silently."""
    request: dict[str, JsonValue] = {
        "operation_type": "start_chat",
        "cwd": str(root),
        "message": "Do it.",
        "client_request_id": "k",
    }
    client.call("codex_submit_task", **request)
    answer = client.call("codex_submit_task", **request, recovery_policy="continue")
    assert answer["error"]["code"] == "IDEMPOTENCY_CONFLICT"


def _waiting(row: operation.Operation | None) -> operation.WaitingForQuota:
    assert isinstance(row, operation.WaitingForQuota)
    return row
