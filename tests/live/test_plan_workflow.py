"""Plan workflows over MCP against a real Codex: planned, approved, carried out, whatever dies meanwhile."""

import asyncio
import json
from typing import Final

import pytest

from codex_control_plane_contract.types import Workflow
from codex_control_plane_mcp.testing.crashes.verdict import awaited
from codex_control_plane_mcp.testing.evidence import candidate_of, plan_of, thread_of
from codex_control_plane_mcp.testing.prompts import prompt
from codex_control_plane_mcp.testing.rig import ScriptedRig, scripted_rig
from codex_control_plane_mcp.testing.task_client import PATIENCE, CallFailed, TaskClient

pytestmark = [pytest.mark.live, pytest.mark.anyio]

STEP: Final = "plan # The cart\\n\\n1. Read it.\\n2. Move it."
OTHER: Final = "plan # The cart\\n\\n1. Write it anew."


async def planned(client: TaskClient, *steps: str) -> Workflow:
    """Return a workflow whose plan is ready."""
    started = await client.start_plan(prompt(*(steps or (STEP,))))
    return await client.in_phase(started["workflowId"], "plan_ready")


async def test_a_plan_is_made_approved_and_carried_out() -> None:
    """The report is that of the execution, which runs in default mode on the same thread."""
    async with scripted_rig() as rig, rig.open_client() as client:
        row = await planned(client)
        thread_id = thread_of(row)
        assert rig.model.requests[-1].collaboration_mode == "plan"
        assert row["nextRecommendedAction"] == "execute_plan"
        task = await client.approve_plan(row["workflowId"], plan_hash=plan_of(row)["planHash"])
        row = await client.in_phase(row["workflowId"], "completed")
        assert (row.get("executionOperationId"), thread_of(row)) == (task["operationId"], thread_id)
        # The scripted model echoes a message without a script.
        assert "Implement the plan." in row.get("finalReport", {}).get("text", "")
        assert rig.model.requests[-1].collaboration_mode == "default"


async def test_nobody_has_to_look(rig: ScriptedRig) -> None:
    """Without a call meanwhile, the plan becomes ready, and its execution ends."""
    async with rig.open_client() as client:
        started = await client.start_plan(prompt(STEP))
        workflow_id = started["workflowId"]
        assert await awaited(rig.store, lambda: stored_phase(rig, workflow_id) == "plan_ready", PATIENCE)
        await client.approve_plan(workflow_id, message=prompt("say Done."))
        assert await awaited(rig.store, lambda: stored_phase(rig, workflow_id) == "completed", PATIENCE)


def stored_phase(rig: ScriptedRig, workflow_id: str) -> str:
    """Return the phase as it is stored, without any tool."""
    with rig.store.read() as reader:
        row = reader.plan_workflow(workflow_id)
    return row.state if row is not None else ""


async def test_two_servers_that_approve_at_once_make_one_execution(
    rig: ScriptedRig, client: TaskClient
) -> None:
    """Each of them names the same task, and the model gets the prompt once."""
    row = await planned(client)
    text = prompt("say Done.")
    async with rig.open_client() as other:
        answers = await asyncio.gather(
            *(
                each.approve_plan(row["workflowId"], plan_hash=plan_of(row)["planHash"], message=text)
                for each in (client, other)
            )
        )
    assert len({answer["operationId"] for answer in answers}) == 1
    await client.in_phase(row["workflowId"], "completed")
    assert rig.times_seen(text) == 1


async def test_what_is_no_plan_cannot_be_approved(client: TaskClient) -> None:
    """A question needs a person; the answer, given on the thread, brings a plan that can be adopted."""
    started = await client.start_plan(prompt("plan Which of the two carts do you mean?"))
    row = await client.in_phase(started["workflowId"], "plan_needs_review")
    assert plan_of(row)["planQuality"] == "question"
    with pytest.raises(CallFailed, match="INVALID_ARGUMENT"):
        await client.approve_plan(row["workflowId"])
    answer = await client.send(thread_of(row), prompt(STEP), collaboration_mode="plan")
    await client.wait_until(answer["operationId"], "completed")
    row = await client.in_phase(row["workflowId"], "plan_candidate_found")
    candidate = candidate_of(row)
    adopted = await client.adopt_plan(row["workflowId"], candidate)
    assert adopted["phase"] == "plan_ready"
    await client.approve_plan(row["workflowId"], plan_hash=candidate["planHash"], message=prompt("say Done."))
    await client.in_phase(row["workflowId"], "completed")


