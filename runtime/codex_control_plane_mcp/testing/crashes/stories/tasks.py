"""Tasks: run, refused, failed, submitted and stopped."""

from typing import Final

from codex_control_plane_mcp.testing.crashes.stage import Stage
from codex_control_plane_mcp.testing.crashes.stories.story import Story


async def run_a_task(stage: Stage) -> None:
    """A task on a new thread, from the queue to its report."""
    async with stage.trapped_worker():
        await stage.ended(await stage.submit("say Done.", title="A name"))


async def fail_a_turn(stage: Stage) -> None:
    """A turn that the model's fault ends."""
    operation_id = await stage.submit("fail 500", ends=["failed"])
    async with stage.trapped_worker():
        await stage.ended(operation_id)


async def refuse_a_thread(stage: Stage) -> None:
    """A Codex that cannot read its configuration, until somebody corrects it."""
    with stage.broken_configuration():
        operation_id = await stage.submit("say Done.")
        async with stage.trapped_worker() as wire:
            await stage.has_fault(operation_id)
            await stage.sprung(wire)
            stage.correct_configuration()
            await stage.ended(operation_id)


async def stop_a_turn(stage: Stage) -> None:
    """A turn that never ends by itself, and is stopped."""
    operation_id = await stage.submit("wait never", ends=["interrupted"])
    async with stage.trapped_worker():
        await stage.client.wait_until(operation_id, "running")
        await stage.client.interrupt(operation_id)
        await stage.ended(operation_id)


async def stop_a_start(stage: Stage) -> None:
    """A task that is to be stopped while no worker lives, before its prompt was sent."""
    operation_id = await stage.submit("say Never.", ends=["cancelled"])
    await stage.worker_dies_at("codex.thread/start.before_send")
    await stage.client.interrupt(operation_id, timeout_seconds=1)
    async with stage.trapped_worker():
        await stage.ended(operation_id)


async def submit_by_a_server(stage: Stage) -> None:
    """A task that is submitted again when the server breaks."""
    await stage.start_worker()
    async with stage.trapped_server() as client:
        operation_id = await stage.submit("say Done.", by=client)
    await stage.ended(operation_id)


async def cancel_by_a_server(stage: Stage) -> None:
    """A queued task that is taken back."""
    operation_id = await stage.submit("say Never.", ends=["cancelled"])
    async with stage.trapped_server() as client:
        await stage.insist(client.interrupt(operation_id))
    await stage.ended(operation_id)


async def stop_by_a_server(stage: Stage) -> None:
    """A running turn that is stopped."""
    operation_id = await stage.submit("wait never", ends=["interrupted"])
    await stage.start_worker()
    await stage.client.wait_until(operation_id, "running")
    async with stage.trapped_server() as client:
        await stage.insist(client.interrupt(operation_id))
    await stage.ended(operation_id)


STORIES: Final = (
    Story(
        run_a_task,
        (
            "attempt.accept",
            "attempt.prepare",
            "attempt.send",
            "codex.thread/start",
            "codex.turn/start",
            "operation.claim",
            "operation.complete",
            "operation.open_thread",
            "operation.open_turn",
            "operation.run",
            "turn.begin",
            "turn.complete",
            "worker.execute",
            "worker.register",
        ),
    ),
    Story(fail_a_turn, ("operation.fail", "turn.fail")),
    Story(refuse_a_thread, ("attempt.refuse", "operation.requeue")),
    Story(
        stop_a_turn,
        (
            "codex.thread/backgroundTerminals/clean",
            "codex.turn/interrupt",
            "operation.interrupt",
            "turn.interrupt",
        ),
    ),
    Story(stop_a_start, ("operation.withdraw",)),
    Story(submit_by_a_server, ("operation.submit", "store"), trap_in="server"),
    Story(cancel_by_a_server, ("operation.cancel",), trap_in="server"),
    Story(stop_by_a_server, ("operation.request_interrupt",), trap_in="server"),
)
