"""The known hazards of Codex, one by one (docs/hazards.md lists them all): each met, and come through."""

import asyncio
import os
import select
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final, cast

import pytest

from codex_control_plane_contract.types import Operation
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.codex.app_server_record import RunningAppServer
from codex_control_plane_mcp.codex.connection import Connection
from codex_control_plane_mcp.process_identity import is_alive
from codex_control_plane_mcp.testing import codex_history
from codex_control_plane_mcp.testing.evidence import fault, report, thread_of
from codex_control_plane_mcp.testing.faults.fault import Fault, Script, Subject, unheard
from codex_control_plane_mcp.testing.faults.faulty_codex import FaultyCodex
from codex_control_plane_mcp.testing.faults.rig import faulty_rig
from codex_control_plane_mcp.testing.faults.stories import NOTIFICATIONS
from codex_control_plane_mcp.testing.other_codex import held_elsewhere
from codex_control_plane_mcp.testing.prompts import prompt
from codex_control_plane_mcp.testing.rig import ScriptedRig, scripted_rig
from codex_control_plane_mcp.testing.rollouts import rollout
from codex_control_plane_mcp.testing.task_client import PATIENCE, TaskClient
from codex_control_plane_mcp.testing.witness import Witness

pytestmark = [pytest.mark.live, pytest.mark.anyio]

SILENCE: Final = unheard(*(method for method in NOTIFICATIONS if method != "turn/started"))
"""Codex tells that a turn has started, and nothing more."""

IMPATIENT: Final = {"CODEX_MCP_SILENCE_SECONDS": "1"}
"""A silent turn is looked up soon."""


@pytest.fixture
async def rig() -> AsyncGenerator[ScriptedRig]:
    """A rig for each test, which tries again after a second."""
    async with scripted_rig(CODEX_MCP_RETRY_SECONDS="1") as opened:
        yield opened


async def app_server(rig: ScriptedRig) -> RunningAppServer:
    """Return the app-server that listens."""
    running = await rig.app_server()
    assert running is not None
    return running


@asynccontextmanager
async def other_client(running: RunningAppServer) -> AsyncGenerator[Witness]:
    """Connect to an app-server past the worker."""
    async with await Connection.open(running.socket_path, client_version="other") as connection:
        yield Witness(connection)


async def resume(client: Witness, thread_id: str) -> None:
    """Load a thread and follow it."""
    await client.connection.call("thread/resume", {"threadId": thread_id, "excludeTurns": True})


async def faulty(client: TaskClient, operation_id: str) -> Operation:
    """Return the operation once it has met a fault."""
    row = await client.status(operation_id)
    async with asyncio.timeout(PATIENCE):
        while "lastError" not in row:
            row = await client.status(operation_id, wait_seconds=20, state_cursor=row["stateCursor"])
    return row


def index(codex: FaultyCodex, subject: Subject) -> int:
    """Return the place of the first message of a subject among all that passed."""
    return next(place for place, one in enumerate(codex.passages()) if one.subject == subject)


async def test_an_interrupt_waits_until_the_turn_has_started() -> None:
    """Sent right after the reply to `turn/start` it would be refused, and the turn would run on."""
    started = Subject("notification", "turn/started")
    async with faulty_rig(Script((Fault(started, "delay"),))) as (rig, codex), rig.open_client() as client:
        task = (await client.submit(prompt("wait never")))["operationId"]
        await client.wait_until(task, "running")
        await client.interrupt(task)
        await client.wait_until(task, "interrupted")
        assert [one.subject for one in codex.struck()] == [started]
        assert index(codex, started) < index(codex, Subject("request", "turn/interrupt"))


