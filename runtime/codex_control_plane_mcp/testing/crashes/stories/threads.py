"""Threads as a whole: archived, put back, compacted."""

from typing import Final

from codex_control_plane_mcp.testing.crashes.stage import Stage
from codex_control_plane_mcp.testing.crashes.stories.story import LONGEST_WAIT, Story
from codex_control_plane_mcp.testing.evidence import thread_of

_NO_THREAD: Final = "019b2f10-7c3e-7a51-8c67-2f4d8c0e6a01"


async def act_on_a_thread(stage: Stage) -> None:
    """A thread that is archived, put back and compacted."""
    thread = await rested_thread(stage)
    async with stage.trapped_worker():
        await stage.client.archive(thread, timeout_seconds=LONGEST_WAIT)
        await stage.client.unarchive(thread, timeout_seconds=LONGEST_WAIT)
        begun = await stage.client.compact(thread)
        await stage.client.action_ended(begun["actionId"], within=stage.patience)


async def act_on_no_thread(stage: Stage) -> None:
    """A thread that Codex does not know."""
    async with stage.trapped_worker():
        await stage.insist(stage.client.archive(_NO_THREAD, timeout_seconds=LONGEST_WAIT))


async def lose_a_compaction(stage: Stage) -> None:
    """An app-server that dies in the middle of a compaction."""
    gate = stage.new_gate()
    thread = await rested_thread(stage, f"\nnext: wait {gate}")
    await stage.start_worker()
    begun = await stage.client.compact(thread)
    await stage.held(gate)
    await stage.kill_worker()
    await stage.rig.kill_app_server()
    async with stage.trapped_worker():
        await stage.client.action_ended(begun["actionId"], within=stage.patience)


async def archive_by_a_server(stage: Stage) -> None:
    """A thread that is archived, and put back for the verdict."""
    thread = await rested_thread(stage)
    await stage.start_worker()
    async with stage.trapped_server() as client:
        await stage.insist(client.archive(thread))
    await stage.client.archive(thread)
    await stage.client.unarchive(thread)


STORIES: Final = (
    Story(
        act_on_a_thread,
        (
            "codex.thread/archive",
            "codex.thread/compact/start",
            "codex.thread/unarchive",
            "thread_action.begin",
            "thread_action.complete",
        ),
    ),
    Story(act_on_no_thread, ("thread_action.fail", "worker_command.fail")),
    Story(lose_a_compaction, ("thread_action.lose",)),
    Story(archive_by_a_server, ("thread_action.request",), trap_in="server"),
)


async def rested_thread(stage: Stage, then: str = "") -> str:
    """Return a thread with one completed turn, and no worker; `then` is the script for what follows."""
    await stage.start_worker()
    operation_id = await stage.submit(f"say Done.{then}")
    await stage.ended(operation_id)
    await stage.kill_worker()
    return thread_of(await stage.client.status(operation_id))
