"""Deaths while something is on its way: of a worker with a prompt, of an app-server with a turn."""

from collections.abc import Sequence
from typing import Final

from codex_control_plane_mcp.testing.crashes.stage import Stage
from codex_control_plane_mcp.testing.crashes.stories.story import Story
from codex_control_plane_mcp.testing.evidence import thread_of
from codex_control_plane_mcp.testing.rollouts import rollout


async def lose_the_worker_with_a_prompt_sent(stage: Stage) -> None:
    """A prompt whose worker died before it took notice of the reply; Codex runs it."""
    operation_id = await stage.submit("say Done.")
    # Any earlier, and Codex may drop the request together with the connection.
    await stage.worker_dies_at("codex.turn/start.reply_late")
    async with stage.trapped_worker():
        await stage.ended(operation_id)


async def lose_the_worker_with_a_prompt_on_record(stage: Stage) -> None:
    """A prompt whose worker died before it sent it."""
    operation_id = await stage.submit("say Done.")
    await stage.worker_dies_at("codex.turn/start.before_send")
    async with stage.trapped_worker():
        await stage.ended(operation_id)


async def find_an_empty_file(stage: Stage) -> None:
    """An app-server that dies, and a successor that cannot read the thread."""
    operation_id = await lose_the_file(stage, stage.new_gate())
    async with stage.trapped_worker():
        await stage.ended(operation_id)


async def delete_the_thread(stage: Stage) -> None:
    """An app-server that dies, and a thread that somebody deletes before there is a successor."""
    operation_id, thread_id = await _broken_turn(stage, stage.new_gate(), ends=["orphaned"])
    rollout(stage.rig.home, thread_id).unlink()
    async with stage.trapped_worker():
        await stage.ended(operation_id)


async def lose_the_file(stage: Stage, gate: str) -> str:
    """Bring a task about whose turn, held at a gate, has died, and whose thread cannot be read any more."""
    operation_id, thread_id = await _broken_turn(stage, gate, ends=["unknown_after_app_server_exit"])
    rollout(stage.rig.home, thread_id).write_text("")
    return operation_id


async def carry_a_task_on(stage: Stage) -> None:
    """An app-server that dies with a task in it that is to go on in another turn."""
    gate = stage.new_gate()
    operation_id = await stage.submit(f"wait {gate}\nnext: say Done.", recovery_policy="continue")
    await stage.start_worker()
    await stage.held(gate)
    await stage.client.wait_until(operation_id, "running")
    await stage.kill_worker()
    await stage.rig.kill_app_server()
    async with stage.trapped_worker():
        await stage.ended(operation_id)


STORIES: Final = (
    Story(
        lose_the_worker_with_a_prompt_sent,
        ("attempt.doubt", "codex.thread/resume", "codex.thread/turns/list"),
    ),
    Story(lose_the_worker_with_a_prompt_on_record, ("attempt.void",)),
    Story(find_an_empty_file, ("operation.lose", "turn.lose")),
    Story(delete_the_thread, ("operation.orphan",)),
    Story(carry_a_task_on, ("operation.carry_on",)),
)


async def _broken_turn(stage: Stage, gate: str, *, ends: Sequence[str]) -> tuple[str, str]:
    """Let worker and app-server die with a turn that is held at a gate; return the task and its thread."""
    operation_id = await stage.submit(f"wait {gate}", "say Done.", ends=ends)
    await stage.start_worker()
    await stage.held(gate)
    thread_id = thread_of(await stage.client.wait_until(operation_id, "running"))
    await stage.kill_worker()
    await stage.rig.kill_app_server()
    return operation_id, thread_id
