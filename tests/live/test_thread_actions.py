"""Threads as a whole: archived, put back and compacted by a real Codex, whoever dies meanwhile."""

from collections.abc import AsyncGenerator
from typing import cast

import pytest

from codex_control_plane_contract.codex import THREAD_ARCHIVE_LOST, THREAD_UNARCHIVE_LOST
from codex_control_plane_contract.lifecycles import worker_command
from codex_control_plane_contract.types import Error
from codex_control_plane_mcp.testing.evidence import fault, report, thread_of
from codex_control_plane_mcp.testing.other_codex import held_elsewhere
from codex_control_plane_mcp.testing.prompts import prompt
from codex_control_plane_mcp.testing.rig import ScriptedRig, scripted_rig
from codex_control_plane_mcp.testing.task_client import CallFailed, TaskClient

pytestmark = [pytest.mark.live, pytest.mark.anyio]


@pytest.fixture
async def rig() -> AsyncGenerator[ScriptedRig]:
    """A rig of its own for each test, whose worker is replaced soon after it dies."""
    async with scripted_rig(CODEX_MCP_RETRY_SECONDS="1", CODEX_MCP_LEASE_SECONDS="2") as opened:
        yield opened


async def new_thread(client: TaskClient, *steps: str, then: str = "") -> str:
    """Return a thread with one completed turn; `then` is the script of what follows there."""
    text = prompt(*(steps or ("say Done.",))) + (f"\nnext: {then}" if then else "")
    task = (await client.submit(text))["operationId"]
    return thread_of(await client.wait_until(task, "completed"))


async def test_a_thread_is_archived_and_put_back(rig: ScriptedRig) -> None:
    """In the archive it takes no task, and says so; put back it does."""
    async with rig.open_client() as client:
        thread = await new_thread(client)
        archived = await client.archive(thread)
        assert (archived["status"], archived["terminalEvidence"]) == ("completed", "reply to thread/archive")
        refused = await client.ended((await client.send(thread, prompt("say Never.")))["operationId"])
        assert "codex_unarchive_thread" in fault(refused)["message"]
        again = await client.archive(thread)
        assert again["terminalEvidence"] == THREAD_ARCHIVE_LOST.evidence
        await client.unarchive(thread)
        after = await client.send(thread, prompt("say Back."))
        assert report(await client.wait_until(after["operationId"], "completed")) == "Back."
        again = await client.unarchive(thread)
        assert again["terminalEvidence"] == THREAD_UNARCHIVE_LOST.evidence


async def test_a_compaction_is_polled_to_its_end(rig: ScriptedRig) -> None:
    """It runs in a turn of its own, and a task that is submitted meanwhile waits for it."""
    async with rig.open_client() as client:
        thread = await new_thread(client, then="wait compacting")
        begun = await client.compact(thread)
        assert (begun["status"], begun["nextRecommendedAction"]) == ("running", "poll_thread_compaction")
        assert await rig.model.gates.reached("compacting", 20)
        assert (await client.compact(thread))["actionId"] == begun["actionId"]
        waiting = await client.send(thread, prompt("say After it."))
        assert waiting.get("queuedReason") == "thread_slot_limit"
        await rig.model.gates.open("compacting")
        ended = await client.action_ended(begun["actionId"])
        assert (ended["status"], ended.get("terminalEvidence")) == ("completed", "thread/turns/list")
        assert ended.get("turnId")
        assert report(await client.wait_until(waiting["operationId"], "completed")) == "After it."
        shown = await client.thread_action(begun["actionId"], include_events=True)
        assert [each["event"] for each in shown.get("events", [])] == ["request", "begin", "complete"]


async def test_a_compaction_that_the_model_fails_is_failed(rig: ScriptedRig) -> None:
    """And the thread goes on as it was."""
    async with rig.open_client() as client:
        thread = await new_thread(client, then="fail 400")
        ended = await client.action_ended((await client.compact(thread))["actionId"])
        assert ended["status"] == "failed"
        assert ended.get("lastError", {})["code"] == "CODEX_SEND_FAILED"
        after = await client.send(thread, prompt("say Still here."))
        assert report(await client.wait_until(after["operationId"], "completed")) == "Still here."


