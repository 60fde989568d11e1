"""The app-server dies with a turn in it: what became of it is reported, or the task is carried on."""

from collections.abc import AsyncGenerator

import pytest

from codex_control_plane_contract.codex import CONTINUATION_PROMPT
from codex_control_plane_contract.types import ContinuationState, Operation
from codex_control_plane_mcp.testing.evidence import fault, report, thread_of
from codex_control_plane_mcp.testing.prompts import prompt
from codex_control_plane_mcp.testing.rig import ScriptedRig, scripted_rig
from codex_control_plane_mcp.testing.task_client import CallFailed, TaskClient

pytestmark = [pytest.mark.live, pytest.mark.anyio]


@pytest.fixture(scope="module")
async def rig(anyio_backend: str) -> AsyncGenerator[ScriptedRig]:  # noqa: ARG001 -- anyio wants it
    """A rig for all tests of this module, which tries again after a second."""
    async with scripted_rig(CODEX_MCP_RETRY_SECONDS="1") as opened:
        yield opened


def continuations(rig: ScriptedRig, row: Operation) -> int:
    """Return how often the model was asked to go on with a task."""
    return prompts_of(rig, row).count(CONTINUATION_PROMPT)


def prompts_of(rig: ScriptedRig, row: Operation) -> list[str]:
    """Return every prompt of a task that reached the model, in order."""
    thread = thread_of(row)
    return [
        each.user_text for each in rig.model.requests if each.thread_id == thread and not each.tool_outputs
    ]


def state_of(row: Operation) -> ContinuationState:
    """Return what the status says of continuations."""
    found = row.get("continuationState")
    assert found is not None, f"no continuations: {row}"
    return found


async def running(rig: ScriptedRig, client: TaskClient, task: str, gate: str) -> Operation:
    """Return the task once the model is at work on its turn."""
    assert await rig.model.gates.reached(gate, 20)
    return await client.wait_until(task, "running")


async def test_a_death_is_reported_where_nobody_asked_for_more(rig: ScriptedRig) -> None:
    """Without a policy the task ends with its turn, and nothing is sent in its name."""
    text = prompt("wait reported", "say Never.")
    async with rig.open_client() as client:
        task = (await client.submit(text))["operationId"]
        await running(rig, client, task, "reported")
        await rig.kill_app_server()
        row = await client.ended(task)
    assert row["status"] == "interrupted"
    assert "continuationState" not in row
    assert prompts_of(rig, row) == [text]


async def test_a_task_is_carried_on_after_the_death_of_its_app_server(rig: ScriptedRig) -> None:
    """One more turn on the same thread finishes it, and the status names the turn that broke off."""
    text = prompt("run echo before", "wait carried", "say Never.") + "\nnext: say Carried on."
    async with rig.open_client() as client:
        task = (await client.submit(text, recovery_policy="continue"))["operationId"]
        first = await running(rig, client, task, "carried")
        await rig.kill_app_server()
        row = await client.wait_until(task, "completed")
    assert report(row) == "Carried on."
    assert thread_of(row) == thread_of(first)
    assert state_of(row) == {
        "recoveryPolicy": "continue",
        "maxContinuations": 1,
        "continuationCount": 1,
        "earlierTurnIds": [first.get("turnId")],
    }
    assert prompts_of(rig, row) == [text, CONTINUATION_PROMPT]


async def test_the_second_death_is_reported_where_one_continuation_is_allowed(rig: ScriptedRig) -> None:
    """The bound counts deaths, and then the task ends as it would have without a policy."""
    text = prompt("wait death 1", "say Never.") + "\nnext: wait death 2"
    async with rig.open_client() as client:
        task = (await client.submit(text, recovery_policy="continue"))["operationId"]
        first = await running(rig, client, task, "death 1")
        await rig.kill_app_server()
        second = await running(rig, client, task, "death 2")
        await rig.kill_app_server()
        row = await client.ended(task)
    assert row["status"] == "interrupted"
    assert fault(row)["code"] == "CODEX_APP_SERVER_UNAVAILABLE"
    assert (row.get("turnId"), state_of(row).get("earlierTurnIds")) == (
        second.get("turnId"),
        [first.get("turnId")],
    )
    assert prompts_of(rig, row) == [text, CONTINUATION_PROMPT]


