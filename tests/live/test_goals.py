"""Goals on the threads of plan workflows, with a real Codex: kept by the worker, whoever interferes."""

from collections.abc import AsyncGenerator
from typing import Final

import pytest

from codex_control_plane_contract.types import ThreadGoal, Workflow
from codex_control_plane_contract.values import JsonObject, JsonValue
from codex_control_plane_mcp.codex.connection import Connection
from codex_control_plane_mcp.goals import as_shown
from codex_control_plane_mcp.testing.evidence import thread_of
from codex_control_plane_mcp.testing.faults.fault import Action, Fault, Script, Subject
from codex_control_plane_mcp.testing.faults.rig import faulty_rig
from codex_control_plane_mcp.testing.prompts import prompt
from codex_control_plane_mcp.testing.rig import ScriptedRig, scripted_rig
from codex_control_plane_mcp.testing.task_client import TaskClient

pytestmark = [pytest.mark.live, pytest.mark.anyio]

OBJECTIVE: Final = "All tests run in a second."
WRITTEN: Final[JsonObject] = {"objective": OBJECTIVE, "status": "paused"}
"""The goal as Codex is to show it."""

MINE: Final[JsonObject] = {"objective": "Mine.", "status": "paused"}
"""The goal of somebody else."""

PLANNED: Final = "plan # Faster\\n\\n1. Measure."


class Work:
    """A plan workflow with a goal on one rig, whose execution says that it is done."""

    def __init__(self, rig: ScriptedRig, client: TaskClient) -> None:
        self._rig = rig
        self._client = client
        self.workflow_id = ""

    async def start(self, *steps: str, **more: JsonValue) -> None:
        """Start it."""
        message = prompt(*(steps or (PLANNED,))) + "\nnext: say Done."
        started = await self._client.start_plan(message, goal=OBJECTIVE, **more)
        self.workflow_id = started["workflowId"]

    async def until(self, phase: str) -> Workflow:
        """Return it once it is in a phase."""
        return await self._client.workflow_until(self.workflow_id, lambda row: row["phase"] == phase)

    async def carry_out(self) -> None:
        """Have the plan approved, and carried out to the end."""
        await self.until("plan_ready")
        await self._client.approve_plan(self.workflow_id)
        await self.until("completed")

    async def stop(self) -> None:
        """Stop it."""
        await self._client.stop_workflow(self.workflow_id)

    async def goal_is(self, sync_state: str) -> ThreadGoal:
        """Return its goal once that is in a state."""
        row = await self._client.workflow_until(
            self.workflow_id, lambda row: row["threadGoal"]["syncState"] == sync_state
        )
        return row["threadGoal"]

    async def shown(self) -> JsonObject | None:
        """Return the goal that Codex has on its thread."""
        goal = (await self.tell("thread/goal/get")).get("goal")
        return as_shown(goal) if isinstance(goal, dict) else None

    async def tell(self, method: str, **params: JsonValue) -> JsonObject:
        """Call Codex about its thread, past the worker."""
        thread_id = thread_of(await self._client.workflow(self.workflow_id))
        running = await self._rig.app_server()
        assert running is not None
        async with await Connection.open(running.socket_path, client_version="other") as connection:
            return await connection.call(method, {"threadId": thread_id, **params})


@pytest.fixture
async def rig(anyio_backend: str) -> AsyncGenerator[ScriptedRig]:  # noqa: ARG001 -- anyio wants it
    """A rig for each test, which tries again after a second."""
    async with scripted_rig(CODEX_MCP_RETRY_SECONDS="1") as opened:
        yield opened


@pytest.fixture
async def client(rig: ScriptedRig) -> AsyncGenerator[TaskClient]:
    """A client of a server that starts no worker."""
    async with rig.open_client(CODEX_MCP_EXECUTION_MODE="client") as opened:
        yield opened


@pytest.fixture
def work(rig: ScriptedRig, client: TaskClient) -> Work:
    """A workflow that is not started yet."""
    return Work(rig, client)


async def test_a_goal_is_on_the_thread_as_soon_as_there_is_one(rig: ScriptedRig, work: Work) -> None:
    """Before the plan is made, paused, and with the budget."""
    await rig.start_worker()
    await work.start("wait planning", PLANNED, goal_token_budget=5000)
    assert await rig.model.gates.reached("planning", 30)
    goal = await work.goal_is("active")
    assert await work.shown() == {**WRITTEN, "tokenBudget": 5000} == goal.get("currentGoal")
    assert (goal["managed"], goal.get("available"), goal.get("tokenBudget")) == (True, True, 5000)


async def test_a_goal_starts_no_turn_by_itself(rig: ScriptedRig, work: Work) -> None:
    """The model is called for the plan and for its execution, and for nothing else."""
    await rig.start_worker()
    await work.start(goal_completion_action="leave")
    await work.carry_out()
    await work.goal_is("left")
    assert len(rig.model.requests) == 2


