"""Plan mode in the tools: what fits it, what it makes another request, and how plans are shown."""

from pathlib import Path
from typing import Any

import pytest

from codex_control_plane_contract.values import JsonValue
from codex_control_plane_mcp.testing.played_worker import PlayedWorker
from codex_control_plane_mcp.testing.tool_caller import ToolCaller

PLAN = "# Plan\n\n1. Measure.\n2. Cache."


def submit(client: ToolCaller, root: Path, **more: JsonValue) -> dict[str, Any]:
    """Submit a task with a key."""
    return client.call(
        "codex_submit_task",
        operation_type="start_chat",
        cwd=str(root),
        message="Plan it.",
        client_request_id="key-1",
        **more,
    )


def planned(client: ToolCaller, root: Path, worker: PlayedWorker, *plans: str) -> str:
    """Return a task in plan mode whose turn runs and has proposed these plans."""
    operation_id = str(submit(client, root, collaboration_mode="plan")["operationId"])
    worker.run(operation_id)
    for plan in plans:
        worker.propose(operation_id, plan)
    return operation_id


def test_the_mode_is_part_of_the_request(client: ToolCaller, root: Path) -> None:
    """A key that names a plan names no task that does the work."""
    submit(client, root, collaboration_mode="plan")
    assert submit(client, root)["error"]["code"] == "IDEMPOTENCY_CONFLICT"


def test_the_default_mode_need_not_be_named(client: ToolCaller, root: Path) -> None:
    """With it and without it is the same request."""
    submit(client, root)
    assert submit(client, root, collaboration_mode="default")["idempotent"] is True


@pytest.mark.parametrize(
    "more",
    [
        {"operation_type": "steer_turn", "thread_id": "t", "expected_turn_id": "u", "message": "Stop."},
        {"operation_type": "fork_thread", "source_thread_id": "t"},
    ],
)
def test_what_begins_no_turn_has_no_mode(client: ToolCaller, more: dict[str, JsonValue]) -> None:
    """A turn that runs keeps its mode, and a bare copy has none to run."""
    error = client.call("codex_submit_task", collaboration_mode="plan", **more)["error"]
    assert (error["code"], error["details"]["path"]) == ("INVALID_ARGUMENT", "collaboration_mode")


@pytest.mark.parametrize("tool", ["codex_start_chat", "codex_send_message"])
def test_older_forms_take_the_mode(client: ToolCaller, root: Path, tool: str, worker: PlayedWorker) -> None:
    """They are thin forms of the same task."""
    thread = planned(client, root, worker, PLAN)
    worker.complete(thread)
    where = {"chat_id": "thread-1"} if tool == "codex_send_message" else {"project_id": str(root)}
    answer = client.call(tool, message="And this?", collaboration_mode="plan", **where)
    status = client.call("codex_get_operation_status", operation_id=answer["operationId"])
    assert status["requestSummary"]["collaborationMode"] == "plan"


def test_a_task_shows_the_plan_that_its_turn_proposed_last(
    client: ToolCaller, root: Path, worker: PlayedWorker
) -> None:
    """Whole, with its hash and what it is taken for."""
    operation_id = planned(client, root, worker, "Shall I?", PLAN)
    plan = client.call("codex_get_operation_status", operation_id=operation_id)["latestPlan"]
    assert (plan["markdown"], plan["planQuality"], plan["valid"]) == (PLAN, "valid_plan", True)
    assert "truncated" not in plan


def test_a_turn_lists_its_plans_without_their_text(
    client: ToolCaller, root: Path, worker: PlayedWorker
) -> None:
    """A plan that is proposed again is no second plan; only the last one is shown whole."""
    planned(client, root, worker, "Shall I?", PLAN, PLAN)
    turn = client.call("codex_get_turn_status", turn_id="turn-1")
    assert [each["quality"] for each in turn["plans"]] == ["question", "valid_plan"]
    assert all("markdown" not in each for each in turn["plans"])
    assert turn["latestPlan"]["planHash"] == turn["plans"][-1]["planHash"]


def test_a_long_plan_is_cut_off_and_known_whole(client: ToolCaller, root: Path, worker: PlayedWorker) -> None:
    """The hash and the length are those of the whole."""
    long = PLAN + "\n3. " + "x" * 1000
    operation_id = planned(client, root, worker, long)
    plan = client.call("codex_get_operation_status", operation_id=operation_id, message_max_chars=500)[
        "latestPlan"
    ]
    assert (len(plan["markdown"]), plan["truncated"], plan["originalChars"]) == (500, True, len(long))


def test_a_task_without_a_plan_shows_none(client: ToolCaller, root: Path, worker: PlayedWorker) -> None:
    """Nothing is said of plans to who asked for none."""
    operation_id = planned(client, root, worker)
    assert "latestPlan" not in client.call("codex_get_operation_status", operation_id=operation_id)
    assert "plans" not in client.call("codex_get_turn_status", turn_id="turn-1")
