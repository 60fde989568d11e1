"""Goals of workflows in the tools: what fits together, what makes another request, and how they are shown."""

from pathlib import Path
from typing import Any

import pytest

from codex_control_plane_mcp.testing.played_worker import PlayedWorker
from codex_control_plane_mcp.testing.tool_caller import ToolCaller

OBJECTIVE = "The cart uses the new API everywhere."


def start(client: ToolCaller, root: Path, **more: Any) -> dict[str, Any]:
    """Start a workflow with a key."""
    arguments = {"project_id": str(root), "message": "Move the cart.", "client_request_id": "key-1", **more}
    return client.call("codex_start_plan_workflow", **arguments)


def thread_goal(client: ToolCaller, workflow_id: str, **more: Any) -> dict[str, Any]:
    """Return the goal of a workflow as a client sees it."""
    status = client.call("codex_get_workflow_status", workflow_id=workflow_id, **more)
    goal: dict[str, Any] = status["threadGoal"]
    return goal


def test_a_workflow_without_a_goal_says_so(client: ToolCaller, root: Path) -> None:
    """In three words; nobody has to look for what is not there."""
    goal = thread_goal(client, start(client, root)["workflowId"])
    assert goal == {"configured": False, "managed": False, "syncState": "not_configured"}


def test_a_goal_waits_for_its_thread(client: ToolCaller, root: Path) -> None:
    """It is stored with the workflow, and the worker writes it."""
    started = start(client, root, goal=OBJECTIVE, goal_token_budget=5000)
    assert thread_goal(client, started["workflowId"]) == {
        "configured": True,
        "managed": True,
        "syncState": "pending_thread",
        "completionAction": "clear",
        "desiredObjective": OBJECTIVE,
        "tokenBudget": 5000,
        "liveRefreshPerformed": False,
    }


def test_the_goal_is_part_of_the_request(client: ToolCaller, root: Path) -> None:
    """The same key with another goal is another request."""
    first = start(client, root, goal=OBJECTIVE)
    assert start(client, root, goal=OBJECTIVE)["workflowId"] == first["workflowId"]
    assert start(client, root, goal="Another.")["error"]["code"] == "IDEMPOTENCY_CONFLICT"
    assert start(client, root)["error"]["code"] == "IDEMPOTENCY_CONFLICT"


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"goal_token_budget": 5}, "goal_token_budget"),
        ({"goal_completion_action": "leave"}, "goal_completion_action"),
        ({"goal_completion_objective": "Done."}, "goal_completion_objective"),
        ({"goal": OBJECTIVE, "goal_completion_objective": "Done."}, "goal_completion_objective"),
        ({"goal": " \n"}, "goal"),
        ({"goal": "a\0b"}, "goal"),
        ({"goal": "x" * 20_001}, "goal"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    client: ToolCaller, root: Path, more: dict[str, Any], path: str
) -> None:
    """The error names the argument, and nothing is stored."""
    error = start(client, root, **more)["error"]
    assert (error["code"], error["details"]["path"]) == ("INVALID_ARGUMENT", path)


def test_a_goal_longer_than_codex_keeps_is_taken_with_a_warning(client: ToolCaller, root: Path) -> None:
    """The caller hears it at once, and not from the thread."""
    (warning,) = start(client, root, goal="x" * 4001)["warnings"]
    assert "4,000" in warning


def test_a_long_goal_is_cut_off_in_a_status(client: ToolCaller, root: Path) -> None:
    """As every text is."""
    started = start(client, root, goal="x" * 4000)
    goal = thread_goal(client, started["workflowId"], message_max_chars=500)
    assert len(goal["desiredObjective"]) == 500


def test_an_ended_workflow_is_waited_for_until_its_goal_has_ended(
    client: ToolCaller, root: Path, worker: PlayedWorker
) -> None:
    """The goal is taken off after the end; who waits hears of it, and who comes later does not wait."""
    started = start(client, root, goal=OBJECTIVE)
    client.call("codex_interrupt_turn", workflow_id=started["workflowId"])
    worker.drop_threadless_goals()
    answer = client.call("codex_get_workflow_status", workflow_id=started["workflowId"], wait_seconds=45)
    assert answer["threadGoal"]["syncState"] == "cleared"
    assert "clearedAt" in answer["threadGoal"]
