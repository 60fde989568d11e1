"""codex_repair_issue: a workflow that ended unfinished is begun anew, a few times and never twice at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest

from codex_control_plane_contract.contract import REPAIRS
from codex_control_plane_contract.lifecycles import goal
from codex_control_plane_contract.settings import Settings
from codex_control_plane_mcp.testing.manual_clock import ManualClock
from codex_control_plane_mcp.testing.played_worker import FAULT, PlayedWorker
from codex_control_plane_mcp.testing.tool_caller import ToolCaller

ACTION: Final = "retry_workflow_with_runtime_policy"
WINDOW_MS = REPAIRS[ACTION].window_seconds * 1000


@pytest.fixture
def clock() -> ManualClock:
    """The clock of the store."""
    return ManualClock()


@pytest.fixture
def client(settings: Settings, clock: ManualClock) -> Iterator[ToolCaller]:
    """A client whose days pass as the test says."""
    caller = ToolCaller(settings, clock)
    yield caller
    caller.close()


def start(client: ToolCaller, root: Path, **more: Any) -> dict[str, Any]:
    """Start a workflow; return the acknowledgement."""
    arguments = {"project_id": str(root), "message": "Move the cart to the new API.", **more}
    return client.call("codex_start_plan_workflow", **arguments)


def stop(client: ToolCaller, workflow_id: str) -> str:
    """Take a workflow back whose task waits; return its id."""
    assert client.call("codex_interrupt_turn", workflow_id=workflow_id)["ok"]
    return workflow_id


def retry(client: ToolCaller, workflow_id: str, **more: Any) -> dict[str, Any]:
    """Begin a workflow anew."""
    arguments = {"action": ACTION, "workflow_id": workflow_id, "dry_run": False, **more}
    return client.call("codex_repair_issue", **arguments)


def status(client: ToolCaller, workflow_id: str) -> dict[str, Any]:
    """Read a workflow."""
    return client.call("codex_get_workflow_status", workflow_id=workflow_id)


@pytest.fixture
def stopped(client: ToolCaller, root: Path) -> str:
    """The id of a workflow that was stopped."""
    return stop(client, start(client, root)["workflowId"])


def refusal(answer: dict[str, Any]) -> tuple[str, str]:
    """Return code and path of a refusal."""
    assert answer["ok"] is False, answer
    error = answer["error"]
    return error["code"], error["details"].get("path", "")


def test_the_first_call_only_says_what_would_be_done(client: ToolCaller, stopped: str) -> None:
    """Without dry_run false nothing is stored and nobody is summoned."""
    summons = client.summons
    answer = client.call(
        "codex_repair_issue", action=ACTION, workflow_id=stopped, sandbox="danger-full-access"
    )
    assert (answer["dryRun"], answer["changed"]) == (True, False)
    assert answer["before"] == {
        "workflowId": stopped,
        "phase": "failed",
        "sandbox": "read-only",
        "approvalPolicy": "on-request",
    }
    assert answer["after"] == {
        "phase": "planning",
        "sandbox": "danger-full-access",
        "approvalPolicy": "on-request",
    }
    assert len(answer["remainingIssues"]) == 1
    assert answer["loopGuard"]["attemptCount"] == 0
    assert client.summons == summons
    assert "workflowRetryState" not in status(client, stopped)
    with client.store.read() as reader:
        assert reader.queued_operations(limit=10) == []


def test_a_retry_is_a_workflow_of_its_own(client: ToolCaller, root: Path) -> None:
    """It is the same request under another policy, linked in both directions; the old one stays as it was."""
    first = start(client, root, title="Cart", model="gpt-5", agent_id="anna", resource_keys=["cart"])
    stop(client, first["workflowId"])
    before, summons = status(client, first["workflowId"]), client.summons
    answer = retry(
        client,
        first["workflowId"],
        sandbox="danger-full-access",
        approval_policy="never",
        reason="It may not reach the network.",
        client_request_id="again",
    )
    assert answer["changed"] is True
    assert answer["repairRunId"].startswith("rep_")
    assert answer["remainingIssues"] == []
    assert answer["loopGuard"]["attemptCount"] == 1
    assert client.summons == summons + 1
    result = answer["result"]
    assert (result["phase"], result["clientRequestId"]) == ("planning", "again")
    later = status(client, result["workflowId"])
    state = later["workflowRetryState"]
    assert state["replacesWorkflowId"] == state["retryOfWorkflowId"] == first["workflowId"]
    assert state["retryReason"] == "It may not reach the network."
    replaced = status(client, first["workflowId"])
    assert replaced.pop("workflowRetryState")["replacedByWorkflowId"] == result["workflowId"]
    assert replaced == before
    with client.store.read() as reader:
        (task,) = reader.queued_operations(limit=10)
    assert (task.message, task.title, task.model, task.agent_id, list(task.resource_keys)) == (
        "Move the cart to the new API.",
        "Cart",
        "gpt-5",
        "anna",
        ["cart"],
    )
    assert (task.sandbox, task.approval_policy) == ("danger-full-access", "never")


def test_the_policy_stays_where_no_other_is_given(client: ToolCaller, root: Path) -> None:
    """A plan turn is raised to workspace-write again, and that is said."""
    workflow_id = stop(client, start(client, root, approval_policy="untrusted")["workflowId"])
    answer = retry(client, workflow_id)
    assert (answer["after"]["sandbox"], answer["after"]["approvalPolicy"]) == ("read-only", "untrusted")
    assert answer["result"]["effectiveSandbox"] == "workspace-write"
    assert answer["result"]["runtimePolicyAdjusted"] is True


def test_an_old_word_for_a_policy_is_said(client: ToolCaller, stopped: str) -> None:
    """As at the start of a workflow."""
    answer = retry(client, stopped, approval_policy="on-failure")
    assert answer["after"]["approvalPolicy"] == "on-request"
    assert "on-failure" in answer["warnings"][0]


def test_the_goal_comes_with_it(client: ToolCaller, worker: PlayedWorker, root: Path) -> None:
    """The new workflow keeps the same goal, with the same end."""
    wanted = {
        "goal": "The cart uses the new API.",
        "goal_token_budget": 5000,
        "goal_completion_action": "set_complete",
        "goal_completion_objective": "Moved.",
    }
    workflow_id = stop(client, start(client, root, **wanted)["workflowId"])
    worker.drop_threadless_goals()
    answer = retry(client, workflow_id)
    with client.store.read() as reader:
        kept = reader.goal_of_workflow(answer["result"]["workflowId"])
    assert isinstance(kept, goal.PendingThread)
    assert (kept.objective, kept.token_budget, kept.completion_action, kept.completion_objective) == (
        "The cart uses the new API.",
        5000,
        "set_complete",
        "Moved.",
    )


def test_twice_is_once(client: ToolCaller, stopped: str) -> None:
    """The second call names the same workflow and costs nothing, and so does a dry run after it."""
    first = retry(client, stopped)
    for again in (retry(client, stopped), retry(client, stopped, dry_run=True)):
        assert (again["changed"], "repairRunId" in again) == (False, False)
        assert again["result"]["workflowId"] == first["result"]["workflowId"]
        assert again["result"]["idempotent"] is True
        assert again["loopGuard"]["attemptCount"] == 1


def test_at_once_is_once(client: ToolCaller, stopped: str) -> None:
    """Ten callers begin one workflow."""
    with ThreadPoolExecutor(10) as pool:
        calls = [pool.submit(retry, client, stopped) for _ in range(10)]
    answers = [call.result() for call in calls]
    assert len({answer["result"]["workflowId"] for answer in answers}) == 1
    assert [answer["changed"] for answer in answers].count(True) == 1
    with client.store.read() as reader:
        assert len(reader.queued_operations(limit=10)) == 1


def test_another_policy_is_a_conflict(client: ToolCaller, stopped: str) -> None:
    """It names the workflow that has taken the place."""
    later = retry(client, stopped)["result"]["workflowId"]
    answer = retry(client, stopped, sandbox="danger-full-access")
    assert answer["error"]["code"] == "IDEMPOTENCY_CONFLICT"
    assert answer["error"]["details"]["workflowId"] == later


def test_a_key_of_another_workflow_is_a_conflict(client: ToolCaller, root: Path, stopped: str) -> None:
    """Even if that one asked for the same."""
    other = start(client, root, client_request_id="k", sandbox="read-only", approval_policy="on-request")
    stop(client, other["workflowId"])
    answer = retry(client, stopped, client_request_id="k")
    assert answer["error"]["code"] == "IDEMPOTENCY_CONFLICT"
    assert answer["error"]["details"]["workflowId"] == other["workflowId"]


def test_the_budget_is_for_the_whole_row(client: ToolCaller, clock: ManualClock, stopped: str) -> None:
    """Two retries in a day, whichever of them is retried; then none until the first is a day old."""
    second = retry(client, stopped)["result"]["workflowId"]
    clock.advance(1000)
    third = retry(client, stop(client, second))["result"]["workflowId"]
    stop(client, third)
    shown = retry(client, third, dry_run=True)["loopGuard"]
    assert (shown["allowed"], shown["attemptCount"], shown["scopeId"]) == (False, 2, stopped)
    answer = retry(client, third)
    assert refusal(answer) == ("INVALID_ARGUMENT", "action")
    guard = answer["error"]["details"]["loopGuard"]
    assert guard == shown
    assert guard["cooldownUntil"] in answer["error"]["message"]
    clock.advance(WINDOW_MS - 1001)
    assert refusal(retry(client, third)) == ("INVALID_ARGUMENT", "action")
    clock.advance(1)
    assert retry(client, third)["changed"] is True
    assert status(client, third)["workflowRetryState"]["retryOfWorkflowId"] == stopped


def test_only_what_ended_unfinished_is_begun_anew(
    client: ToolCaller, worker: PlayedWorker, root: Path
) -> None:
    """A workflow that goes on is to be stopped first, and a completed one is done."""
    started = start(client, root)
    assert refusal(retry(client, started["workflowId"])) == ("INVALID_ARGUMENT", "workflow_id")
    worker.run(started["planOperationId"])
    worker.propose(started["planOperationId"], "1. Read.\n2. Write.")
    worker.complete(started["planOperationId"])
    assert refusal(retry(client, started["workflowId"])) == ("INVALID_ARGUMENT", "workflow_id")
    task = client.call("codex_approve_plan", workflow_id=started["workflowId"])["operationId"]
    worker.run(task, turn_id="turn-2")
    worker.complete(task)
    answer = retry(client, started["workflowId"])
    assert refusal(answer) == ("INVALID_ARGUMENT", "workflow_id")
    assert "completed" in answer["error"]["message"]


def test_a_failed_execution_is_planned_again(client: ToolCaller, worker: PlayedWorker, root: Path) -> None:
    """What it has changed is part of what the new plan finds."""
    started = start(client, root)
    worker.run(started["planOperationId"])
    worker.propose(started["planOperationId"], "1. Read.\n2. Write.")
    worker.complete(started["planOperationId"])
    task = client.call("codex_approve_plan", workflow_id=started["workflowId"])["operationId"]
    worker.claim(task)
    worker.fail(task, FAULT)
    assert status(client, started["workflowId"])["phase"] == "failed"
    answer = retry(client, started["workflowId"])
    assert answer["result"]["phase"] == "planning"
    assert "planHash" not in answer["result"]


def test_a_workflow_must_be_named(client: ToolCaller, root: Path) -> None:
    """One that exists, and that has a plan."""
    assert refusal(client.call("codex_repair_issue", action=ACTION)) == ("INVALID_ARGUMENT", "workflow_id")
    assert refusal(retry(client, "wf_unknown"))[0] == "CODEX_WORKFLOW_NOT_FOUND"
    review = client.call(
        "codex_start_review_workflow", project_id=str(root), target_type="custom", instructions="Look."
    )
    answer = retry(client, review["workflowId"])
    assert refusal(answer) == ("INVALID_ARGUMENT", "workflow_id")
    assert "codex_start_review_workflow" in answer["error"]["message"]


@pytest.mark.parametrize("dry_run", [True, False])
def test_every_check_of_a_new_request_is_made(
    client: ToolCaller, root: Path, stopped: str, *, dry_run: bool
) -> None:
    """A prompt like it that is active stands in the way, also of a dry run."""
    start(client, root)
    answer = retry(client, stopped, dry_run=dry_run)
    assert refusal(answer)[0] == "CODEX_DUPLICATE_PROMPT_ACTIVE"


def test_an_unknown_action_is_named(client: ToolCaller) -> None:
    """With those that are known."""
    answer = client.call("codex_repair_issue", action="retry_workflow")
    assert refusal(answer) == ("INVALID_ARGUMENT", "action")
    assert ACTION in str(answer["error"])
