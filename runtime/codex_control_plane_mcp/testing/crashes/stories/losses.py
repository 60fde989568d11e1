"""Deaths while something is on its way: of a worker with a prompt, of an app-server with a turn."""

import shutil
from typing import Final

from codex_control_plane_mcp.testing.crashes.stage import Stage
from codex_control_plane_mcp.testing.crashes.stories.story import Story


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


async def lose_the_thread(stage: Stage) -> None:
    """An app-server that dies, and a successor that finds no thread."""
    operation_id = await stage.submit("wait never", ends=["unknown_after_app_server_exit"])
    await stage.start_worker()
    await stage.client.wait_until(operation_id, "running")
    await stage.kill_worker()
    await stage.rig.kill_app_server()
    shutil.rmtree(stage.rig.home / "sessions")
    async with stage.trapped_worker():
        await stage.ended(operation_id)


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
    Story(lose_the_thread, ("operation.lose", "turn.lose")),
    Story(carry_a_task_on, ("operation.carry_on",)),
)
