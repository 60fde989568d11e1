"""Tasks over MCP against a real Codex: how they run, ask, fail and are stopped, in both generations."""

import pytest

from codex_control_plane_mcp.testing.evidence import (
    end_source,
    fault,
    queued_reason,
    report,
    shown,
    thread_of,
)
from codex_control_plane_mcp.testing.prompts import prompt
from codex_control_plane_mcp.testing.rig import ScriptedRig
from codex_control_plane_mcp.testing.task_client import CallFailed, TaskClient

pytestmark = [pytest.mark.live, pytest.mark.anyio]


async def test_a_task_runs_to_its_report(rig: ScriptedRig, client: TaskClient) -> None:
    """The report is the last message of Codex, and progress shows what it did."""
    text = prompt("think Hm.", "run echo one", "say All of it is done.")
    task = await client.submit(text, client_request_id=text, title="To its report")
    row = await client.wait_until(task["operationId"], "completed")
    assert report(row) == "All of it is done."
    assert "$ /bin/bash -lc 'echo one'" in shown(row)
    assert end_source(row) == "notification"
    assert row["attemptCount"] == 1
    again = await client.submit(text, client_request_id=text, title="To its report")
    assert (again["idempotent"], again["operationId"]) == (True, task["operationId"])
    assert rig.times_seen(text) == 1


@pytest.mark.parametrize(
    ("decision", "end", "made"),
    [("accept", "completed", True), ("decline", "completed", False), ("cancel", "interrupted", False)],
)
async def test_a_command_waits_for_leave(
    rig: ScriptedRig, client: TaskClient, decision: str, end: str, made: bool
) -> None:
    """Accepted, it runs; declined, the turn goes on without it; cancelled, the turn ends."""
    made_file = rig.project / f"made-{decision}-{id(client)}"
    text = prompt(f"ask touch {made_file}", "say Over.")
    task = await client.submit(text)
    question = await client.question(task["operationId"])
    assert (question["kind"], question["riskSummary"]["category"]) == ("approval", "command")
    assert str(made_file) in question["prompt"]
    assert not made_file.exists()
    answered = await client.answer(question, decision=decision)
    assert answered["answerRecorded"]
    row = await client.ended(task["operationId"])
    assert (row["status"], made_file.exists()) == (end, made)
    with pytest.raises(CallFailed, match="CODEX_PENDING_INTERACTION_UNAVAILABLE"):
        await client.answer(question, decision="accept")
    assert rig.times_seen(text) == 1


async def test_a_file_change_is_shown_before_it_is_made(rig: ScriptedRig, client: TaskClient) -> None:
    """The question holds the path and the diff, which Codex tells only once."""
    target = rig.directory / f"outside-{id(client)}.txt"
    text = prompt(f"patch {target} first\\nsecond", "say Changed.")
    task = await client.submit(text)
    question = await client.question(task["operationId"])
    assert question["riskSummary"]["category"] == "file_change"
    assert question.get("changes") == [{"path": str(target), "kind": "add", "diff": "first\nsecond\n"}]
    await client.answer(question, decision="accept")
    await client.wait_until(task["operationId"], "completed")
    assert target.read_text() == "first\nsecond\n"
    assert rig.times_seen(text) == 1


async def test_a_question_to_the_person_is_answered(rig: ScriptedRig, client: TaskClient) -> None:
    """The task waits for user input, and the model gets the words of the answer."""
    text = prompt("question Shall I?", "say Thanks.")
    task = await client.submit(text)
    row = await client.wait_until(task["operationId"], "waiting_for_user_input")
    assert row["nextRecommendedAction"] == "answer_pending_interaction"
    question = await client.question(task["operationId"])
    [asked] = question.get("questions", [])
    assert (asked["question"], [one["label"] for one in asked.get("options", [])]) == (
        "Shall I?",
        ["Yes (Recommended)", "No"],
    )
    await client.answer(question, answers={asked["id"]: ["Only a little"]})
    await client.wait_until(task["operationId"], "completed")
    assert "Only a little" in rig.model.requests[-1].tool_outputs[0]
    assert rig.times_seen(text) == 1


