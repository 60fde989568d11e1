"""Words for a turn that runs, over MCP against a real Codex: they arrive, arrive once, or say why not."""

import pytest

from codex_control_plane_contract.types import Operation, SteerState, Turn
from codex_control_plane_mcp.testing.evidence import fault, report, thread_of, turn_id_of
from codex_control_plane_mcp.testing.prompts import prompt
from codex_control_plane_mcp.testing.rig import ScriptedRig
from codex_control_plane_mcp.testing.task_client import CallFailed, TaskClient

pytestmark = [pytest.mark.live, pytest.mark.anyio]


async def a_running_turn(rig: ScriptedRig, client: TaskClient, gate: str) -> tuple[str, Turn]:
    """Return a task and its turn, in which the model is held at a gate."""
    task = await client.submit(prompt(f"wait {gate}", "say Not steered."))
    turn = await client.turn_of(task["operationId"])
    assert await rig.model.gates.reached(gate, 30)
    return task["operationId"], turn


def steer_state(row: Operation) -> SteerState:
    """Return what became of the words."""
    found = row.get("steerState")
    assert found is not None, row
    return found


async def test_the_model_gets_the_words_in_the_turn_that_runs(rig: ScriptedRig, client: TaskClient) -> None:
    """The steer ends once Codex has taken them; the task ends with the answer to them."""
    task, turn = await a_running_turn(rig, client, f"steered-{id(client)}")
    words = prompt("say Steered.")
    steer = await client.steer(turn, words)
    row = await client.wait_until(steer["operationId"], "completed")
    state = steer_state(row)
    assert (state["accepted"], state["targetThreadId"], state["targetTurnId"]) == (
        True,
        turn["threadId"],
        turn["turnId"],
    )
    assert (row["nextRecommendedAction"], "turnId" in row) == ("none", False)
    ended = await client.wait_until(task, "completed")
    assert (report(ended), ended.get("turnId")) == ("Steered.", turn["turnId"])
    assert rig.times_seen(words) == 1


async def test_the_same_key_steers_once(rig: ScriptedRig, client: TaskClient) -> None:
    """A repetition names the first one, and the model reads the words once."""
    task, turn = await a_running_turn(rig, client, f"once-{id(client)}")
    words = prompt("say Once.")
    first = await client.steer(turn, words, client_request_id=words)
    again = await client.steer(turn, words, client_request_id=words)
    assert (again["operationId"], again["idempotent"]) == (first["operationId"], True)
    await client.wait_until(task, "completed")
    assert (await client.ended(first["operationId"]))["status"] == "completed"
    assert rig.times_seen(words) == 1


async def test_a_turn_takes_its_words_in_the_order_in_which_they_were_said(
    rig: ScriptedRig, client: TaskClient
) -> None:
    """The last of them is what the model does in the end."""
    gate = f"order-{id(client)}"
    task, turn = await a_running_turn(rig, client, gate)
    words = [prompt(f"wait {gate}-{number}", f"say Number {number}.") for number in range(3)]
    words.append(prompt("say The last."))
    steers = [await client.steer(turn, one) for one in words]
    assert [(await client.ended(one["operationId"]))["status"] for one in steers] == ["completed"] * 4
    assert report(await client.wait_until(task, "completed")) == "The last."
    last = rig.model.requests[-1]
    assert [*last.earlier_texts, last.user_text][-4:] == words


async def test_a_finished_turn_takes_no_words(rig: ScriptedRig, client: TaskClient) -> None:
    """The steer fails, is never reported as completed, and the model never reads it."""
    task = await client.submit(prompt("say Over."))
    row = await client.wait_until(task["operationId"], "completed")
    turn = await client.turn(turn_id_of(row))
    words = prompt("say Too late.")
    steered = await client.ended((await client.steer(turn, words))["operationId"])
    assert (steered["status"], fault(steered)["code"]) == ("failed", "CODEX_TURN_NOT_FOUND")
    assert not steer_state(steered)["accepted"]
    assert rig.times_seen(words) == 0