async def test_an_app_server_that_keeps_dying_is_left_alone_for_a_while() -> None:
    """Health says why; a task that comes meanwhile waits in the queue and runs after the pause."""
    async with scripted_rig(CODEX_MCP_RETRY_SECONDS="3") as rig, rig.open_client() as client:
        first = (await client.submit(prompt("wait first", "say Never.")))["operationId"]
        await running(rig, client, first, "first")
        await rig.kill_app_server()
        await client.ended(first)
        second = (await client.submit(prompt("wait second", "say Never.")))["operationId"]
        await running(rig, client, second, "second")
        await rig.kill_app_server()
        health = await client.health()
        while not health["findings"]:
            row = await client.status(second)
            assert row["status"] == "running", "its end needs an app-server"
            health = await client.health()
        [found] = health["findings"]
        assert (found["id"], health["appServer"]["status"]) == ("app_server_exited", "unavailable")
        assert "keeps ending" in found["message"]
        after = (await client.submit(prompt("say After the pause.")))["operationId"]
        assert report(await client.wait_until(after, "completed")) == "After the pause."
        assert (await client.health())["findings"] == []


async def test_two_deaths_are_survived_where_two_are_allowed(rig: ScriptedRig) -> None:
    """Each continuation is a turn of its own, asked for once."""
    text = prompt("wait twice 1", "say Never.") + "\nnext: wait twice 2\nnext: say Twice."
    async with rig.open_client() as client:
        task = (await client.submit(text, recovery_policy="continue", max_continuations=2))["operationId"]
        await running(rig, client, task, "twice 1")
        await rig.kill_app_server()
        await running(rig, client, task, "twice 2")
        await rig.kill_app_server()
        await rig.model.gates.open("twice 2")
        row = await client.wait_until(task, "completed")
    assert report(row) == "Twice."
    assert (state_of(row)["continuationCount"], len(state_of(row).get("earlierTurnIds", []))) == (2, 2)
    assert prompts_of(rig, row) == [text, CONTINUATION_PROMPT, CONTINUATION_PROMPT]


async def test_a_question_that_died_is_orphaned_and_the_task_carried_on(rig: ScriptedRig) -> None:
    """Nobody can answer it any more; it names the turn that asked, and the next turn asks for itself."""
    text = prompt("ask touch never", "say Never.") + "\nnext: say Without asking."
    async with rig.open_client() as client:
        task = (await client.submit(text, recovery_policy="continue"))["operationId"]
        question = await client.question(task)
        await rig.kill_app_server()
        row = await client.wait_until(task, "completed")
        [orphan] = await client.list_interactions(operation_id=task, status="orphaned_after_app_server_exit")
        with pytest.raises(CallFailed) as refused:
            await client.answer(question, decision="accept")
    assert refused.value.code == "CODEX_PENDING_INTERACTION_UNAVAILABLE"
    assert orphan["interactionId"] == question["interactionId"]
    assert state_of(row).get("earlierTurnIds") == [question.get("turnId")]
    assert prompts_of(rig, row) == [text, CONTINUATION_PROMPT]


async def test_a_worker_killed_between_death_and_continuation_changes_nothing(rig: ScriptedRig) -> None:
    """Whatever step the worker had reached, the next one sends the continuation once."""
    async with rig.open_client(CODEX_MCP_LEASE_SECONDS="2") as client:
        for status in ("queued", "starting_thread", "starting_turn"):
            text = prompt(f"wait {status}", "say Never.") + f"\nnext: say After {status}."
            task = (await client.submit(text, recovery_policy="continue"))["operationId"]
            await running(rig, client, task, status)
            await rig.kill_app_server()
            await client.wait_until(task, status, "starting_turn", "running", "completed")
            await rig.kill_worker()
            row = await client.wait_until(task, "completed")
            assert report(row) == f"After {status}."
            assert prompts_of(rig, row) == [text, CONTINUATION_PROMPT]


async def test_worker_and_app_server_killed_together_are_no_different(rig: ScriptedRig) -> None:
    """The next worker starts the next app-server, reads the history and carries the task on."""
    text = prompt("wait together", "say Never.") + "\nnext: say Together."
    async with rig.open_client() as client:
        task = (await client.submit(text, recovery_policy="continue"))["operationId"]
        await running(rig, client, task, "together")
        await rig.kill_server(client)
        await rig.kill_worker()
        await rig.kill_app_server()
    async with rig.open_client() as client:
        row = await client.wait_until(task, "completed")
    assert report(row) == "Together."
    assert prompts_of(rig, row) == [text, CONTINUATION_PROMPT]


async def test_a_task_that_is_to_be_stopped_is_not_carried_on(rig: ScriptedRig) -> None:
    """The wish of the client outlives the app-server; the task ends interrupted."""
    text = prompt("wait stopped", "say Never.") + "\nnext: say Never either."
    async with rig.open_client() as client:
        task = (await client.submit(text, recovery_policy="continue"))["operationId"]
        await running(rig, client, task, "stopped")
        pid = rig.executing_worker()
        assert pid is not None
        await rig.kill_worker()
        await client.interrupt(task, timeout_seconds=1)
        await rig.kill_app_server()
        row = await client.ended(task)
    assert row["status"] == "interrupted"
    assert prompts_of(rig, row) == [text]
