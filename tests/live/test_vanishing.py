"""Threads that somebody deletes while a task is in hand: it ends orphaned, and nothing is said twice."""

from collections.abc import AsyncGenerator

import pytest

from codex_control_plane_mcp.codex.connection import Connection
from codex_control_plane_mcp.testing.crashes.armed_server import armed
from codex_control_plane_mcp.testing.crashes.wire import Wire
from codex_control_plane_mcp.testing.evidence import fault, report, thread_of
from codex_control_plane_mcp.testing.prompts import prompt
from codex_control_plane_mcp.testing.rig import ScriptedRig, scripted_rig
from codex_control_plane_mcp.testing.rollouts import rollout
from codex_control_plane_mcp.testing.task_client import PATIENCE
from codex_control_plane_mcp.testing.trap import EXIT_CODE

pytestmark = [pytest.mark.live, pytest.mark.anyio]

MISSING = "missing source rollout"


@pytest.fixture
async def rig() -> AsyncGenerator[ScriptedRig]:
    """A rig that looks a silent turn up after a second."""
    async with scripted_rig(CODEX_MCP_RETRY_SECONDS="1", CODEX_MCP_SILENCE_SECONDS="1") as opened:
        yield opened


async def test_a_thread_that_vanishes_with_its_app_server_orphans_its_task(rig: ScriptedRig) -> None:
    """Nobody can say how the turn ended; the error says why."""
    text = prompt("wait never")
    async with rig.open_client() as client:
        task = (await client.submit(text, recovery_policy="continue"))["operationId"]
        thread_id = thread_of(await client.wait_until(task, "running"))
        assert await rig.model.gates.reached("never", PATIENCE)
        await rig.kill_worker()
        await rig.kill_app_server()
        rollout(rig.home, thread_id).unlink()
        row = await client.wait_until(task, "orphaned")
    assert fault(row)["code"] == "CODEX_THREAD_NOT_FOUND"
    assert MISSING in fault(row)["message"]
    assert rig.times_seen(text) == 1


async def test_a_turn_whose_file_is_gone_is_heard_to_its_end(rig: ScriptedRig) -> None:
    """The app-server works on in memory; silence and a look at the missing file end nothing."""
    async with rig.open_client() as client:
        task = (await client.submit(prompt("wait on", "say All the same.")))["operationId"]
        thread_id = thread_of(await client.wait_until(task, "running"))
        assert await rig.model.gates.reached("on", PATIENCE)
        rollout(rig.home, thread_id).unlink()
        # The look at a turn that was silent for a second has found that it cannot be read.
        row = await client.status(task)
        while "lastError" not in row:
            row = await client.status(task, wait_seconds=1)
        assert (row["status"], MISSING in fault(row)["message"]) == ("running", True)
        await rig.model.gates.open("on")
        assert report(await client.wait_until(task, "completed")) == "All the same."


async def test_a_turn_that_ends_unheard_in_a_deleted_thread_orphans_its_task(rig: ScriptedRig) -> None:
    """Only a worker that heard the end knows it; the next one finds a thread at rest and no history."""
    text = prompt("wait alone", "say Unheard.")
    async with rig.open_client() as client:
        task = (await client.submit(text))["operationId"]
        thread_id = thread_of(await client.wait_until(task, "running"))
        assert await rig.model.gates.reached("alone", PATIENCE)
        await rig.kill_worker()
        rollout(rig.home, thread_id).unlink()
        await rig.model.gates.open("alone")
        row = await client.wait_until(task, "orphaned")
    assert MISSING in fault(row)["message"]
    assert rig.times_seen(text) == 1


async def test_a_thread_that_another_client_deletes_orphans_its_task(rig: ScriptedRig) -> None:
    """Codex itself forgets it, so that it is as unknown as one that never was; but a turn of it was seen."""
    async with rig.open_client() as client:
        task = (await client.submit(prompt("wait never")))["operationId"]
        thread_id = thread_of(await client.wait_until(task, "running"))
        assert await rig.model.gates.reached("never", PATIENCE)
        await rig.kill_worker()
        running = await rig.app_server()
        assert running is not None
        async with await Connection.open(running.socket_path, client_version="other") as other:
            await other.call("thread/delete", {"threadId": thread_id})
        row = await client.wait_until(task, "orphaned")
    assert fault(row)["code"] == "CODEX_THREAD_NOT_FOUND"


async def test_a_message_for_a_deleted_thread_is_orphaned(rig: ScriptedRig) -> None:
    """Codex remembers that there was such a thread; of one that never was, the task fails."""
    later = prompt("say Never.")
    async with rig.open_client() as client:
        first = (await client.submit(prompt("say First.")))["operationId"]
        thread_id = thread_of(await client.wait_until(first, "completed"))
        await rig.kill_worker()
        await rig.kill_app_server()
        rollout(rig.home, thread_id).unlink()
        row = await client.ended((await client.send(thread_id, later))["operationId"])
    assert (row["status"], fault(row)["code"]) == ("orphaned", "CODEX_THREAD_NOT_FOUND")
    assert rig.times_seen(later) == 0


async def test_a_prompt_that_a_deleted_thread_may_hold_is_not_sent_again(rig: ScriptedRig) -> None:
    """Its reply was lost and its only witness is gone; a thread that was never stored would be begun anew."""
    text = prompt("wait taken")
    async with rig.open_client(CODEX_MCP_EXECUTION_MODE="client") as client:
        with Wire(rig.directory / "wire") as wire:
            worker = await rig.start_worker(
                command=armed("codex.turn/start.reply_late", "exit", wire, "worker")
            )
            task = (await client.submit(text))["operationId"]
            assert await rig.model.gates.reached("taken", PATIENCE)
            assert await worker.wait() == EXIT_CODE
        thread_id = thread_of(await client.status(task))
        await rig.kill_app_server()
        rollout(rig.home, thread_id).unlink()
        await rig.start_worker()
        row = await client.ended(task)
    assert (row["status"], MISSING in fault(row)["message"]) == ("orphaned", True)
    assert rig.times_seen(text) == 1
