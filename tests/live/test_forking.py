"""Copies of threads, over MCP against a real Codex: with a message and without, and of threads at work."""

import pytest

from codex_control_plane_contract.types import ForkState, Operation
from codex_control_plane_mcp.testing.evidence import fault, report, thread_of
from codex_control_plane_mcp.testing.prompts import prompt
from codex_control_plane_mcp.testing.rig import ScriptedRig
from codex_control_plane_mcp.testing.task_client import CallFailed, TaskClient

pytestmark = [pytest.mark.live, pytest.mark.anyio]


def fork_state(row: Operation) -> ForkState:
    """Return what became of the copy."""
    found = row.get("forkState")
    assert found is not None, row
    return found


async def a_thread(client: TaskClient, text: str) -> str:
    """Return a thread in which the model has answered a message."""
    task = await client.submit(text)
    return thread_of(await client.wait_until(task["operationId"], "completed"))


async def test_a_copy_with_a_message_runs_a_turn_that_knows_the_source(
    rig: ScriptedRig, client: TaskClient
) -> None:
    """The model sees what was said before, and the source goes on without what is said to the copy."""
    told, asked = prompt("say Noted."), prompt("say On the copy.")
    source = await a_thread(client, told)
    fork = await client.fork(source, message=asked)
    row = await client.wait_until(fork["operationId"], "completed")
    state = fork_state(row)
    assert (state["accepted"], state["hasInitialMessage"], state["ambiguous"]) == (True, True, False)
    assert state.get("forkedThreadId") == thread_of(row) != source
    assert (report(row), state.get("turnId")) == ("On the copy.", row.get("turnId"))
    assert told in rig.model.requests[-1].earlier_texts
    further = await client.send(source, prompt("say On the source."))
    await client.wait_until(further["operationId"], "completed")
    assert asked not in rig.model.requests[-1].earlier_texts
    assert (rig.times_seen(told), rig.times_seen(asked)) == (1, 1)


async def test_a_copy_without_a_message_is_a_thread_to_go_on_with(
    rig: ScriptedRig, client: TaskClient
) -> None:
    """Nothing is sent to the model before somebody says something on the copy."""
    told = prompt("say Noted.")
    source = await a_thread(client, told)
    calls = len(rig.model.requests)
    fork = await client.fork(source, title="A copy", client_request_id=f"copy-{id(client)}")
    row = await client.wait_until(fork["operationId"], "completed")
    assert (row["nextRecommendedAction"], fork_state(row)["hasInitialMessage"]) == (
        "read_forked_thread",
        False,
    )
    assert len(rig.model.requests) == calls
    again = await client.fork(source, title="A copy", client_request_id=f"copy-{id(client)}")
    assert again["operationId"] == fork["operationId"]
    further = await client.send(thread_of(row), prompt("say Further."))
    assert report(await client.wait_until(further["operationId"], "completed")) == "Further."
    assert told in rig.model.requests[-1].earlier_texts


async def test_a_thread_at_work_is_copied_without_waiting(rig: ScriptedRig, client: TaskClient) -> None:
    """The copy breaks off where the source is at work; the source does not notice."""
    gate = f"at-work-{id(client)}"
    task = await client.submit(prompt(f"wait {gate}", "say Undisturbed."))
    turn = await client.turn_of(task["operationId"])
    assert await rig.model.gates.reached(gate, 30)
    fork = await client.fork(turn["threadId"], message=prompt("say Meanwhile."))
    assert report(await client.wait_until(fork["operationId"], "completed")) == "Meanwhile."
    await rig.model.gates.open(gate)
    assert report(await client.wait_until(task["operationId"], "completed")) == "Undisturbed."


async def test_an_unknown_thread_cannot_be_copied(rig: ScriptedRig, client: TaskClient) -> None:
    """Codex is asked, and its answer is the error."""
    unknown = "01a20360-0000-7000-8000-000000000000"
    fork = await client.fork(unknown, cwd=str(rig.project))
    row = await client.ended(fork["operationId"])
    assert (row["status"], fault(row)["code"]) == ("failed", "CODEX_THREAD_NOT_FOUND")
    assert not fork_state(row)["accepted"]


async def test_a_copy_in_memory_only_is_refused(client: TaskClient) -> None:
    """It would not survive a crash, which is what this server is for."""
    with pytest.raises(CallFailed, match="ephemeral"):
        await client.fork("01a20360-0000-7000-8000-000000000000", ephemeral=True)
