"""Plan mode over MCP against a real Codex: the mode is sent, and no plan is lost with message or process."""

from typing import Final

import pytest

from codex_control_plane_contract.types import Operation, Plan
from codex_control_plane_mcp.codex.connection import Connection
from codex_control_plane_mcp.plans import Proposal
from codex_control_plane_mcp.testing.evidence import report, thread_of, turn_id_of
from codex_control_plane_mcp.testing.faults.fault import Fault, Script, Subject
from codex_control_plane_mcp.testing.faults.rig import faulty_rig
from codex_control_plane_mcp.testing.prompts import prompt
from codex_control_plane_mcp.testing.rig import ScriptedRig, scripted_rig
from codex_control_plane_mcp.testing.task_client import PATIENCE, TaskClient
from codex_control_plane_mcp.testing.witness import Witness

pytestmark = [pytest.mark.live, pytest.mark.anyio]

PLAN: Final = "# Faster tests\n\n1. Measure them.\n2. Cache what is slow."
STEP: Final = "plan " + PLAN.replace("\n", "\\n")
MESSAGES_LOST: Final = Script((Fault(Subject("notification", "item/completed"), "drop", times=1000),))
"""Codex tells how a turn ends, and of none of its items."""
IMPATIENT: Final = {"CODEX_MCP_SILENCE_SECONDS": "1"}
"""A silent turn is looked up soon."""


def plan_of(row: Operation) -> Plan:
    """Return the plan of a task."""
    found = row.get("latestPlan")
    assert found is not None, row
    return found


def assert_is_the_plan(plan: Plan) -> None:
    """The plan of the script, whole."""
    assert (plan.get("markdown", "").strip(), plan["planQuality"]) == (PLAN, "valid_plan")
    assert plan["planHash"] == Proposal(PLAN, "plan_item").plan_hash


async def test_a_task_in_plan_mode_proposes_a_plan(rig: ScriptedRig, client: TaskClient) -> None:
    """Codex is told of the mode, and gives the plan as an item of its own."""
    task = await client.submit(prompt(STEP), collaboration_mode="plan")
    row = await client.wait_until(task["operationId"], "completed")
    assert rig.model.requests[-1].collaboration_mode == "plan"
    plan = plan_of(row)
    assert_is_the_plan(plan)
    assert (plan["source"], plan["valid"], plan["turnId"]) == ("plan_item", True, row.get("turnId"))
    assert row["requestSummary"].get("collaborationMode") == "plan"


async def test_a_turn_lists_its_plans_once(client: TaskClient) -> None:
    """The text stands with the last one only."""
    task = await client.submit(prompt(STEP), collaboration_mode="plan")
    row = await client.wait_until(task["operationId"], "completed")
    turn = await client.turn(turn_id_of(row))
    listed = turn.get("plans")
    assert listed is not None
    assert [each["planHash"] for each in listed] == [plan_of(row)["planHash"]]
    assert "markdown" not in listed[0]
    assert turn.get("latestPlan") == plan_of(row)


async def test_the_next_task_on_the_thread_is_in_default_mode(rig: ScriptedRig, client: TaskClient) -> None:
    """Codex keeps a mode for the turns that follow, so the next one has to say that it does the work."""
    task = await client.submit(prompt(STEP), collaboration_mode="plan")
    row = await client.wait_until(task["operationId"], "completed")
    further = await client.send(thread_of(row), prompt("say Done it."))
    done = await client.wait_until(further["operationId"], "completed")
    assert (rig.model.requests[-1].collaboration_mode, report(done)) == ("default", "Done it.")
    assert "latestPlan" not in done


async def test_the_next_task_is_in_default_mode_after_a_restart_of_codex() -> None:
    """The mode is on disk, with the thread."""
    async with scripted_rig() as rig, rig.open_client() as client:
        task = await client.submit(prompt(STEP), collaboration_mode="plan")
        row = await client.wait_until(task["operationId"], "completed")
        await rig.kill_app_server()
        further = await client.send(thread_of(row), prompt("say Done it."))
        await client.wait_until(further["operationId"], "completed")
        assert [each.collaboration_mode for each in rig.model.requests] == ["plan", "default"]


