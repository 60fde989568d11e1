"""Words for a turn that runs, and copies of a thread."""

from typing import Final

from codex_control_plane_mcp.testing.crashes.stage import Stage
from codex_control_plane_mcp.testing.crashes.stories.story import Story
from codex_control_plane_mcp.testing.evidence import thread_of


async def steer_a_turn(stage: Stage) -> None:
    """Words for a turn that runs; it ends with them, or without them if they were lost."""
    gate = stage.new_gate()
    operation_id = await stage.submit(f"wait {gate}", "say Not steered.")
    async with stage.trapped_worker():
        turn = await stage.client.turn_of(operation_id, within=stage.patience)
        await stage.held(gate)
        steer = await stage.steer(turn, "say Steered.")
        # On record is not with Codex: a turn that may end before would not take the words.
        await stage.answered(steer)
        await stage.rig.model.gates.open(gate)
        await stage.ended(steer)
        await stage.ended(operation_id)


async def fork_a_thread(stage: Stage) -> None:
    """A copy of a thread, with which nothing is done."""
    operation_id = await stage.submit("say Done.")
    async with stage.trapped_worker():
        row = await stage.client.ended(operation_id, within=stage.patience)
        await stage.ended(await stage.fork(thread_of(row)))


STORIES: Final = (
    Story(steer_a_turn, ("codex.turn/steer", "operation.steer", "operation.take_in")),
    Story(fork_a_thread, ("codex.thread/fork", "operation.fork")),
)
