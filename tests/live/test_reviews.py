"""Reviews, over MCP against a real Codex and a real git repository: each reports, or says why not."""

import json
from collections.abc import AsyncGenerator
from typing import Final

import pytest

from codex_control_plane_contract.types import Workflow
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.testing.evidence import report, thread_of
from codex_control_plane_mcp.testing.git_repository import GitRepository
from codex_control_plane_mcp.testing.prompts import prompt
from codex_control_plane_mcp.testing.rig import ScriptedRig
from codex_control_plane_mcp.testing.task_client import CallFailed, TaskClient

pytestmark = [pytest.mark.live, pytest.mark.anyio]

FINDINGS: Final[JsonObject] = {
    "findings": [
        {
            "title": "[P1] The second line is wrong",
            "body": "It says three.",
            "confidence_score": 0.9,
            "priority": 1,
            "code_location": {"absolute_file_path": "/b.txt", "line_range": {"start": 1, "end": 1}},
        }
    ],
    "overall_correctness": "patch is incorrect",
    "overall_explanation": "One thing is wrong.",
    "overall_confidence_score": 0.8,
}
"""What a reviewer answers; Codex asks for this form in its prompt and takes plain text as well."""


@pytest.fixture(scope="module")
def repository(rig: ScriptedRig) -> GitRepository:
    """The project of the rig as a git repository."""
    return GitRepository.make(rig.project)


@pytest.fixture
async def client(
    rig: ScriptedRig,
    repository: GitRepository,  # noqa: ARG001 -- it has to be there
) -> AsyncGenerator[TaskClient]:
    """A client in one protocol generation only: what Codex asks for a target is the same each time."""
    async with rig.open_client() as opened:
        yield opened


def review_report(row: Workflow) -> str:
    """Return the text of the report."""
    found = row.get("finalReport")
    assert found is not None, row
    return found["text"]


async def a_thread(client: TaskClient) -> str:
    """Return a thread with history."""
    task = await client.submit(prompt("say Well begun."))
    return thread_of(await client.wait_until(task["operationId"], "completed"))


@pytest.mark.parametrize(
    ("target", "asked"),
    [
        ({"target_type": "uncommitted_changes"}, "Review the current code changes"),
        (
            {"target_type": "base_branch", "base_branch": "main"},
            "against the base branch 'main'. The merge base",
        ),
        ({"target_type": "commit", "commit_title": "Go on"}, 'introduced by commit {sha} ("Go on")'),
        ({"target_type": "custom", "instructions": "Look at b.txt."}, "Look at b.txt."),
    ],
)
async def test_each_target_is_reviewed(
    rig: ScriptedRig, client: TaskClient, repository: GitRepository, target: JsonObject, asked: str
) -> None:
    """The reviewer is asked for it, once, and its answer is the report."""
    named = {"commit_sha": repository.commit} if target["target_type"] == "commit" else {}
    begun = await client.review(**{**target, **named})
    assert (begun["phase"], begun["nextRecommendedAction"]) == ("queued", "wait_review")
    row = await client.in_phase(begun["workflowId"], "completed")
    assert asked.format(sha=repository.commit) in rig.model.requests[-1].user_text
    assert review_report(row).startswith("I was asked: ")
    assert row.get("reviewTarget", {}).get("type") == target["target_type"]
    assert (row["workflowKind"], row["nextRecommendedAction"]) == ("code_review", "read_review_report")
    assert row["currentOperationStatus"] == "completed"


async def test_findings_are_reported_as_codex_words_them(client: TaskClient) -> None:
    """The report is the review itself: what is wrong on the whole, and each finding with its place."""
    begun = await client.review(target_type="custom", instructions=prompt(f"say {json.dumps(FINDINGS)}"))
    row = await client.in_phase(begun["workflowId"], "completed")
    text = review_report(row)
    assert text.startswith("One thing is wrong.")
    assert "[P1] The second line is wrong — /b.txt:1-1" in text
    assert "It says three." in text


async def test_a_reviewer_without_a_report_has_failed(client: TaskClient) -> None:
    """Codex ends such a review as if all were well, with a placeholder in place of the report."""
    begun = await client.review(target_type="custom", instructions=prompt("think Hm."))
    row = await client.in_phase(begun["workflowId"], "failed")
    assert "finalReport" not in row
    assert row.get("lastError", {}).get("message") == "The reviewer ended without a report."
    assert row["nextRecommendedAction"] == "inspect_diagnostics"


async def test_a_fault_of_the_model_fails_the_review(client: TaskClient) -> None:
    """It is told with Codex's own words, and the placeholder is nowhere."""
    begun = await client.review(target_type="custom", instructions=prompt("fail 500"))
    row = await client.in_phase(begun["workflowId"], "failed")
    assert row.get("lastError", {}).get("code") == "CODEX_SEND_FAILED"
    assert "finalReport" not in row
    task = await client.status(begun["reviewOperationId"], include_events=True)
    assert "re-run /review" not in json.dumps(task)


async def test_a_review_is_held_in_the_thread_that_is_named(client: TaskClient) -> None:
    """The thread has it in its history and goes on afterwards, though Codex still calls it active."""
    thread = await a_thread(client)
    begun = await client.review(
        target_type="custom", instructions=prompt("run true", "say Fine."), thread_id=thread
    )
    row = await client.in_phase(begun["workflowId"], "completed")
    assert (row.get("reviewThreadId"), row.get("reviewSourceThreadId")) == (thread, thread)
    assert (row.get("effectiveSandbox"), review_report(row)) == ("respect_existing", "Fine.")
    task = await client.status(begun["reviewOperationId"])
    state = task.get("reviewState")
    assert state is not None
    assert (state["accepted"], state["startAttempted"], state.get("reviewTurnId")) == (
        True,
        True,
        row.get("reviewTurnId"),
    )
    later = await client.send(thread, prompt("say Next."))
    assert report(await client.wait_until(later["operationId"], "completed")) == "Next."


