"""Workers: one that replaces a dead one, loses its lease, ends, hands over."""

import signal
import socket
from typing import Final

from codex_control_plane_mcp.process_identity import ProcessIdentity
from codex_control_plane_mcp.store import LeaseKeeper
from codex_control_plane_mcp.testing.crashes.stage import Stage
from codex_control_plane_mcp.testing.crashes.stories.story import Story
from codex_control_plane_mcp.testing.versions import as_version


async def bury_a_worker(stage: Stage) -> None:
    """A worker that finds another one on record whose process is gone."""
    await stage.worker_dies_at("worker.execute.committed")
    async with stage.trapped_worker():
        await stage.ended(await stage.submit("say Done."))


async def lose_the_lease(stage: Stage) -> None:
    """A worker whose lease another one takes while a turn runs."""
    operation_id = await stage.submit("wait never", ends=["interrupted"])
    async with stage.trapped_worker() as wire:
        await stage.client.wait_until(operation_id, "running")
        thief = _thief(stage)
        await stage.sprung(wire)
        thief.release()
        await stage.client.interrupt(operation_id)
        await stage.ended(operation_id)


async def end_the_worker(stage: Stage) -> None:
    """A worker that is asked to end while a turn runs."""
    operation_id = await stage.submit("wait never", ends=["interrupted"])
    async with stage.trapped_worker() as wire:
        await stage.client.wait_until(operation_id, "running")
        stage.worker.send_signal(signal.SIGTERM)
        await stage.sprung(wire)
        await stage.client.interrupt(operation_id)
        await stage.ended(operation_id)


async def hand_over(stage: Stage) -> None:
    """A worker of an older version that a newer server asks to leave."""
    await stage.start_worker(**as_version("0.0.1", stage.rig.directory / "versions"))
    await stage.ended(await stage.submit("say Done."))
    async with stage.trapped_server(CODEX_MCP_EXECUTION_MODE="inline") as client:
        operation_id = await stage.submit("say Done.", by=client)
    # Asked to leave by a server that broke before it could start a successor: the next server starts one.
    await stage.start_worker()
    await stage.ended(operation_id)
    await stage.end_strangers()


STORIES: Final = (
    Story(bury_a_worker, ("worker.lose",)),
    Story(lose_the_lease, ("worker.yield_lease",)),
    Story(end_the_worker, ("worker.drain", "worker.stop")),
    Story(hand_over, ("worker.request_handover",), trap_in="server"),
)


def _thief(stage: Stage) -> LeaseKeeper:
    """Take the lease from whoever holds it, as a worker does whose clock has run ahead."""
    with stage.rig.store.read() as reader:
        fence = reader.lease().fence
    keeper = LeaseKeeper(
        stage.rig.store,
        worker_id="wrk_thief",
        identity=ProcessIdentity(1, "a process that is none of ours"),
        hostname=f"not-{socket.gethostname()}",
        lease_seconds=60,
    )
    assert keeper.acquire(fence) is not None
    return keeper