async def test_words_for_another_turn_than_the_one_that_runs_are_refused(
    rig: ScriptedRig, client: TaskClient
) -> None:
    """Codex compares the turns, so words never reach a turn that they were not meant for."""
    first = await client.submit(prompt("say First."))
    row = await client.wait_until(first["operationId"], "completed")
    earlier = await client.turn(turn_id_of(row))
    gate = f"other-{id(client)}"
    second = await client.send(thread_of(row), prompt(f"wait {gate}", "say Second."))
    assert await rig.model.gates.reached(gate, 30)
    words = prompt("say Wrong turn.")
    steered = await client.ended((await client.steer(earlier, words))["operationId"])
    assert (steered["status"], fault(steered)["code"]) == ("failed", "CODEX_TURN_NOT_FOUND")
    await rig.model.gates.open(gate)
    assert report(await client.wait_until(second["operationId"], "completed")) == "Second."
    assert rig.times_seen(words) == 0


async def test_an_unknown_thread_fails_the_steer(rig: ScriptedRig, client: TaskClient) -> None:
    """Codex does not run such a turn, wherever the words are meant to work."""
    unknown: Turn = {**(await a_finished_turn(client)), "threadId": "01a20360-0000-7000-8000-000000000000"}
    steer = await client.steer(unknown, prompt("say Where?"), cwd=str(rig.project))
    row = await client.ended(steer["operationId"])
    assert (row["status"], fault(row)["code"]) == ("failed", "CODEX_TURN_NOT_FOUND")


async def a_finished_turn(client: TaskClient) -> Turn:
    """Return a turn that completed."""
    task = await client.submit(prompt("say Over."))
    return await client.turn(turn_id_of(await client.wait_until(task["operationId"], "completed")))


async def test_a_turn_that_waits_for_an_answer_takes_words(rig: ScriptedRig, client: TaskClient) -> None:
    """They wait in Codex with it, and the model reads them after the answer."""
    task = await client.submit(prompt("ask echo leave", "say Not steered."))
    question = await client.question(task["operationId"])
    turn = await client.turn(question["turnId"])
    assert [one["interactionId"] for one in turn.get("pendingInteractions", [])] == [
        question["interactionId"]
    ]
    words = prompt("say After the answer.")
    steer = await client.steer(turn, words)
    await client.wait_until(steer["operationId"], "completed")
    assert rig.times_seen(words) == 0
    await client.answer(question, decision="accept")
    assert report(await client.wait_until(task["operationId"], "completed")) == "After the answer."
    assert rig.times_seen(words) == 1


async def test_a_turn_is_read_while_it_runs_and_after(rig: ScriptedRig, client: TaskClient) -> None:
    """Running, it has no end; completed, it tells how that became known, and its last message."""
    gate = f"read-{id(client)}"
    task, turn = await a_running_turn(rig, client, gate)
    assert (turn["status"], turn["completionObserved"], turn["operationId"]) == ("running", False, task)
    await rig.model.gates.open(gate)
    await client.wait_until(task, "completed")
    ended = await client.turn(turn["turnId"], thread_id=turn["threadId"])
    assert (ended["status"], ended["completionObserved"]) == ("completed", True)
    assert ended.get("finalMessage") == "Not steered."
    assert ended.get("terminalEvidence", {}).get("method") == "turn/completed"
    with pytest.raises(CallFailed, match="CODEX_TURN_NOT_FOUND"):
        await client.turn(turn["turnId"], thread_id="another")


async def test_a_turn_that_has_ended_is_not_stopped(client: TaskClient) -> None:
    """Named by thread and turn, finished work is refused; a turn that nobody knows is not found."""
    turn = await a_finished_turn(client)
    with pytest.raises(CallFailed, match="INVALID_ARGUMENT"):
        await client.call("codex_interrupt_turn", thread_id=turn["threadId"], turn_id=turn["turnId"])
    with pytest.raises(CallFailed, match="CODEX_TURN_NOT_FOUND"):
        await client.call("codex_interrupt_turn", thread_id=turn["threadId"], turn_id="another")