async def test_permissions_are_granted_in_part(rig: ScriptedRig, client: TaskClient) -> None:
    """Codex gets what was granted and nothing else."""
    text = prompt("widen /srv", "say Thanks.")
    task = await client.submit(text)
    question = await client.question(task["operationId"])
    assert (question["kind"], question["riskSummary"]["level"]) == ("permissions", "high")
    await client.answer(question, permissions={"fileSystem": {"write": ["/srv"]}}, scope="turn")
    await client.wait_until(task["operationId"], "completed")
    assert "/srv" in rig.model.requests[-1].tool_outputs[0]
    assert rig.times_seen(text) == 1


async def test_a_turn_that_the_model_refuses_fails(rig: ScriptedRig, client: TaskClient) -> None:
    """The task says why, and is not tried again."""
    text = prompt("fail 400 invalid_request_error")
    task = await client.submit(text)
    row = await client.wait_until(task["operationId"], "failed")
    assert fault(row)["code"] == "CODEX_SEND_FAILED"
    assert "scripted failure" in fault(row)["message"]
    assert (fault(row)["retryable"], row["nextRecommendedAction"]) == (False, "inspect_diagnostics")
    assert rig.times_seen(text) == 1


async def test_a_running_task_is_interrupted(client: TaskClient) -> None:
    """The turn ends in Codex too, and stays ended when it is asked again."""
    text = prompt("wait never", "say Too late.")
    task = await client.submit(text)
    await client.wait_until(task["operationId"], "running")
    stopped = await client.interrupt(task["operationId"])
    assert stopped["status"] == "interrupted"
    with pytest.raises(CallFailed, match="INVALID_ARGUMENT"):
        await client.interrupt(task["operationId"])
    row = await client.status(task["operationId"])
    assert (row["status"], "finalReport" in row) == ("interrupted", False)


async def test_a_waiting_task_is_interrupted(client: TaskClient) -> None:
    """Its question is closed with it."""
    task = await client.submit(prompt("ask touch never", "say Too late."))
    question = await client.question(task["operationId"])
    assert (await client.interrupt(task["operationId"]))["status"] == "interrupted"
    closed = await client.list_interactions(operation_id=task["operationId"], status="expired")
    assert [one["interactionId"] for one in closed] == [question["interactionId"]]
    assert await client.list_interactions(operation_id=task["operationId"]) == []


async def test_a_thread_goes_on_and_takes_one_task_at_a_time(rig: ScriptedRig, client: TaskClient) -> None:
    """A second message waits for the first one's end; one that is stopped in the queue never runs."""
    gate = f"busy-{id(client)}"
    texts = [
        prompt("say One."),
        prompt(f"wait {gate}", "say Two."),
        prompt("say Three."),
        prompt("say Four."),
    ]
    first = await client.submit(texts[0])
    thread_id = thread_of(await client.wait_until(first["operationId"], "completed"))
    second = await client.send(thread_id, texts[1])
    assert await rig.model.gates.reached(gate, 20)
    third = await client.send(thread_id, texts[2])
    fourth = await client.send(thread_id, texts[3])
    row = await client.status(third["operationId"])
    assert (row["status"], queued_reason(row)) == ("queued", "thread_slot_limit")
    assert (await client.interrupt(fourth["operationId"]))["status"] == "cancelled"
    await rig.model.gates.open(gate)
    rows = [await client.wait_until(one["operationId"], "completed") for one in (second, third)]
    assert [thread_of(row) for row in rows] == [thread_id] * 2
    assert [report(row) for row in rows] == ["Two.", "Three."]
    assert [rig.times_seen(text) for text in texts] == [1, 1, 1, 0]


async def test_an_unknown_thread_fails_the_task(rig: ScriptedRig, client: TaskClient) -> None:
    """Codex is asked, and its answer is the error; waiting would not help."""
    unknown = "01a20360-0000-7000-8000-000000000000"
    task = await client.send(unknown, prompt("say Where?"), cwd=str(rig.project))
    row = await client.ended(task["operationId"])
    assert (row["status"], fault(row)["code"]) == ("failed", "CODEX_THREAD_NOT_FOUND")