async def test_a_thread_that_was_never_in_plan_mode_is_not_told_of_modes(
    rig: ScriptedRig, client: TaskClient
) -> None:
    """The word for it would add instructions to the conversation."""
    task = await client.submit(prompt("say One."), collaboration_mode="default")
    row = await client.wait_until(task["operationId"], "completed")
    further = await client.send(thread_of(row), prompt("say Two."))
    await client.wait_until(further["operationId"], "completed")
    assert [each.collaboration_mode for each in rig.model.requests[-2:]] == ["", ""]


async def test_plan_mode_keeps_the_effort_that_was_asked_for(client: TaskClient, rig: ScriptedRig) -> None:
    """The mode takes the place of the effort of the call, and leaves its own behind."""
    task = await client.submit(prompt(STEP), collaboration_mode="plan", effort="high")
    row = await client.wait_until(task["operationId"], "completed")
    further = await client.send(thread_of(row), prompt("say Done it."))
    await client.wait_until(further["operationId"], "completed")
    assert [each.effort for each in rig.model.requests[-2:]] == ["high", "high"]


async def test_a_plan_whose_notification_is_lost_is_read_from_the_history() -> None:
    """Codex leaves it out of `turn/completed`, so the worker looks before it records the end."""
    async with faulty_rig(MESSAGES_LOST) as (rig, codex), rig.open_client() as client:
        task = await client.submit(prompt(STEP), collaboration_mode="plan")
        row = await client.wait_until(task["operationId"], "completed")
        assert_is_the_plan(plan_of(row))
        assert codex.struck()
        evidence = row.get("turnStatus", {}).get("terminalEvidence")
        assert evidence is not None
        assert evidence["source"] == "notification"


async def test_a_plan_that_cannot_be_read_at_once_is_looked_up_later() -> None:
    """The end of its turn is not recorded without it."""
    unread = Fault(Subject("reply", "thread/turns/list"), "cut_before")
    async with (
        faulty_rig(Script((*MESSAGES_LOST.faults, unread)), **IMPATIENT) as (rig, _),
        rig.open_client() as client,
    ):
        task = await client.submit(prompt(STEP), collaboration_mode="plan")
        row = await client.wait_until(task["operationId"], "completed")
        assert_is_the_plan(plan_of(row))
        evidence = row.get("turnStatus", {}).get("terminalEvidence")
        assert evidence is not None
        assert evidence["source"] == "reconciled"


async def test_a_plan_that_is_made_while_no_worker_lives_is_kept() -> None:
    """Codex goes on without a worker, and tells nobody."""
    async with scripted_rig() as rig, rig.open_client(CODEX_MCP_EXECUTION_MODE="client") as client:
        worker = await rig.start_worker()
        task = (await client.submit(prompt("wait alone", STEP), collaboration_mode="plan"))["operationId"]
        turn = await client.turn_of(task)
        # Until its prompt has reached the model, Codex cannot read a thread that has just begun.
        assert await rig.model.gates.reached("alone", PATIENCE)
        await rig.kill_worker()
        await worker.wait()
        running = await rig.app_server()
        assert running is not None
        async with await Connection.open(running.socket_path, client_version="other") as connection:
            witness = Witness(connection)
            await connection.call("thread/resume", {"threadId": turn["threadId"], "excludeTurns": True})
            await rig.model.gates.open("alone")
            await witness.see_end()
        await rig.start_worker()
        row = await client.wait_until(task, "completed")
        assert_is_the_plan(plan_of(row))


async def test_a_block_in_a_message_is_taken_for_a_plan(client: TaskClient) -> None:
    """In default mode Codex leaves the marks in the message."""
    task = await client.submit(prompt(STEP))
    plan = plan_of(await client.wait_until(task["operationId"], "completed"))
    assert plan["source"] == "proposed_plan_block"
    assert_is_the_plan(plan)