async def test_a_turn_that_started_without_a_word_can_be_interrupted() -> None:
    """Whatever else Codex tells of the turn says as well that it has started."""
    started = Subject("notification", "turn/started")
    async with faulty_rig(Script((Fault(started, "drop"),))) as (rig, codex), rig.open_client() as client:
        task = (await client.submit(prompt("wait never")))["operationId"]
        await client.wait_until(task, "running")
        await client.interrupt(task)
        await client.wait_until(task, "interrupted")
        assert [one.subject for one in codex.struck()] == [started]


async def test_a_turn_that_completed_without_its_notification_is_found() -> None:
    """The thread says how it ended."""
    completed = Subject("notification", "turn/completed")
    script = Script((Fault(completed, "drop"),))
    async with faulty_rig(script, **IMPATIENT) as (rig, codex), rig.open_client() as client:
        text = prompt("say Unheard.")
        row = await client.ended((await client.submit(text))["operationId"], within=30)
        assert report(row) == "Unheard."
        assert [one.subject for one in codex.struck()] == [completed]
        assert rig.times_seen(text) == 1


async def test_a_codex_that_falls_silent_after_the_start_is_asked() -> None:
    """A turn of which nothing is heard any more is looked at, and its end is reported."""
    async with faulty_rig(Script(SILENCE), **IMPATIENT) as (rig, codex), rig.open_client() as client:
        text = prompt("run echo unheard", "say Unheard.")
        row = await client.ended((await client.submit(text))["operationId"], within=30)
        assert report(row) == "Unheard."
        assert len(codex.struck()) > 1
        assert rig.times_seen(text) == 1


async def test_a_worker_that_was_stopped_while_codex_had_much_to_tell_catches_up(rig: ScriptedRig) -> None:
    """It reads what has piled up; where Codex has cut it off meanwhile, the history tells it the rest."""
    text = prompt("wait begin", *["run true"] * 20, "wait told", "say All told.")
    async with rig.open_client(CODEX_MCP_LEASE_SECONDS="120") as client:
        task = (await client.submit(text))["operationId"]
        await client.wait_until(task, "running")
        worker = rig.executing_worker()
        assert worker is not None
        os.kill(worker, signal.SIGSTOP)
        await rig.model.gates.open("begin")
        assert await rig.model.gates.reached("told", 2 * PATIENCE)
        os.kill(worker, signal.SIGCONT)
        await rig.model.gates.open("told")
        assert report(await client.wait_until(task, "completed")) == "All told."
    assert rig.times_seen(text) == 1


async def test_a_turn_whose_file_is_empty_is_lost_and_says_so(rig: ScriptedRig) -> None:
    """What a crash within some milliseconds of the first turn leaves; Codex can never read it again."""
    text = prompt("wait never")
    async with rig.open_client() as client:
        task = (await client.submit(text))["operationId"]
        thread_id = thread_of(await client.wait_until(task, "running"))
        assert await rig.model.gates.reached("never", PATIENCE)
        await rig.kill_worker()
        await rig.kill_app_server()
        empty_rollout(rig, thread_id)
        row = await client.wait_until(task, "unknown_after_app_server_exit")
        assert "does not show the thread any more" in fault(row)["message"]
    assert rig.times_seen(text) == 1


async def test_a_message_for_a_thread_whose_file_is_empty_fails(rig: ScriptedRig) -> None:
    """It names the fault instead of waiting for what never comes."""
    async with rig.open_client() as client:
        task = (await client.submit(prompt("say First.")))["operationId"]
        thread_id = thread_of(await client.wait_until(task, "completed"))
        await rig.kill_worker()
        await rig.kill_app_server()
        empty_rollout(rig, thread_id)
        later = prompt("say Never.")
        row = await client.ended((await client.send(thread_id, later))["operationId"])
        assert (row["status"], fault(row)["code"]) == ("failed", "CODEX_THREAD_NOT_FOUND")
    assert rig.times_seen(later) == 0


def empty_rollout(rig: ScriptedRig, thread_id: str) -> None:
    """Leave of a thread's file what a crash leaves that comes before its first write."""
    rollout(rig.home, thread_id).write_text("")


