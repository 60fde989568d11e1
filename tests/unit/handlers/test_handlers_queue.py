"""The queue as clients see it: what waits, why, what runs, what is taken."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from codex_control_plane_contract.settings import Settings
from codex_control_plane_contract.tools import TOOLS
from codex_control_plane_contract.values import JsonObject, JsonValue
from codex_control_plane_mcp.testing.played_worker import FAULT, PlayedWorker
from codex_control_plane_mcp.testing.tool_caller import ToolCaller

QUEUE = "codex_get_queue_status"
SLOTS = "codex_get_concurrency_status"


def submit(client: ToolCaller, root: Path, **more: JsonValue) -> str:
    """Submit a task that may write anywhere in its project, unless `more` says otherwise; return its id."""
    arguments: JsonObject = {
        "sandbox": "workspace-write",
        "cwd": str(root),
        "message": "Do it.",
        "dedup_policy": "idempotency_only",
        **more,
    }
    answer = client.call("codex_submit_task", operation_type="start_chat", **arguments)
    return cast("str", answer["operationId"])


def status(client: ToolCaller, operation_id: str) -> dict[str, Any]:
    """Return a task as it stands."""
    return client.call("codex_get_operation_status", operation_id=operation_id)


@pytest.mark.parametrize("tool", [QUEUE, SLOTS])
def test_their_examples_are_answered(client: ToolCaller, tool: str) -> None:
    """Every call that the spec shows succeeds, on an empty store too."""
    for example in TOOLS[tool].examples:
        assert client.call(tool, **cast("JsonObject", example["input"]))["ok"]


def test_what_takes_no_slot_stands_apart(client: ToolCaller, worker: PlayedWorker, root: Path) -> None:
    """Words for a running turn and copies of threads are in hand, and hold nobody up."""
    worker.run(submit(client, root))
    fork = client.call("codex_submit_task", operation_type="fork_thread", source_thread_id="thread-1")
    worker.claim(fork["operationId"])
    answer = client.call(QUEUE)
    assert answer["queueSummary"]["auxiliaryOperations"] == 1
    assert answer["queueSummary"]["activeTurnSlots"] == 1
    assert [one["operationId"] for one in answer["auxiliaryOperations"]] == [fork["operationId"]]
    assert fork["operationId"] not in [one["operationId"] for one in answer["runningOperations"]]


def test_the_queue_says_what_waits_and_why(client: ToolCaller, worker: PlayedWorker, root: Path) -> None:
    """Each reason is that of the scheduler, at this moment."""
    running, barred = submit(client, root), submit(client, root, agent_id="ada", priority="high")
    worker.run(running)
    free = submit(client, root, sandbox="read-only")
    answer = client.call(QUEUE)
    assert answer["queueSummary"] == {
        "queued": 2,
        "runningTurnOperations": 1,
        "auxiliaryOperations": 0,
        "activeTurnSlots": 1,
        "blockedByLocks": 1,
    }
    assert answer["queueReasons"] == {"resource_lock_conflict": 1, "waiting_for_worker": 1}
    assert answer["blockedByLocks"] == [barred]
    assert {one["operationId"]: one["queuedReason"] for one in answer["queuedOperations"]} == {
        barred: "resource_lock_conflict",
        free: "waiting_for_worker",
    }
    assert answer["runningOperations"][0]["operationId"] == running
    worker.complete(running)
    assert client.call(QUEUE)["queueReasons"] == {"waiting_for_worker": 2}


def test_the_queue_can_be_asked_for_one_kind(client: ToolCaller, worker: PlayedWorker, root: Path) -> None:
    """Whatever `status` names, and nothing else."""
    ended, failed, running = submit(client, root), submit(client, root), submit(client, root)
    worker.run(ended)
    worker.complete(ended)
    worker.fail(failed, FAULT)
    worker.run(running, thread_id="thread-2", turn_id="turn-2")
    scheduled = submit(client, root)
    worker.claim(scheduled)
    barred, free = submit(client, root), submit(client, root, sandbox="read-only")

    def listed(kind: str) -> list[str]:
        answer = client.call(QUEUE, status=kind)
        rows = [*answer["queuedOperations"], *answer["runningOperations"]]
        return sorted([*answer.get("endedOperations", []), *(row["operationId"] for row in rows)])

    assert listed("completed") == [ended]
    assert listed("failed") == [failed]
    assert listed("running") == [running]
    assert listed("scheduled") == [scheduled]
    assert listed("blocked") == [barred]
    assert listed("queued") == sorted([barred, free])


def test_whoever_waits_for_the_usage_limit_is_in_the_queue(
    client: ToolCaller, worker: PlayedWorker, root: Path
) -> None:
    """It holds no slot, and its reason says what it waits for."""
    task = submit(client, root)
    worker.run(task)
    worker.await_quota(task, FAULT, resumes_at=client.store.clock.now() + 60_000)
    assert client.call(QUEUE)["queueReasons"] == {"waiting_for_quota": 1}
    assert client.call(SLOTS)["counts"]["global"] == 0


def test_slots_and_locks_are_those_of_active_tasks(
    client: ToolCaller, worker: PlayedWorker, root: Path
) -> None:
    """Counted by project, agent and thread; they go with their task."""
    (root / "shop").mkdir()
    task = submit(client, root, agent_id="ada", resource_keys=["src/", "docs"], cwd=str(root / "shop"))
    worker.run(task)
    answer = client.call(SLOTS)
    project = status(client, task)["projectId"]
    assert answer["counts"] == {
        "global": 1,
        "perProject": {project: 1},
        "perAgent": {"ada": 1},
        "perThread": {"thread-1": 1},
    }
    assert [one["path"] for one in answer["resourceLocks"]] == ["docs", "src"]
    assert "resourceLocks" not in client.call(SLOTS, include_locks=False)
    assert status(client, task)["resourceLockState"] == {"locks": ["docs", "src"]}
    assert status(client, task)["slotState"]["claimed"] is True
    worker.complete(task)
    assert client.call(SLOTS)["resourceLocks"] == []
    assert "slotState" not in status(client, task)


def test_a_task_behind_a_lock_is_told_to_wait_for_it(
    client: ToolCaller, worker: PlayedWorker, root: Path
) -> None:
    """What it asked for is shown where it explains the wait."""
    worker.run(submit(client, root))
    waiting = status(client, submit(client, root, agent_id="ada", priority="low", resource_keys=["src"]))
    assert waiting["queueState"] == {
        "queuedReason": "resource_lock_conflict",
        "priority": "low",
        "agentId": "ada",
        "resourceKeys": ["src"],
    }
    assert waiting["nextRecommendedAction"] == "wait_for_resource_lock"
    assert waiting["recommendedPollAfterSeconds"] == 5


def test_limits_are_those_of_the_settings(settings: Settings) -> None:
    """Each by its own name."""
    client = ToolCaller(replace(settings, max_active_turns_per_agent=7, max_app_server_pending_requests=9))
    limits = client.call(SLOTS)["limits"]
    assert limits["perAgent"] == 7
    assert limits["appServerPendingRequests"] == 9


def test_pressure_is_what_the_executing_worker_says(
    client: ToolCaller, worker: PlayedWorker, task: str
) -> None:
    """A server sees nothing of the calls to Codex."""
    worker.report_pressure()
    assert status(client, task)["queueState"]["queuedReason"] == "app_server_backpressure"
    worker.report_relief()
    assert status(client, task)["queueState"]["queuedReason"] == "waiting_for_worker"


def test_a_key_names_its_place_in_the_queue_too(client: ToolCaller, root: Path) -> None:
    """Another agent or other files make it another request; the same paths spelled otherwise do not."""
    first = submit(client, root, client_request_id="k", resource_keys=["src", "docs"])
    assert submit(client, root, client_request_id="k", resource_keys=["docs/", "./src"]) == first
    changes: list[JsonObject] = [{"agent_id": "ada"}, {"priority": "high"}, {"resource_keys": ["src"]}]
    for changed in changes:
        arguments: JsonObject = {"resource_keys": ["src", "docs"], "client_request_id": "k", **changed}
        answer = client.call(
            "codex_submit_task",
            operation_type="start_chat",
            sandbox="workspace-write",
            cwd=str(root),
            message="Do it.",
            **arguments,
        )
        assert answer["error"]["code"] == "IDEMPOTENCY_CONFLICT"


def test_a_path_outside_the_project_is_refused(client: ToolCaller, root: Path) -> None:
    """The answer names the key and says what fits."""
    answer = client.call(
        "codex_submit_task",
        operation_type="start_chat",
        cwd=str(root),
        message="Do it.",
        resource_keys=["src", "../other"],
    )
    assert answer["error"]["code"] == "INVALID_ARGUMENT"
    assert answer["error"]["details"]["path"] == "resource_keys[1]"
