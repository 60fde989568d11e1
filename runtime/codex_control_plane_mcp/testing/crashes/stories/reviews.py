"""Reviews: asked for, held, and ended in every way."""

from typing import Final

from codex_control_plane_mcp.testing.crashes.stage import Stage
from codex_control_plane_mcp.testing.crashes.stories.story import Story
from codex_control_plane_mcp.testing.evidence import thread_of
from codex_control_plane_mcp.testing.rollouts import rollout

_AN_HOUR_MS: Final = 3600 * 1000


async def review(stage: Stage) -> None:
    """A review in a thread of its own, from the queue to its report."""
    workflow_id, operation_id = await stage.review("say Fine.")
    async with stage.trapped_worker():
        await stage.ended(operation_id)
        await stage.in_phase(workflow_id, "completed")


async def fail_to_review(stage: Stage) -> None:
    """A reviewer that ends without a report."""
    workflow_id, _ = await stage.review("think Hm.", ends=["failed"])
    async with stage.trapped_worker():
        await stage.in_phase(workflow_id, "failed")


async def stop_a_review(stage: Stage) -> None:
    """A review that is stopped while it is held."""
    gate = stage.new_gate()
    workflow_id, operation_id = await stage.review(f"wait {gate}", "say Never.", ends=["interrupted"])
    async with stage.trapped_worker():
        await stage.held(gate)
        await stage.client.wait_until(operation_id, "running", within=stage.patience)
        await stage.client.stop_workflow(workflow_id)
        await stage.in_phase(workflow_id, "failed")


async def meet_the_usage_limit(stage: Stage) -> None:
    """A review that goes back to the queue until the usage limit is reset, and is stopped there."""
    stage.rig.model.quota.exhaust(_AN_HOUR_MS / 1000)
    workflow_id, operation_id = await stage.review("say Never.", ends=["interrupted"])
    async with stage.trapped_worker():
        await stage.client.wait_until(operation_id, "waiting_for_quota", within=stage.patience)
    await stage.client.stop_workflow(workflow_id)
    await stage.in_phase(workflow_id, "failed")


async def lose_a_review(stage: Stage) -> None:
    """A review whose app-server dies, with a successor that cannot read the thread."""
    gate = stage.new_gate()
    workflow_id, operation_id = await stage.review(
        f"wait {gate}", "say Never.", ends=["unknown_after_app_server_exit"]
    )
    await stage.start_worker()
    await stage.held(gate)
    thread_id = thread_of(await stage.client.wait_until(operation_id, "running"))
    await stage.kill_worker()
    await stage.rig.kill_app_server()
    rollout(stage.rig.home, thread_id).write_text("")
    async with stage.trapped_worker():
        await stage.in_phase(workflow_id, "orphaned")


async def start_by_a_server(stage: Stage) -> None:
    """A review that is handed in, once and with its task."""
    async with stage.trapped_server() as client:
        workflow_id, _ = await stage.review("say Fine.", by=client)
    await stage.start_worker()
    await stage.in_phase(workflow_id, "completed")


STORIES: Final = (
    Story(
        review,
        (
            "codex.review/start",
            "operation.open_review",
            "review_workflow.complete",
            "review_workflow.open_review",
            "review_workflow.open_thread",
            "review_workflow.run",
        ),
    ),
    Story(fail_to_review, ("review_workflow.fail",)),
    Story(stop_a_review, ("review_workflow.stop",)),
    Story(meet_the_usage_limit, ("review_workflow.wait",)),
    Story(lose_a_review, ("review_workflow.orphan",)),
    Story(start_by_a_server, ("review_workflow.start",), trap_in="server"),
)