async def test_a_thread_that_another_codex_holds_is_waited_for(rig: ScriptedRig) -> None:
    """Another Codex on the same home has the writer; the message waits and runs once it is free."""
    texts = [prompt("say First."), prompt("say Second.")]
    async with rig.open_client() as client:
        first = await client.wait_until((await client.submit(texts[0]))["operationId"], "completed")
        thread_id = thread_of(first)
        await rig.kill_worker()
        await rig.kill_app_server()
        async with held_elsewhere(rig, thread_id):
            task = (await client.send(thread_id, texts[1]))["operationId"]
            assert fault(await faulty(client, task))["code"] == "CODEX_BUSY"
        assert report(await client.wait_until(task, "completed")) == "Second."
    assert [rig.times_seen(text) for text in texts] == [1, 1]


async def test_a_thread_that_another_client_keeps_busy_is_not_steered(rig: ScriptedRig) -> None:
    """`turn/start` would add the prompt to the turn that runs; the task waits for that turn's end."""
    texts = [prompt("say First."), prompt("say Second.")]
    async with rig.open_client() as client:
        first = await client.wait_until((await client.submit(texts[0]))["operationId"], "completed")
        thread_id = thread_of(first)
        async with other_client(await app_server(rig)) as other:
            await resume(other, thread_id)
            theirs = await other.start_turn(thread_id, "model: wait theirs\nmodel: say Theirs.")
            assert await rig.model.gates.reached("theirs", PATIENCE)
            task = (await client.send(thread_id, texts[1]))["operationId"]
            assert fault(await faulty(client, task))["code"] == "CODEX_BUSY"
            await rig.model.gates.open("theirs")
            assert (await other.see_end())["id"] == theirs
        row = await client.wait_until(task, "completed")
        assert report(row) == "Second."
        assert row.get("turnId") != theirs
    assert [rig.times_seen(text) for text in texts] == [1, 1]


async def test_a_question_that_another_client_answers_is_closed(rig: ScriptedRig) -> None:
    """Any connection may answer; the first answer counts, and ours is not waited for."""
    made = rig.project / "made-elsewhere"
    async with rig.open_client() as client:
        task = (await client.submit(prompt(f"ask touch {made}", "say Done.")))["operationId"]
        question = await client.question(task)
        async with other_client(await app_server(rig)) as other:
            await resume(other, question["threadId"])
            asked = await other.see_request("item/commandExecution/requestApproval")
            await other.connection.answer(asked.request_id, {"decision": "accept"})
            await client.wait_until(task, "completed")
        [closed] = await client.list_interactions(operation_id=task, status="expired")
        assert "without our answer" in closed.get("reason", "")
        assert made.exists()


async def test_a_request_that_nobody_can_answer_is_refused(rig: ScriptedRig) -> None:
    """Another client has offered a tool that is not ours to run: the turn goes on, and health shows it."""
    offered: JsonObject = {"name": "lookup", "description": "Looks up.", "inputSchema": {"type": "object"}}
    async with rig.open_client() as client:
        first = (await client.submit(prompt("say First.")))["operationId"]
        await client.wait_until(first, "completed")
        async with other_client(await app_server(rig)) as other:
            begun = await other.connection.call(
                "thread/start", {"cwd": str(rig.project), "dynamicTools": [offered]}
            )
            thread_id = str(cast("JsonObject", begun["thread"])["id"])
            await other.start_turn(thread_id, "model: say Theirs.")
            await other.see_end()
        task = await client.send(thread_id, prompt("call lookup {}", "say Second."), cwd=str(rig.project))
        assert report(await client.wait_until(task["operationId"], "completed")) == "Second."
        assert "lookup" in rig.model.requests[-1].tools
        [found] = [one for one in (await client.health())["findings"] if one["id"] == "refused_requests"]
        assert "item/tool/call (1)" in found["message"]


