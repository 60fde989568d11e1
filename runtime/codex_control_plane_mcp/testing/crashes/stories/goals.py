"""Goals on the threads of workflows: written, taken off, called complete, left, and interfered with."""

from typing import Final

from codex_control_plane_contract.values import JsonValue
from codex_control_plane_mcp.codex.connection import Connection
from codex_control_plane_mcp.testing.crashes.stage import Stage
from codex_control_plane_mcp.testing.crashes.stories.story import Story

_OBJECTIVE: Final = "All of it is done."


async def keep_a_goal(stage: Stage) -> None:
    """A goal that is on its thread until somebody stops the workflow."""
    workflow_id = await stage.start_plan(goal=_OBJECTIVE)
    async with stage.trapped_worker():
        await stage.planned(workflow_id)
        await stage.goal_is(workflow_id, "active")
        await stage.client.stop_workflow(workflow_id)
        await stage.goal_is(workflow_id, "cleared")


async def reach_a_goal(stage: Stage) -> None:
    """A goal that is called complete once the plan is carried out."""
    workflow_id = await stage.start_plan(goal=_OBJECTIVE, goal_completion_action="set_complete")
    async with stage.trapped_worker():
        await stage.planned(workflow_id)
        await stage.ended(await stage.approve_plan(workflow_id))
        await stage.goal_is(workflow_id, "complete")


async def leave_a_goal(stage: Stage) -> None:
    """A goal that stays on its thread."""
    workflow_id = await stage.start_plan(goal=_OBJECTIVE, goal_completion_action="leave")
    async with stage.trapped_worker():
        await stage.planned(workflow_id)
        await stage.goal_is(workflow_id, "active")
        await stage.client.stop_workflow(workflow_id)
        await stage.goal_is(workflow_id, "left")


async def overrule_a_goal(stage: Stage) -> None:
    """A goal in whose place another client of Codex writes one of its own."""
    workflow_id = await stage.start_plan(goal=_OBJECTIVE)
    async with stage.trapped_worker():
        thread_id = await stage.planned(workflow_id)
        await stage.goal_is(workflow_id, "active")
        await _tell(stage, "thread/goal/set", threadId=thread_id, objective="Mine.", status="paused")
        # A worker that has nothing to do opens no connection to look; the end of the workflow makes it look.
        await stage.client.stop_workflow(workflow_id)
        await stage.goal_is(workflow_id, "external_override")


async def switch_goals_off(stage: Stage) -> None:
    """A Codex that keeps no goals, for as long as the workflow is planned."""
    await _end_codex(stage)
    with stage.goals_switched_off():
        workflow_id = await stage.start_plan(goal=_OBJECTIVE)
        async with stage.trapped_worker():
            await stage.planned(workflow_id)
            await stage.goal_is(workflow_id, "unsupported")
            await stage.client.stop_workflow(workflow_id)
    await stage.kill_worker()
    await _end_codex(stage)


async def lose_a_goal(stage: Stage) -> None:
    """A goal whose thread somebody archives before it can be taken off."""
    workflow_id = await stage.start_plan(goal=_OBJECTIVE)
    await stage.start_worker()
    thread_id = await stage.planned(workflow_id)
    await stage.goal_is(workflow_id, "active")
    await stage.kill_worker()
    await stage.client.stop_workflow(workflow_id)
    await _tell(stage, "thread/archive", threadId=thread_id)
    async with stage.trapped_worker():
        await stage.goal_is(workflow_id, "error")
    await _tell(stage, "thread/unarchive", threadId=thread_id)


async def start_with_a_goal(stage: Stage) -> None:
    """A workflow that is started again, with its goal, when the server breaks."""
    await stage.start_worker()
    async with stage.trapped_server() as client:
        workflow_id = await stage.start_plan(by=client, goal=_OBJECTIVE)
    await stage.planned(workflow_id)
    await stage.client.stop_workflow(workflow_id)
    await stage.goal_is(workflow_id, "cleared")


STORIES: Final = (
    Story(
        keep_a_goal,
        (
            "codex.thread/goal/clear",
            "codex.thread/goal/get",
            "codex.thread/goal/set",
            "goal.clear",
            "goal.write",
        ),
    ),
    Story(reach_a_goal, ("goal.complete",)),
    Story(leave_a_goal, ("goal.leave",)),
    Story(overrule_a_goal, ("goal.override",)),
    Story(switch_goals_off, ("goal.forgo",)),
    Story(lose_a_goal, ("goal.fail",)),
    Story(start_with_a_goal, ("goal.configure",), trap_in="server"),
)


async def _tell(stage: Stage, method: str, **params: JsonValue) -> None:
    """Call Codex past the worker."""
    running = await stage.rig.app_server()
    assert running is not None, "the app-server outlives its workers"
    async with await Connection.open(running.socket_path, client_version="other") as connection:
        await connection.call(method, params)


async def _end_codex(stage: Stage) -> None:
    """End the app-server, if one runs: the next one reads its configuration anew."""
    if await stage.rig.app_server() is not None:
        await stage.rig.kill_app_server()