async def test_a_goal_is_taken_off_at_the_end(rig: ScriptedRig, work: Work) -> None:
    """By default nothing of it stays."""
    await rig.start_worker()
    await work.start()
    await work.carry_out()
    goal = await work.goal_is("cleared")
    assert await work.shown() is None
    assert "clearedAt" in goal
    assert "currentGoal" not in goal


async def test_a_goal_is_called_complete_at_the_end(rig: ScriptedRig, work: Work) -> None:
    """In the words that the caller wished for."""
    await rig.start_worker()
    await work.start(goal_completion_action="set_complete", goal_completion_objective="They do.")
    await work.carry_out()
    await work.goal_is("complete")
    assert await work.shown() == {"objective": "They do.", "status": "complete"}


async def test_a_goal_may_stay(rig: ScriptedRig, work: Work) -> None:
    """Paused, for somebody to go on with."""
    await rig.start_worker()
    await work.start(goal_completion_action="leave")
    await work.carry_out()
    await work.goal_is("left")
    assert await work.shown() == WRITTEN


async def test_a_goal_that_was_not_reached_is_not_called_complete(rig: ScriptedRig, work: Work) -> None:
    """The workflow was stopped before its plan was carried out."""
    await rig.start_worker()
    await work.start(goal_completion_action="set_complete")
    await work.until("plan_ready")
    await work.goal_is("active")
    await work.stop()
    await work.goal_is("left")
    assert await work.shown() == WRITTEN


async def test_a_goal_of_a_workflow_that_never_had_a_thread_is_dropped(rig: ScriptedRig, work: Work) -> None:
    """Codex is not asked, and need not even be there."""
    await work.start()
    await work.stop()
    await rig.start_worker()
    await work.goal_is("cleared")
    assert await rig.app_server() is None


async def test_what_somebody_else_writes_is_left_alone(rig: ScriptedRig, work: Work) -> None:
    """It is noticed when it happens, and the end of the workflow does not touch it."""
    await rig.start_worker()
    await work.start()
    await work.until("plan_ready")
    await work.goal_is("active")
    await work.tell("thread/goal/set", **MINE)
    goal = await work.goal_is("external_override")
    assert (goal["managed"], goal.get("currentGoal")) == (False, MINE)
    await work.carry_out()
    assert await work.shown() == MINE


async def test_a_goal_that_somebody_else_takes_off_is_not_written_again(rig: ScriptedRig, work: Work) -> None:
    """They had a reason."""
    await rig.start_worker()
    await work.start()
    await work.until("plan_ready")
    await work.goal_is("active")
    await work.tell("thread/goal/clear")
    await work.goal_is("external_override")
    assert await work.shown() is None


async def test_a_change_that_nobody_heard_of_is_found_by_the_next_worker(
    rig: ScriptedRig, work: Work
) -> None:
    """Codex tells of it once, and nobody listened."""
    await rig.start_worker()
    await work.start()
    await work.until("plan_ready")
    await work.goal_is("active")
    await rig.kill_worker()
    await work.tell("thread/goal/set", **MINE)
    await work.stop()
    await rig.start_worker()
    await work.goal_is("external_override")
    assert await work.shown() == MINE


async def test_a_goal_is_taken_off_by_whichever_worker_lives(rig: ScriptedRig, work: Work) -> None:
    """The workflow ended while none did, and Codex is started anew for the goal alone."""
    await rig.start_worker()
    await work.start()
    await work.until("plan_ready")
    await work.goal_is("active")
    await rig.kill_worker()
    await rig.kill_app_server()
    await work.stop()
    await rig.start_worker()
    await work.goal_is("cleared")
    assert await work.shown() is None


async def test_a_codex_without_goals_does_the_work_all_the_same() -> None:
    """They can be switched off, and an older Codex has none."""
    async with scripted_rig(codex_settings="features.goals = false") as rig, rig.open_client() as client:
        work = Work(rig, client)
        await work.start()
        goal = await work.goal_is("unsupported")
        assert (goal["managed"], goal.get("available")) == (False, False)
        await work.carry_out()


@pytest.mark.parametrize("action", ["drop", "cut_before"])
@pytest.mark.parametrize("method", ["thread/goal/set", "thread/goal/get", "thread/goal/clear"])
async def test_a_goal_is_kept_whatever_becomes_of_a_reply(method: str, action: Action) -> None:
    """A lost reply is looked up, not guessed; at the end nothing of the goal is left."""
    script = Script((Fault(Subject("reply", method), action),))
    async with faulty_rig(script, CODEX_MCP_RETRY_SECONDS="1") as (rig, codex), rig.open_client() as client:
        work = Work(rig, client)
        await work.start()
        await work.carry_out()
        await work.goal_is("cleared")
        assert await work.shown() is None
        assert codex.struck()