async def test_a_codex_that_drains_is_replaced_once_it_has_ended(rig: ScriptedRig) -> None:
    """After SIGTERM it ends its turns and takes no new one; what comes meanwhile waits for its successor."""
    texts = [prompt("wait drained", "say Drained."), prompt("say After.")]
    async with rig.open_client() as client:
        running = (await client.submit(texts[0]))["operationId"]
        assert await rig.model.gates.reached("drained", PATIENCE)
        await client.wait_until(running, "running")
        draining = await app_server(rig)
        os.kill(draining.identity.pid, signal.SIGTERM)
        waiting = (await client.submit(texts[1]))["operationId"]
        assert fault(await faulty(client, waiting))["code"] == "CODEX_APP_SERVER_UNAVAILABLE"
        await rig.model.gates.open("drained")
        assert report(await client.wait_until(running, "completed")) == "Drained."
        assert report(await client.wait_until(waiting, "completed")) == "After."
        assert not is_alive(draining.identity)
    assert [rig.times_seen(text) for text in texts] == [1, 1]


async def test_an_interrupted_turn_leaves_no_command_behind(rig: ScriptedRig) -> None:
    """Codex ends the turn only; the command would run on as a background terminal."""
    pipe = rig.project / "pipe"
    os.mkfifo(pipe)
    async with rig.open_client() as client:
        text = prompt(f"run cat {pipe}", "say Never.")
        task = (await client.submit(text, sandbox="danger-full-access"))["operationId"]
        await client.wait_until(task, "running")
        # Returns when the command reads; from then on it shows when nobody reads any more.
        writer = await asyncio.to_thread(os.open, pipe, os.O_WRONLY)
        await client.interrupt(task)
        await client.wait_until(task, "interrupted")
        assert await asyncio.to_thread(is_abandoned, writer, PATIENCE)
        os.close(writer)


def is_abandoned(writer: int, within: float) -> bool:
    """Return whether the last reader of a pipe goes away within so many seconds."""
    poll = select.poll()
    poll.register(writer, select.POLLERR)
    return bool(poll.poll(within * 1000))


async def test_what_the_spec_does_not_know_is_skipped() -> None:
    """Codex tells more with every release; none of it stops a task."""
    async with faulty_rig() as (rig, codex), rig.open_client() as client:
        task = (await client.submit(prompt("say Done."), title="A name"))["operationId"]
        await client.wait_until(task, "completed")
        told = {
            one.subject.method for one in codex.passages() if one.subject and one.direction == "from_codex"
        }
        assert {"configWarning", "thread/started", "thread/name/updated"} <= told - {*NOTIFICATIONS}


async def test_the_label_of_a_prompt_is_no_key(rig: ScriptedRig) -> None:
    """Codex runs a prompt again whose `clientUserMessageId` it knows; that is why we never send one again."""
    async with rig.open_client() as client:
        task = (await client.submit(prompt("say Once.")))["operationId"]
        thread_id = thread_of(await client.wait_until(task, "completed"))
        running = await app_server(rig)
        [label] = await codex_history.labels(running, thread_id)
        async with other_client(running) as other:
            await resume(other, thread_id)
            await other.start_turn(thread_id, "model: say Twice.", clientUserMessageId=label)
            await other.see_end()
        assert await codex_history.labels(running, thread_id) == [label, label]


async def test_an_app_server_dies_together_with_its_proxy() -> None:
    """So that a test which kills what listens kills Codex, as it would without a proxy."""
    async with faulty_rig() as (rig, _), rig.open_client() as client:
        task = (await client.submit(prompt("wait never"), recovery_policy="report"))["operationId"]
        await client.wait_until(task, "running")
        thread_id = thread_of(await client.status(task))
        await rig.kill_app_server()
        await client.wait_until(task, "interrupted")
        # Its successor has the writer of the thread, which the kernel frees when the last one has died.
        async with other_client(await app_server(rig)) as other:
            await resume(other, thread_id)
