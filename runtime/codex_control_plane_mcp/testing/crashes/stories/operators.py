"""Decisions of an operator on what nobody can find out; the process that dies is the operator's command."""

from typing import Final

from codex_control_plane_contract.codex import Choice
from codex_control_plane_mcp.testing.crashes.operator import decide
from codex_control_plane_mcp.testing.crashes.stage import Stage
from codex_control_plane_mcp.testing.crashes.stories.losses import lose_the_file
from codex_control_plane_mcp.testing.crashes.stories.story import Story
from codex_control_plane_mcp.testing.crashes.stories.threads import rested_thread
from codex_control_plane_mcp.testing.evidence import thread_of
from codex_control_plane_mcp.testing.other_codex import held_elsewhere


async def submit_again(stage: Stage) -> None:
    """The request of a task that ended unknown is handed in once more, and once only."""
    gate = stage.new_gate()
    operation_id = await lose_the_file(stage, gate)
    await stage.start_worker()
    await stage.ended(operation_id)
    stage.expect_again(operation_id)
    await stage.rig.model.gates.open(gate)
    await decide(stage, operation_id, "submit_again")
    await stage.ended(stage.replacement_of(operation_id))


async def declare_lost(stage: Stage) -> None:
    """A task is given up whose turn cannot be looked up, because another Codex keeps the thread."""
    gate = stage.new_gate()
    operation_id = await stage.submit(f"wait {gate}", ends=["unknown_after_app_server_exit"])
    await stage.start_worker()
    await stage.held(gate)
    thread_id = thread_of(await stage.client.wait_until(operation_id, "running"))
    await stage.kill_worker()
    await _decide_in_doubt(stage, operation_id, thread_id, "declare_lost")


async def declare_never_received(stage: Stage) -> None:
    """A prompt that was never sent goes out, though another Codex keeps the thread that could tell."""
    thread_id = await rested_thread(stage)
    operation_id = await stage.submit("say Done.", to=thread_id)
    await stage.worker_dies_at("codex.turn/start.before_send")
    await _decide_in_doubt(stage, operation_id, thread_id, "declare_never_received")


async def _decide_in_doubt(stage: Stage, operation_id: str, thread_id: str, choice: Choice) -> None:
    """Decide while another Codex holds the thread; then it lets go."""
    await stage.rig.kill_app_server()
    async with held_elsewhere(stage.rig, thread_id):
        await stage.start_worker()
        await stage.has_fault(operation_id)
        await decide(stage, operation_id, choice)
    await stage.ended(operation_id)


STORIES: Final = (
    Story(submit_again, ("operation.submit_again",), trap_in="operator"),
    Story(declare_lost, ("operation.declare_lost",), trap_in="operator"),
    Story(declare_never_received, ("operation.declare_never_received",), trap_in="operator"),
)
