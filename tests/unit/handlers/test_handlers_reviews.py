"""Reviews as a client drives them: start, read, stop; what does not fit is refused (contract §3, §9)."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from codex_control_plane_mcp.testing.git_repository import GitRepository
from codex_control_plane_mcp.testing.played_worker import FAULT, PlayedWorker
from codex_control_plane_mcp.testing.tool_caller import ToolCaller

CUSTOM = {"target_type": "custom", "instructions": "Look."}
THREAD = "01a20360-0000-7000-8000-000000000001"


@pytest.fixture
def repository(root: Path) -> GitRepository:
    """The allowed root as a git repository."""
    return GitRepository.make(root)


def start(client: ToolCaller, root: Path, **more: Any) -> dict[str, Any]:
    """Start a review in the root."""
    return client.call("codex_start_review_workflow", **{"cwd": str(root), **more})


def status(client: ToolCaller, begun: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Read a review."""
    return client.call("codex_get_workflow_status", workflow_id=begun["workflowId"], **more)


@pytest.mark.parametrize(
    "arguments",
    [
        {"target_type": "base_branch"},
        {"target_type": "commit"},
        {"target_type": "custom"},
        {"target_type": "custom", "instructions": " \n "},
        {"target_type": "custom", "instructions": "A \0 in it."},
        {"target_type": "uncommitted_changes", "base_branch": "main"},
        {"target_type": "uncommitted_changes", "commit_title": "Fix"},
        {"target_type": "base_branch", "base_branch": "--upload-pack=evil"},
        {"target_type": "base_branch", "base_branch": "nowhere"},
        {"target_type": "commit", "commit_sha": "HEAD"},
        {"target_type": "commit", "commit_sha": "0123456789"},
        {"target_type": "everything"},
        {**CUSTOM, "thread_id": THREAD, "model": "other"},
    ],
)
def test_what_does_not_fit_is_refused(
    client: ToolCaller,
    root: Path,
    repository: GitRepository,  # noqa: ARG001 -- it has to be there
    arguments: dict[str, Any],
) -> None:
    """Nothing is stored then, and the error names the argument."""
    answer = start(client, root, **arguments)
    assert (answer["ok"], answer["error"]["code"]) == (False, "INVALID_ARGUMENT")
    assert answer["error"]["details"]["path"]
    with client.store.read() as reader:
        assert not reader.queued_operations(limit=1)


def test_a_place_is_needed(client: ToolCaller) -> None:
    """A thread, a project or a directory."""
    answer = client.call("codex_start_review_workflow", **CUSTOM)
    assert answer["error"]["code"] == "INVALID_ARGUMENT"


def test_changes_outside_of_a_repository_are_not_reviewed(client: ToolCaller, root: Path) -> None:
    """A reviewer would find nothing; instructions may be about anything."""
    answer = start(client, root, target_type="uncommitted_changes")
    assert "in none" in answer["error"]["message"]
    assert start(client, root, **CUSTOM)["ok"]


@pytest.mark.parametrize(
    ("arguments", "target"),
    [
        ({"target_type": "uncommitted_changes"}, {"type": "uncommitted_changes"}),
        (
            {"target_type": "base_branch", "base_branch": "main"},
            {"type": "base_branch", "baseBranch": "main"},
        ),
        (CUSTOM, {"type": "custom", "instructionsChars": 5}),
    ],
)
def test_a_review_is_stored_with_its_task(
    client: ToolCaller,
    root: Path,
    repository: GitRepository,  # noqa: ARG001 -- it has to be there
    arguments: dict[str, Any],
    target: dict[str, Any],
) -> None:
    """The two name each other; the task is shown as what it is."""
    begun = start(client, root, **arguments)
    assert (begun["workflowKind"], begun["phase"], begun["reviewTarget"]) == ("code_review", "queued", target)
    task = client.call("codex_get_operation_status", operation_id=begun["reviewOperationId"])
    assert (task["operationType"], task["workflowId"]) == ("review_start", begun["workflowId"])
    assert task["reviewState"] == {
        "accepted": False,
        "target": target,
        "delivery": "inline",
        "startAttempted": False,
    }


def test_a_commit_may_be_named_by_the_beginning_of_its_hash(
    client: ToolCaller, root: Path, repository: GitRepository
) -> None:
    """Codex gets it as it was given, with its title."""
    begun = start(client, root, target_type="commit", commit_sha=repository.commit[:8], commit_title="Go on")
    assert begun["reviewTarget"] == {
        "type": "commit",
        "commitSha": repository.commit[:8],
        "commitTitle": "Go on",
    }