async def test_a_plan_that_changed_is_not_approved(client: TaskClient) -> None:
    """What was read is not what would be carried out."""
    row = await planned(client)
    first = plan_of(row)
    message = await client.send(thread_of(row), prompt(OTHER), collaboration_mode="plan")
    await client.wait_until(message["operationId"], "completed")
    with pytest.raises(CallFailed, match="INVALID_ARGUMENT"):
        await client.approve_plan(row["workflowId"], plan_hash=first["planHash"])
    row = await client.in_phase(row["workflowId"], "plan_candidate_found")
    second = candidate_of(row)
    await client.adopt_plan(row["workflowId"], second)
    with pytest.raises(CallFailed, match="plan_hash"):
        await client.approve_plan(row["workflowId"], plan_hash=first["planHash"])
    await client.approve_plan(row["workflowId"], plan_hash=second["planHash"], message=prompt("say Done."))
    await client.in_phase(row["workflowId"], "completed")


async def test_codex_is_told_which_of_two_plans_is_meant() -> None:
    """The first one is kept, so the request to the model repeats it after the second one."""
    async with scripted_rig() as rig, rig.open_client() as client:
        row = await planned(client)
        message = await client.send(thread_of(row), prompt(OTHER), collaboration_mode="plan")
        await client.wait_until(message["operationId"], "completed")
        await client.adopt_plan(row["workflowId"], plan_of(row))
        await client.approve_plan(row["workflowId"], plan_hash=plan_of(row)["planHash"])
        row = await client.in_phase(row["workflowId"], "completed")
        assert any("1. Read it." in text and "Implement the following plan" in text for text in rig.seen())


async def test_what_is_said_after_the_approval_comes_after_the_execution() -> None:
    """Even if it only reads and the execution waits for a lock (docs/decisions/0090)."""
    async with scripted_rig() as rig, rig.open_client() as client:
        row = await planned(client)
        writer = await client.submit(prompt("wait gate", "say Done."), sandbox="workspace-write")
        await client.wait_until(writer["operationId"], "running")
        execution = await client.approve_plan(row["workflowId"], message=prompt("say Done."))
        talk = await client.send(thread_of(row), prompt("say Well."), sandbox="read-only")
        status = await client.status(talk["operationId"])
        assert status.get("queueState", {}).get("queuedReason") == "thread_slot_limit"
        await rig.model.gates.open("gate")
        await client.in_phase(row["workflowId"], "completed")
        await client.wait_until(talk["operationId"], "completed")
        first, second = [await client.status(each["operationId"]) for each in (execution, talk)]
        assert first.get("completedAt", "") <= second.get("startedAt", "")


async def test_deaths_between_plan_and_approval_change_nothing() -> None:
    """Server, worker and app-server die once the plan is ready; another client approves it."""
    async with scripted_rig() as rig:
        async with rig.open_client() as client:
            row = await planned(client)
            await rig.kill_worker()
            await rig.kill_app_server()
            await rig.kill_server(client)
        async with rig.open_client() as other:
            text = prompt("say Done.")
            await other.approve_plan(row["workflowId"], plan_hash=plan_of(row)["planHash"], message=text)
            row = await other.in_phase(row["workflowId"], "completed")
            assert row.get("finalReport", {}).get("text") == "Done."
            assert rig.times_seen(text) == 1


