"""The usage limit: met, outwaited, and left."""

from collections.abc import Sequence
from typing import Final

from codex_control_plane_mcp.testing.crashes.stage import Stage
from codex_control_plane_mcp.testing.crashes.stories.story import AN_HOUR_MS, Story


async def meet_the_usage_limit(stage: Stage) -> None:
    """A task that waits for the reset of the usage limit, and is stopped meanwhile."""
    stage.rig.model.quota.exhaust(AN_HOUR_MS / 1000)
    operation_id = await stage.submit("say Never.", ends=["interrupted"])
    async with stage.trapped_worker():
        await stage.client.wait_until(operation_id, "waiting_for_quota")
    await stage.client.interrupt(operation_id)
    await stage.ended(operation_id)


async def outwait_the_usage_limit(stage: Stage) -> None:
    """A task that goes on after the reset of the usage limit."""
    operation_id = await _limited(stage, "say Done.\nnext: say Done.", ends=["completed"])
    stage.rig.model.quota.restore()
    async with stage.trapped_worker("--later", str(2 * AN_HOUR_MS)):
        await stage.ended(operation_id)


async def stop_at_the_usage_limit(stage: Stage) -> None:
    """A task that waits for the usage limit and is stopped."""
    operation_id = await _limited(stage, "say Never.", ends=["interrupted"])
    async with stage.trapped_server() as client:
        await stage.insist(client.interrupt(operation_id))
    await stage.ended(operation_id)


STORIES: Final = (
    Story(meet_the_usage_limit, ("operation.await_quota",)),
    Story(outwait_the_usage_limit, ("operation.replenish",)),
    Story(stop_at_the_usage_limit, ("operation.stop",), trap_in="server"),
)


async def _limited(stage: Stage, steps: str, *, ends: Sequence[str]) -> str:
    """Bring a task to wait for the usage limit, which is reset after an hour, with no worker left."""
    stage.rig.model.quota.exhaust(AN_HOUR_MS / 1000)
    operation_id = await stage.submit(steps, ends=ends)
    await stage.start_worker()
    await stage.client.wait_until(operation_id, "waiting_for_quota")
    await stage.kill_worker()
    return operation_id
