"""codex_health_summary: healthy when all is well, and else what is wrong and what to do."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from codex_control_plane_contract.settings import Settings
from codex_control_plane_contract.tools import TOOL_SURFACE_HASH, TOOLS
from codex_control_plane_contract.types import Error
from codex_control_plane_contract.values import JsonObject, JsonValue
from codex_control_plane_mcp.process_identity import ProcessIdentity
from codex_control_plane_mcp.questions import COMMAND
from codex_control_plane_mcp.testing.played_worker import FAULT, PlayedWorker
from codex_control_plane_mcp.testing.tool_caller import ToolCaller
from codex_control_plane_mcp.worker_starts import WorkerStarts

TOOL = "codex_health_summary"
DEAD = ProcessIdentity(2**22 + 1, "never")


def health(client: ToolCaller, **arguments: JsonValue) -> dict[str, Any]:
    """Read the health."""
    answer = client.call(TOOL, **arguments)
    assert answer["ok"] is True
    return answer


def findings(answer: dict[str, Any]) -> dict[str, str]:
    """Return the severity of each finding."""
    return {found["id"]: found["severity"] for found in answer["findings"]}


def submit(client: ToolCaller, root: Path) -> str:
    """Submit a task; return its id."""
    answer = client.call("codex_submit_task", operation_type="start_chat", cwd=str(root), message="Do it.")
    operation_id: str = answer["operationId"]
    return operation_id


def test_a_fresh_correct_install_is_healthy(client: ToolCaller) -> None:
    """Nothing runs yet, and nothing is wrong."""
    answer = health(client)
    assert answer["overallStatus"] == "healthy"
    assert (answer["findings"], answer["recommendedActions"], answer["recentErrors"]) == ([], [], [])
    assert answer["appServer"] == {"status": "unknown"}
    assert answer["nextRecommendedAction"] == "none"


def test_the_version_says_what_speaks_here(client: ToolCaller) -> None:
    """Contract, program and tools."""
    version = health(client)["version"]
    assert version["serverName"] == "codex-control-plane-mcp"
    assert version["toolSurfaceHash"] == TOOL_SURFACE_HASH
    assert version["stableToolCount"] + version["compatibilityToolCount"] == len(TOOLS)


def test_without_roots_nothing_can_run(settings: Settings) -> None:
    """The finding says which setting is missing."""
    answer = health(ToolCaller(replace(settings, allowed_roots=())))
    assert findings(answer) == {"allowed_roots": "degraded"}
    assert answer["overallStatus"] == "degraded"
    assert "CODEX_ALLOWED_ROOTS" in answer["recommendedActions"][0]
    assert answer["nextRecommendedAction"] == "inspect_worker_health"


def test_the_executing_worker_is_marked(client: ToolCaller, worker: PlayedWorker) -> None:
    """By the lease, and by its process."""
    [shown] = health(client)["workers"]
    assert (shown["workerId"], shown["status"], shown["executor"]) == (worker.worker_id, "executing", True)
    assert shown["heartbeatAgeSeconds"] < 60


def test_a_dead_holder_of_the_lease_executes_nothing(client: ToolCaller) -> None:
    """It is shown as lost."""
    PlayedWorker(client.store, DEAD)
    [shown] = health(client)["workers"]
    assert (shown["status"], shown["executor"]) == ("lost", False)


def test_the_app_server_is_shown_as_last_seen(client: ToolCaller, worker: PlayedWorker) -> None:
    """With its version, and without any path."""
    seen: JsonObject = {
        "generation": 3,
        "version": "0.154.0",
        "pid": 77,
        "binarySource": "package",
        "startedAt": 1_700_000_000_123,
        "socketPath": "/private/socket",
    }
    worker.report(app_server=seen)
    assert health(client)["appServer"] == {
        "status": "running",
        "generation": 3,
        "version": "0.154.0",
        "pid": 77,
        "binarySource": "package",
        "startedAt": "2023-11-14T22:13:20.123Z",
    }


@pytest.mark.parametrize(
    ("named", "found", "severity"),
    [
        ("codex_binary", "codex_binary", "broken"),
        ("codex_auth", "codex_auth", "broken"),
        ("app_server_exited", "app_server_exited", "degraded"),
        (None, "app_server_exited", "degraded"),
    ],
)
def test_a_fault_of_the_worker_is_a_finding(
    client: ToolCaller, worker: PlayedWorker, named: str | None, found: str, severity: str
) -> None:
    """The fault names its finding; its message is shown without keys."""
    secret = "ghp_" + "a1B2" * 9
    fault: Error = {**FAULT, "message": f"It fails: {secret}", "details": {"finding": named} if named else {}}
    worker.report(fault=fault)
    answer = health(client)
    assert findings(answer) == {found: severity}
    assert answer["overallStatus"] == severity
    assert answer["appServer"] == {"status": "unavailable"}
    assert secret not in json.dumps(answer)


def test_a_fault_of_a_dead_worker_is_history(client: ToolCaller) -> None:
    """What keeps nobody from executing is no finding."""
    PlayedWorker(client.store, DEAD).report(fault=FAULT)
    assert health(client)["overallStatus"] == "healthy"


def test_queued_work_without_a_worker_is_a_finding(settings: Settings, root: Path) -> None:
    """In mode client nobody comes by himself."""
    client = ToolCaller(replace(settings, execution_mode="client"))
    submit(client, root)
    answer = health(client)
    assert findings(answer) == {"no_live_worker": "degraded"}
    assert answer["activeWork"]["queuedOperationCount"] == 1


def test_queued_work_with_a_live_worker_is_no_finding(settings: Settings, root: Path) -> None:
    """It will be taken."""
    client = ToolCaller(replace(settings, execution_mode="client"))
    PlayedWorker(client.store)
    submit(client, root)
    assert health(client)["overallStatus"] == "healthy"


def test_running_work_of_a_dead_worker_is_a_finding(settings: Settings, root: Path) -> None:
    """A turn in flight needs a worker too."""
    client = ToolCaller(replace(settings, execution_mode="client"))
    PlayedWorker(client.store, DEAD).run(submit(client, root))
    assert "no_live_worker" in findings(health(client))


def test_no_work_needs_no_worker(settings: Settings) -> None:
    """An idle client is healthy."""
    assert health(ToolCaller(replace(settings, execution_mode="client")))["overallStatus"] == "healthy"


def test_in_mode_inline_a_worker_is_on_its_way(client: ToolCaller, root: Path) -> None:
    """Queued work alone is no finding."""
    submit(client, root)
    assert health(client)["overallStatus"] == "healthy"


def test_in_mode_inline_a_failed_start_is_a_finding(client: ToolCaller, root: Path) -> None:
    """With the exit code and what the worker said last."""
    submit(client, root)
    starts = WorkerStarts(client.store.path.parent)
    starts.log.write_text("starting\nNo module named codex\n", encoding="utf-8")
    starts.record_failure(4711, 3, client.store.clock.now())
    [found] = health(client)["findings"]
    assert found["id"] == "no_live_worker"
    assert "exit code 3: No module named codex" in found["message"]


def test_open_questions_are_good_health(client: ToolCaller, running: str, worker: PlayedWorker) -> None:
    """They are mentioned, with what to do."""
    worker.ask(running, COMMAND, {"threadId": "thread-1", "turnId": "turn-1", "command": "make"})
    answer = health(client)
    assert (answer["overallStatus"], findings(answer)) == ("healthy", {"pending_interactions": "healthy"})
    assert "codex_list_pending_interactions" in answer["recommendedActions"][0]
    assert answer["activeWork"] == {
        "queuedOperationCount": 0,
        "waitingForQuotaCount": 0,
        "activeTurnCount": 1,
        "pendingInteractionCount": 1,
        "queuedCommandCount": 0,
    }


def test_recent_errors_are_shown_without_keys(client: ToolCaller, task: str, worker: PlayedWorker) -> None:
    """The newest ones, as far back as asked, as many as asked."""
    secret = "ghp_" + "a1B2" * 9
    worker.claim(task)
    worker.fail(task, {**FAULT, "message": secret})
    [shown] = health(client)["recentErrors"]
    assert (shown["operationId"], shown["status"]) == (task, "failed")
    assert secret not in json.dumps(shown)
    assert health(client, include_recent_errors=False)["recentErrors"] == []
    assert health(client, max_recent_errors=0)["recentErrors"] == []


@pytest.mark.spoils_state
def test_a_store_that_cannot_be_opened_is_a_finding(settings: Settings) -> None:
    """The answer comes without the store, and the file stays as it is."""
    path = settings.state_db
    assert path is not None
    path.parent.mkdir()
    path.write_bytes(b"this is no database, but somebody's notes" * 50)
    before = path.read_bytes()
    answer = health(ToolCaller(settings))
    assert (answer["overallStatus"], findings(answer)) == ("broken", {"mcp_state_db": "broken"})
    assert "not a SQLite database" in answer["findings"][0]["message"]
    assert answer["workers"] == []
    assert path.read_bytes() == before


def test_the_worst_finding_comes_first(settings: Settings) -> None:
    """And it is the overall status."""
    client = ToolCaller(replace(settings, allowed_roots=()))
    PlayedWorker(client.store).report(fault={**FAULT, "details": {"finding": "codex_auth"}})
    answer = health(client)
    assert [found["id"] for found in answer["findings"]] == ["codex_auth", "allowed_roots"]
    assert answer["overallStatus"] == "broken"
