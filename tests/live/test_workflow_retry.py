"""A plan workflow that is begun anew over MCP, against a real Codex: once, and the old turn stays ended."""

from collections.abc import AsyncGenerator

import pytest

from codex_control_plane_contract.fail_points import FailPoint
from codex_control_plane_mcp.testing.crashes.armed_server import armed_server
from codex_control_plane_mcp.testing.crashes.wire import Wire
from codex_control_plane_mcp.testing.evidence import plan_of, thread_of
from codex_control_plane_mcp.testing.prompts import prompt
from codex_control_plane_mcp.testing.rig import ScriptedRig, scripted_rig
from codex_control_plane_mcp.testing.task_client import TaskClient

pytestmark = [pytest.mark.live, pytest.mark.anyio]

PLAN = "plan # The cart\\n\\n1. Read it.\\n2. Move it."


@pytest.fixture
async def rig() -> AsyncGenerator[ScriptedRig]:
    """A rig of its own: a retry says the same prompt a second time, which no other test may."""
    async with scripted_rig() as opened:
        yield opened


async def stopped(client: TaskClient, text: str) -> str:
    """Return a workflow that was stopped while it waited for the answer to a question."""
    started = await client.start_plan(text, approval_policy="on-request")
    await client.in_phase(started["workflowId"], "waiting_for_approval")
    await client.stop_workflow(started["workflowId"])
    await client.in_phase(started["workflowId"], "failed")
    return started["workflowId"]


async def test_a_retry_runs_under_another_policy(rig: ScriptedRig) -> None:
    """What Codex had to ask for before, it does now, on a thread of its own, up to the report."""
    async with rig.open_client() as client:
        await retry_to_the_end(rig, client)


async def retry_to_the_end(rig: ScriptedRig, client: TaskClient) -> None:
    """Stop a workflow that asks, begin it anew under a policy that need not, and approve its plan."""
    made = rig.project / "made-by-the-retry"
    text = prompt(f"ask touch {made}", PLAN)
    old = await stopped(client, text)
    thread_id = thread_of(await client.workflow(old))
    offered = await client.retry_workflow(old, sandbox="danger-full-access", approval_policy="never")
    assert (offered["changed"], made.exists()) == (False, False)
    done = await client.retry_workflow(
        old, dry_run=False, sandbox="danger-full-access", approval_policy="never", reason="It may write."
    )
    new = str(done.get("result", {})["workflowId"])
    row = await client.in_phase(new, "plan_ready")
    assert thread_of(row) != thread_id
    await client.approve_plan(new, plan_hash=plan_of(row)["planHash"], message=prompt("say Moved."))
    row = await client.in_phase(new, "completed")
    assert row.get("finalReport", {}).get("text") == "Moved."
    before = await client.workflow(old)
    assert before["phase"] == "failed"
    assert before.get("workflowRetryState", {}).get("replacedByWorkflowId") == new
    assert rig.times_seen(text) == 2


@pytest.mark.parametrize(
    "point",
    ["plan_workflow.start.written", "plan_workflow.start.committed", "plan_workflow.start.reply_lost"],
)
async def test_a_server_that_dies_while_it_retries_begins_one(rig: ScriptedRig, point: FailPoint) -> None:
    """Whoever asks again, in another server, is told of the one workflow, whether or not it was stored."""
    text = prompt("ask echo again", PLAN)
    async with rig.open_client() as client:
        old = await stopped(client, text)
        with Wire(rig.directory / "wire") as wire:
            async with armed_server(rig.environment, point, "exit", wire, other=client) as fragile:
                done = await fragile.retry_workflow(old, dry_run=False)
        new = str(done.get("result", {})["workflowId"])
        assert done["loopGuard"]["attemptCount"] == 1
        (question,) = await client.list_interactions(
            workflow_id=(await client.in_phase(new, "waiting_for_approval"))["workflowId"]
        )
        await client.answer(question, decision="accept")
        await client.in_phase(new, "plan_ready")
        again = await client.retry_workflow(old, dry_run=False)
        assert (again["changed"], again.get("result", {})["workflowId"]) == (False, new)
    assert rig.times_seen(text) == 2