@pytest.mark.parametrize("tool", ["codex_archive_thread", "codex_start_thread_compaction"])
async def test_a_thread_at_work_is_left_alone(rig: ScriptedRig, tool: str) -> None:
    """Either would end the turn, and its question with it; the refusal names the task."""
    async with rig.open_client() as client:
        task = (await client.submit(prompt("wait at-work", "ask echo leave", "say Done.")))["operationId"]
        thread = thread_of(await client.wait_until(task, "running"))
        with pytest.raises(CallFailed) as at_work:
            await client.call(tool, thread_id=thread)
        assert at_work.value.code == "CODEX_BUSY"
        assert at_work.value.error["details"] == {
            "threadId": thread,
            "operationId": task,
            "reason": "active_turn",
        }
        await rig.model.gates.open("at-work")
        question = await client.question(task)
        with pytest.raises(CallFailed) as asking:
            await client.call(tool, thread_id=thread)
        assert asking.value.error["details"]["reason"] == "pending_interaction"
        await client.answer(question, decision="accept")
        assert report(await client.wait_until(task, "completed")) == "Done."


async def test_a_thread_that_another_codex_holds_is_busy(rig: ScriptedRig) -> None:
    """What it does there is nobody's to end."""
    async with rig.open_client() as client:
        thread = await new_thread(client)
        await rig.kill_worker()
        await rig.kill_app_server()
        async with held_elsewhere(rig, thread):
            for call in (client.archive(thread), _compacted(client, thread)):
                with pytest.raises(CallFailed, match="Another Codex") as held:
                    await call
                assert held.value.code == "CODEX_BUSY"
        await client.archive(thread)


async def test_a_thread_that_codex_does_not_know_is_named(rig: ScriptedRig) -> None:
    """With the error of its own, which its order ends with, too."""
    async with rig.open_client() as client:
        with pytest.raises(CallFailed) as unknown:
            await client.archive("019b2f10-7c3e-7a51-8c67-2f4d8c0e6a01")
        assert unknown.value.code == "CODEX_THREAD_NOT_FOUND"
    with rig.store.read() as reader:
        [order] = reader.recent_commands(limit=1)
    assert isinstance(order, worker_command.Failed)
    assert order.error["code"] == "CODEX_THREAD_NOT_FOUND"


async def test_a_compaction_survives_the_death_of_its_worker(rig: ScriptedRig) -> None:
    """The next one finds it in the thread's history."""
    async with rig.open_client() as client:
        thread = await new_thread(client, then="wait orphaned")
        begun = await client.compact(thread)
        assert await rig.model.gates.reached("orphaned", 20)
        await rig.kill_worker()
        await rig.model.gates.open("orphaned")
        assert (await client.action_ended(begun["actionId"]))["status"] == "completed"
        assert len([each for each in rig.model.requests if each.thread_id == thread]) == 2


async def test_a_compaction_that_dies_with_its_app_server_is_unknown(rig: ScriptedRig) -> None:
    """It may have been applied; the thread goes on in any case."""
    async with rig.open_client() as client:
        thread = await new_thread(client, then="wait lost")
        begun = await client.compact(thread)
        assert await rig.model.gates.reached("lost", 20)
        await rig.kill_app_server()
        ended = await client.action_ended(begun["actionId"])
        assert ended["status"] == "unknown_after_app_server_exit"
        after = await client.send(thread, prompt("say Whole."))
        assert report(await client.wait_until(after["operationId"], "completed")) == "Whole."


async def _compacted(client: TaskClient, thread: str) -> None:
    """Compact a thread; a failure is raised as the tools for archiving raise it."""
    row = await client.action_ended((await client.compact(thread))["actionId"])
    if "lastError" in row:
        raise CallFailed("codex_start_thread_compaction", cast("Error", row["lastError"]))
