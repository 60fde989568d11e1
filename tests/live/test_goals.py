"""Goals on the threads of plan workflows, against a real Codex: kept by the worker, whoever dies or interferes."""

import hashlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import pytest

from codex_control_plane_contract.lifecycles import goal, operation, plan_workflow
from codex_control_plane_contract.values import JsonObject, JsonValue
from codex_control_plane_mcp.codex.connection import Connection
from codex_control_plane_mcp.testing.crashes.verdict import awaited
from codex_control_plane_mcp.testing.evidence import fault
from codex_control_plane_mcp.testing.faults.fault import Fault, Script, Subject
from codex_control_plane_mcp.testing.faults.rig import faulty_rig
from codex_control_plane_mcp.testing.prompts import prompt
from codex_control_plane_mcp.testing.rig import ScriptedRig, scripted_rig
from codex_control_plane_mcp.testing.task_client import PATIENCE, TaskClient
from codex_control_plane_mcp.store.identifiers import new_id

pytestmark = [pytest.mark.live, pytest.mark.anyio]

PLAN: Final = "plan # Faster\\n\\n1. Measure."
OBJECTIVE: Final = "All tests in a second"


class Planned:
    """A plan workflow with a goal, of one rig."""

    def __init__(self, rig: ScriptedRig, workflow_id: str, operation_id: str) -> None:
        self.rig, self.workflow_id, self.operation_id = rig, workflow_id, operation_id

    def row(self) -> goal.Goal:
        with self.rig.store.read() as reader:
            row = reader.goal_of_workflow(self.workflow_id)
        assert row is not None
        return row

    async def goal_is(self, *states: str) -> goal.Goal:
        ok = await awaited(self.rig.store, lambda: self.row().state in states, PATIENCE)
        assert ok, self.row()
        return self.row()

    async def shown(self) -> JsonValue:
        with self.rig.store.read() as reader:
            row = reader.operation(self.operation_id)
        assert row is not None and row.thread_id is not None
        return (await self.ask("thread/goal/get", threadId=row.thread_id)).get("goal")

    async def ask(self, method: str, **params: JsonValue) -> JsonObject:
        running = await self.rig.app_server()
        assert running is not None
        async with await Connection.open(running.socket_path, client_version="other") as connection:
            return await connection.call(method, params)

    def thread_id(self) -> str:
        with self.rig.store.read() as reader:
            row = reader.operation(self.operation_id)
        assert row is not None and row.thread_id is not None
        return row.thread_id

    def stop(self) -> None:
        with self.rig.store.transaction("srv_test") as (tx, reader):
            row = reader.plan_workflow(self.workflow_id)
            assert isinstance(row, plan_workflow.Open)
            tx.apply(row.stop(), by="client", evidence="a client wishes it")

    def approve(self, text: str) -> str:
        with self.rig.store.transaction("srv_test") as (tx, reader):
            row = reader.plan_workflow(self.workflow_id)
            assert isinstance(row, plan_workflow.PlanReady), row
            op = tx.apply(submission(self.rig, tx.now, self.workflow_id, "execution", text, self.thread_id()))
            tx.apply(row.approve(execution_operation_id=op.operation_id))
            return op.operation_id


def submission(rig, now, wf, role, text, thread_id=None):
    return operation.submit(
        operation_id=new_id("op", now), operation_type="send_message" if thread_id else "start_chat",
        payload_hash="h", message=text, runs_turn=True, project_id="p", project_path=str(rig.project),
        cwd=str(rig.project), sandbox="workspace-write", approval_policy="never", timeout_seconds=30,
        recovery_policy="report", max_continuations=1, agent_id="", resource_keys=[], priority="normal",
        estimated_cost_class="normal", ranked_at=now, thread_id=thread_id,
        collaboration_mode="plan" if role == "plan" else "default", workflow_id=wf, workflow_role=role,
    )


def start(rig: ScriptedRig, *steps: str, action="clear", **more) -> Planned:
    with rig.store.transaction("srv_test") as (tx, _):
        wf = new_id("wf", tx.now)
        op = tx.apply(submission(rig, tx.now, wf, "plan", prompt(*steps)))
        tx.apply(plan_workflow.start(plan_workflow_id=wf, payload_hash="h", project_id="p", plan_operation_id=op.operation_id, requested_sandbox="workspace-write", effective_sandbox="workspace-write"))
        tx.apply(goal.configure(goal_id=new_id("goal", tx.now), workflow_id=wf, objective=OBJECTIVE, completion_action=action, **more))
    return Planned(rig, wf, op.operation_id)


@pytest.fixture
async def rig():
    async with scripted_rig() as opened:
        yield opened


async def test_write_and_clear(rig):
    async with rig.open_client() as client:
        work = start(rig, PLAN, token_budget=5000)
        await rig.start_worker()
        await client.wait_until(work.operation_id, "completed")
        row = await work.goal_is("active")
        shown = await work.shown()
        assert (shown["objective"], shown["status"], shown["tokenBudget"]) == (OBJECTIVE, "paused", 5000)
        ex = work.approve(prompt("say Done."))
        await client.wait_until(ex, "completed")
        await work.goal_is("cleared")
        assert await work.shown() is None


@pytest.mark.parametrize("action,state", [("set_complete", "complete"), ("leave", "left")])
async def test_end(rig, action, state):
    async with rig.open_client() as client:
        work = start(rig, PLAN, action=action, completion_objective="It is done" if action == "set_complete" else None)
        await rig.start_worker()
        await client.wait_until(work.operation_id, "completed")
        await work.goal_is("active")
        ex = work.approve(prompt("say Done."))
        await client.wait_until(ex, "completed")
        await work.goal_is(state)
        shown = await work.shown()
        assert (shown["objective"], shown["status"]) == (("It is done", "complete") if action == "set_complete" else (OBJECTIVE, "paused"))


async def test_override(rig):
    async with rig.open_client() as client:
        work = start(rig, PLAN)
        await rig.start_worker()
        await client.wait_until(work.operation_id, "completed")
        await work.goal_is("active")
        await work.ask("thread/goal/set", threadId=work.thread_id(), objective="Mine", status="paused")
        await work.goal_is("external_override")
        work.stop()
        assert (await work.shown())["objective"] == "Mine"


async def test_unsupported():
    async with scripted_rig(codex_settings="features.goals = false") as rig, rig.open_client() as client:
        work = start(rig, PLAN)
        await rig.start_worker()
        await client.wait_until(work.operation_id, "completed")
        row = await work.goal_is("unsupported")
        print(row)
