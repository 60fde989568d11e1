"""Workers: started by hand, two at a time, and gone when there is nothing to do."""

import asyncio
import signal

import pytest

from codex_control_plane_mcp.testing.evidence import report
from codex_control_plane_mcp.testing.process_end import ends
from codex_control_plane_mcp.testing.prompts import prompt
from codex_control_plane_mcp.testing.rig import ScriptedRig, scripted_rig

pytestmark = [pytest.mark.live, pytest.mark.anyio]


async def test_a_worker_started_by_hand_works_for_servers_that_start_none(rig: ScriptedRig) -> None:
    """Without one the task waits and health says so; SIGTERM ends it in order and leaves the turn alone."""
    text = prompt("wait by-hand", "say By hand.")
    async with rig.open_client(CODEX_MCP_EXECUTION_MODE="client") as client:
        task = await client.submit(text)
        assert task["nextRecommendedAction"] == "inspect_worker_health"
        assert [one["id"] for one in (await client.health())["findings"]] == ["no_live_worker"]
        worker = await rig.start_worker()
        await client.wait_until(task["operationId"], "running")
        worker.send_signal(signal.SIGTERM)
        assert await worker.wait() == 0
        assert rig.executing_worker() is None
        await rig.model.gates.open("by-hand")
        await rig.start_worker()
        row = await client.wait_until(task["operationId"], "completed")
    assert report(row) == "By hand."
    assert rig.times_seen(text) == 1


async def test_a_second_worker_takes_over_from_a_killed_one() -> None:
    """Two are safe: one executes, the other stands by, and takes up the turn where it is."""
    text = prompt("wait handed-over", "say Handed over.")
    settings = {"CODEX_MCP_LEASE_SECONDS": "2", "CODEX_MCP_EXECUTION_MODE": "client"}
    async with scripted_rig(**settings) as rig, rig.open_client() as client:
        task = await client.submit(text)
        workers = [await rig.start_worker(), await rig.start_worker()]
        await client.wait_until(task["operationId"], "running")
        listed = (await client.health())["workers"]
        assert {one["pid"] for one in listed} <= {worker.pid for worker in workers}
        killed = await rig.kill_worker()
        await rig.model.gates.open("handed-over")
        await client.wait_until(task["operationId"], "completed")
        successor = rig.executing_worker()
        assert successor != killed
        assert successor in {worker.pid for worker in workers}
        assert rig.times_seen(text) == 1


async def test_an_idle_worker_leaves_and_ends_the_app_server() -> None:
    """When there is nothing to do and no server is alive, nothing of ours stays."""
    async with scripted_rig(CODEX_MCP_WORKER_IDLE_SECONDS="1") as rig:
        async with rig.open_client() as client:
            task = await client.submit(prompt("say Then rest."))
            await client.wait_until(task["operationId"], "completed")
            worker, app_server = rig.executing_worker(), await rig.app_server()
            assert worker is not None
            assert app_server is not None
            assert not await asyncio.to_thread(ends, worker, 2.5), "it left while a server was alive"
        assert await asyncio.to_thread(ends, worker)
        assert await asyncio.to_thread(ends, app_server.identity.pid)
        assert await rig.app_server() is None
        assert rig.executing_worker() is None


async def test_a_worker_with_a_turn_in_hand_does_not_leave() -> None:
    """A question may wait for days."""
    async with scripted_rig(CODEX_MCP_WORKER_IDLE_SECONDS="1") as rig:
        async with rig.open_client() as client:
            task = await client.submit(prompt("ask echo leave", "say Stayed."))
            question = await client.question(task["operationId"])
            worker = rig.executing_worker()
            assert worker is not None
        assert not await asyncio.to_thread(ends, worker, 2.5)
        async with rig.open_client() as client:
            await client.answer(question, decision="accept")
            await client.wait_until(task["operationId"], "completed")


async def test_nobody_answers_by_the_deadline() -> None:
    """The question is declined, which the model is told, and the turn goes on."""
    text = prompt("ask touch never", "say Went on without.")
    async with scripted_rig(CODEX_MCP_APPROVAL_RESPONSE_TIMEOUT_SECONDS="1") as rig:
        async with rig.open_client() as client:
            task = await client.submit(text)
            question = await client.question(task["operationId"])
            row = await client.wait_until(task["operationId"], "completed")
            assert report(row) == "Went on without."
            [declined] = await client.list_interactions(
                operation_id=task["operationId"], status="auto_declined"
            )
        assert declined["interactionId"] == question["interactionId"]
        assert declined.get("autoResolved")
        assert "rejected by user" in rig.model.requests[-1].tool_outputs[0]
        assert not (rig.project / "never").exists()
        assert rig.times_seen(text) == 1