async def test_deaths_during_the_execution_change_nothing() -> None:
    """Server and worker die while Codex works; the turn goes on, and the workflow ends with its report."""
    async with scripted_rig() as rig:
        async with rig.open_client() as client:
            row = await planned(client)
            task = await client.approve_plan(row["workflowId"], message=prompt("wait gate", "say Done."))
            await client.wait_until(task["operationId"], "running")
            await rig.kill_worker()
            await rig.kill_server(client)
        await rig.model.gates.open("gate")
        async with rig.open_client() as other:
            row = await other.in_phase(row["workflowId"], "completed")
            assert row.get("finalReport", {}).get("text") == "Done."


async def test_an_execution_that_breaks_off_goes_on_where_it_may() -> None:
    """The app-server dies; with recovery_policy continue the same task goes on in another turn."""
    async with scripted_rig() as rig, rig.open_client() as client:
        started = await client.start_plan(prompt(STEP), recovery_policy="continue")
        row = await client.in_phase(started["workflowId"], "plan_ready")
        task = await client.approve_plan(row["workflowId"], message=prompt("wait gate") + "\nnext: say Done.")
        await client.wait_until(task["operationId"], "running")
        assert await rig.model.gates.reached("gate", PATIENCE)
        await rig.kill_app_server()
        row = await client.in_phase(row["workflowId"], "completed")
        assert row.get("finalReport", {}).get("text") == "Done."


async def test_an_execution_that_breaks_off_ends_its_workflow() -> None:
    """With recovery_policy report nothing goes on by itself, and the phase is final."""
    async with scripted_rig() as rig, rig.open_client() as client:
        row = await planned(client)
        task = await client.approve_plan(row["workflowId"], message=prompt("wait gate", "say Done."))
        await client.wait_until(task["operationId"], "running")
        assert await rig.model.gates.reached("gate", PATIENCE)
        await rig.kill_app_server()
        row = await client.in_phase(row["workflowId"], "failed")
        assert row["currentOperationStatus"] == "interrupted"


async def test_a_workflow_is_stopped_while_it_plans(client: TaskClient) -> None:
    """The turn is interrupted, and the workflow follows."""
    started = await client.start_plan(prompt("wait gate", STEP))
    await client.wait_until(started["planOperationId"], "running")
    stopped = await client.stop_workflow(started["workflowId"])
    assert stopped["status"] == "interrupted"
    row = await client.workflow(started["workflowId"])
    assert (row["phase"], row["nextRecommendedAction"]) == ("failed", "none")


async def test_a_workflow_waits_for_an_answer_and_goes_on(client: TaskClient) -> None:
    """While it plans, and while it carries the plan out."""
    started = await client.start_plan(prompt("ask echo plan", STEP))
    workflow_id = started["workflowId"]
    row = await client.in_phase(workflow_id, "waiting_for_approval")
    assert row["nextRecommendedAction"] == "answer_pending_interaction"
    (question,) = await client.list_interactions(workflow_id=workflow_id)
    await client.answer(question, decision="accept")
    await client.in_phase(workflow_id, "plan_ready")
    await client.approve_plan(workflow_id, message=prompt("ask echo execution", "say Done."))
    await client.in_phase(workflow_id, "waiting_for_approval")
    (question,) = await client.list_interactions(workflow_id=workflow_id)
    await client.answer(question, decision="accept")
    await client.in_phase(workflow_id, "completed")


async def test_a_long_execution_has_a_small_status(client: TaskClient) -> None:
    """Twenty commands and a report of 3,000 characters fit into 8 KB, their task into 6."""
    row = await planned(client)
    commands = [f"run echo {number}" for number in range(20)]
    await client.approve_plan(
        row["workflowId"], message=prompt(*commands, "say " + "r" * 3000), sandbox="danger-full-access"
    )
    await client.in_phase(row["workflowId"], "completed", within=2 * PATIENCE)
    status = await client.workflow(row["workflowId"])
    assert len(json.dumps(status, separators=(",", ":")).encode()) <= 8_000
    task = await client.status(status["currentOperationId"])
    assert len(json.dumps(task, separators=(",", ":")).encode()) <= 6_000