def test_the_phase_follows_the_task(client: ToolCaller, root: Path, worker: PlayedWorker) -> None:
    """Whoever changes the task changes the review in the same transaction."""
    begun = start(client, root, **CUSTOM)
    assert status(client, begun)["nextRecommendedAction"] == "wait_review"
    worker.claim(begun["reviewOperationId"])
    assert status(client, begun)["phase"] == "starting_thread"
    worker.put_back(begun["reviewOperationId"], next_attempt_at=None)
    assert status(client, begun)["phase"] == "queued"
    worker.run(begun["reviewOperationId"])
    row = status(client, begun)
    assert (row["phase"], row["reviewThreadId"], row["reviewTurnId"]) == ("reviewing", "thread-1", "turn-1")
    worker.complete(begun["reviewOperationId"], "Nothing is wrong.")
    row = status(client, begun, include_events=True)
    assert (row["phase"], row["nextRecommendedAction"]) == ("completed", "read_review_report")
    assert row["finalReport"]["text"] == "Nothing is wrong."
    assert [event["event"] for event in row["events"]] == [
        "start",
        "open_thread",
        "wait",
        "open_thread",
        "open_review",
        "run",
        "complete",
    ]


def test_a_review_that_failed_says_why(client: ToolCaller, root: Path, worker: PlayedWorker) -> None:
    """It has no report."""
    begun = start(client, root, **CUSTOM)
    worker.run(begun["reviewOperationId"])
    worker.fail(begun["reviewOperationId"], FAULT)
    row = status(client, begun)
    assert (row["phase"], row["lastError"]["message"]) == ("failed", FAULT["message"])
    assert "finalReport" not in row


def test_a_key_names_one_review(client: ToolCaller, root: Path) -> None:
    """The same request again is the first one; another one is refused."""
    first = start(client, root, **CUSTOM, client_request_id="key")
    again = start(client, root, **CUSTOM, client_request_id="key", timeout_seconds=7)
    assert (first["idempotent"], again["idempotent"]) == (False, True)
    assert again["workflowId"] == first["workflowId"]
    other = start(client, root, target_type="custom", instructions="Look!", client_request_id="key")
    assert other["error"]["code"] == "IDEMPOTENCY_CONFLICT"


def test_a_review_in_a_thread_runs_with_what_the_thread_has(client: ToolCaller, root: Path) -> None:
    """It waits for the thread; one beside it has a thread of its own, read-only."""
    inline = start(client, root, **CUSTOM, thread_id=THREAD, sandbox="read-only")
    assert (inline["threadId"], inline["effectiveSandbox"]) == (THREAD, "respect_existing")
    assert inline["runtimePolicyAdjusted"]
    beside = start(
        client, root, **CUSTOM, thread_id=THREAD, delivery="detached", model="m", approval_policy="never"
    )
    assert ("threadId" in beside, beside["effectiveSandbox"]) == (False, "read-only")
    assert beside["warnings"] == ["approval_policy has no effect: a reviewer never asks."]
    assert status(client, beside)["reviewSourceThreadId"] == THREAD


def test_a_review_is_taken_back_by_its_workflow(client: ToolCaller, root: Path) -> None:
    """It ends with its task."""
    begun = start(client, root, **CUSTOM)
    stopped = client.call("codex_interrupt_turn", workflow_id=begun["workflowId"])
    assert (stopped["status"], stopped["workflowPhase"]) == ("cancelled", "failed")
    assert status(client, begun)["nextRecommendedAction"] == "none"


def test_a_review_is_no_plan(client: ToolCaller, root: Path) -> None:
    """It cannot be approved."""
    begun = start(client, root, **CUSTOM)
    error = client.call("codex_approve_plan", workflow_id=begun["workflowId"])["error"]
    assert (error["code"], error["details"]["path"]) == ("INVALID_ARGUMENT", "workflow_id")


def test_the_database_keeps_a_review_to_its_task(client: ToolCaller, root: Path) -> None:
    """A second review of one task is refused."""
    begun = start(client, root, **CUSTOM)
    with sqlite3.connect(client.store.path) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(
            "INSERT INTO review_workflow SELECT 'wf_other', state, revision, created_at, updated_at, NULL, "
            "payload_hash, project_id, review_operation_id, requested_sandbox, completed_at "
            "FROM review_workflow WHERE review_workflow_id = ?",
            (begun["workflowId"],),
        )


def test_a_commit_that_cannot_be_one_is_refused_in_words(client: ToolCaller, root: Path) -> None:
    """What it may be stands in the sentence; the rule itself is for programs."""
    failed = client.call(
        "codex_start_review_workflow", project_id=str(root), target_type="commit", commit_sha="HEAD~1"
    )["error"]
    assert failed["details"]["path"] == "commit_sha"
    assert "its hash" in failed["message"]
    assert "pattern" in failed["details"]["allowed"]