async def test_a_review_waits_until_its_thread_is_idle(rig: ScriptedRig, client: TaskClient) -> None:
    """On a busy thread Codex would end the turn at work; that turn comes to its own end first."""
    thread = await a_thread(client)
    task = await client.send(thread, prompt("wait before-review", "say Undisturbed."))
    assert await rig.model.gates.reached("before-review", 30)
    begun = await client.review(target_type="custom", instructions=prompt("say After."), thread_id=thread)
    waiting = await client.status(begun["reviewOperationId"])
    assert waiting.get("queueState", {}).get("queuedReason") == "thread_slot_limit"
    assert (await client.workflow(begun["workflowId"]))["phase"] == "queued"
    await rig.model.gates.open("before-review")
    assert review_report(await client.in_phase(begun["workflowId"], "completed")) == "After."
    assert report(await client.status(task["operationId"])) == "Undisturbed."


async def test_a_detached_review_has_a_thread_of_its_own(client: TaskClient) -> None:
    """Where the named thread worked, read-only whatever was asked for, and the named thread is left alone."""
    thread = await a_thread(client)
    begun = await client.review(
        target_type="custom",
        instructions=prompt("run touch made-by-the-reviewer", "say Apart."),
        thread_id=thread,
        delivery="detached",
        sandbox="workspace-write",
    )
    assert (begun["requestedSandbox"], begun["effectiveSandbox"]) == ("workspace-write", "read-only")
    row = await client.in_phase(begun["workflowId"], "completed")
    assert row.get("reviewSourceThreadId") == thread
    assert row.get("reviewThreadId") not in (None, thread)
    assert review_report(row) == "Apart."
    assert row["runtimePolicyAdjusted"]


async def test_a_reviewer_cannot_write(rig: ScriptedRig, client: TaskClient) -> None:
    """Its sandbox is read-only, and what it asks for beyond that is denied without asking anybody."""
    script = prompt("run touch forbidden", "ask touch forbidden", "say Tried.")
    begun = await client.review(target_type="custom", instructions=script)
    assert review_report(await client.in_phase(begun["workflowId"], "completed")) == "Tried."
    assert not (rig.project / "forbidden").exists()


async def test_a_review_is_stopped_by_its_workflow(rig: ScriptedRig, client: TaskClient) -> None:
    """The turn at work in it is the one that Codex stops; no report is made up."""
    script = prompt("wait not-to-be-reviewed", "say Never.")
    begun = await client.review(target_type="custom", instructions=script)
    assert await rig.model.gates.reached("not-to-be-reviewed", 30)
    await client.in_phase(begun["workflowId"], "reviewing")
    stopped = await client.stop_workflow(begun["workflowId"])
    assert (stopped["status"], stopped.get("workflowPhase")) == ("interrupted", "failed")
    row = await client.workflow(begun["workflowId"])
    assert ("finalReport" in row, row["nextRecommendedAction"]) == (False, "none")
    assert rig.times_seen(script) == 1


async def test_a_queued_review_is_taken_back(rig: ScriptedRig, client: TaskClient) -> None:
    """Codex never hears of it."""
    thread = await a_thread(client)
    task = await client.send(thread, prompt("wait before-nothing", "say Done."))
    assert await rig.model.gates.reached("before-nothing", 30)
    script = prompt("say Never.")
    begun = await client.review(target_type="custom", instructions=script, thread_id=thread)
    stopped = await client.stop_workflow(begun["workflowId"])
    assert (stopped["status"], stopped.get("workflowPhase")) == ("cancelled", "failed")
    await rig.model.gates.open("before-nothing")
    await client.wait_until(task["operationId"], "completed")
    assert rig.times_seen(script) == 0


async def test_the_same_key_reviews_once(rig: ScriptedRig, client: TaskClient) -> None:
    """A repetition names the first review, another request under its key is refused."""
    script = prompt("say Once.")
    first = await client.review(target_type="custom", instructions=script, client_request_id="review-once")
    again = await client.review(target_type="custom", instructions=script, client_request_id="review-once")
    assert (again["workflowId"], again["idempotent"]) == (first["workflowId"], True)
    with pytest.raises(CallFailed, match="IDEMPOTENCY_CONFLICT"):
        await client.review(target_type="uncommitted_changes", client_request_id="review-once")
    await client.in_phase(first["workflowId"], "completed")
    assert rig.times_seen(script) == 1


async def test_what_git_does_not_know_is_refused(client: TaskClient) -> None:
    """Codex would let the reviewer look for it in vain."""
    with pytest.raises(CallFailed, match=r"INVALID_ARGUMENT.*git knows no commit nowhere"):
        await client.review(target_type="base_branch", base_branch="nowhere")
    with pytest.raises(CallFailed, match=r"INVALID_ARGUMENT.*git knows no commit deadbeef"):
        await client.review(target_type="commit", commit_sha="deadbeef")


async def test_a_long_report_fits_the_answer(client: TaskClient) -> None:
    """With twenty commands behind it and three thousand characters, the status stays below 8 KB."""
    begun = await client.review(
        target_type="custom", instructions=prompt(*["run true"] * 20, f"say {'A finding. ' * 273}")
    )
    await client.in_phase(begun["workflowId"], "completed", within=60)
    row = await client.workflow(begun["workflowId"], include_events=True)
    assert len(review_report(row)) >= 3000
    assert len(json.dumps(row, separators=(",", ":"))) <= 8 * 1024
