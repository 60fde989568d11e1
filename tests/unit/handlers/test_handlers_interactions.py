"""codex_list_pending_interactions and codex_answer_pending_interaction."""

import asyncio
import json
from typing import Any

import pytest

from codex_control_plane_contract.lifecycles import interaction
from codex_control_plane_contract.values import JsonObject, JsonValue
from codex_control_plane_mcp.questions import COMMAND, ELICITATION, FILE_CHANGE, PERMISSIONS, USER_INPUT
from codex_control_plane_mcp.sealing import opened
from codex_control_plane_mcp.testing.played_worker import PlayedWorker
from codex_control_plane_mcp.testing.tool_caller import ToolCaller

LIST = "codex_list_pending_interactions"
ANSWER = "codex_answer_pending_interaction"
PLACE: JsonObject = {"threadId": "thread-1", "turnId": "turn-1"}
AMENDMENT: JsonObject = {"acceptWithExecpolicyAmendment": {"execpolicy_amendment": ["rm", "-rf", "build"]}}
ASKED: JsonObject = {
    **PLACE,
    "command": "rm -rf build",
    "cwd": "/srv/shop",
    "availableDecisions": ["accept", AMENDMENT, "cancel"],
}
QUESTIONS: JsonObject = {
    **PLACE,
    "questions": [
        {"id": "q1", "question": "Which one?", "options": [{"label": "A", "description": "first"}]},
        {"id": "q2", "question": "The password?", "isSecret": True},
    ],
}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that nobody confirms is reported at once."""
    monkeypatch.setattr("codex_control_plane_mcp.handlers.interactions.CONFIRMATION_SECONDS", 0.01)


@pytest.fixture
def question(running: str, worker: PlayedWorker) -> str:
    """The id of an open approval."""
    return worker.ask(running, COMMAND, ASKED)


def listed(client: ToolCaller, **arguments: JsonValue) -> list[dict[str, Any]]:
    """Return the interactions of a list."""
    found: list[dict[str, Any]] = client.call(LIST, **arguments)["interactions"]
    return found


def stored(client: ToolCaller, interaction_id: str) -> interaction.Interaction:
    """Return the row of an interaction."""
    with client.store.read() as reader:
        row = reader.interaction(interaction_id)
    assert row is not None
    return row


def test_an_approval_says_what_and_how(client: ToolCaller, question: str, running: str) -> None:
    """In words, with its risk and the fitting arguments."""
    [shown] = listed(client, operation_id=running)
    assert shown["interactionId"] == question
    assert (shown["status"], shown["terminal"], shown["answerRecorded"]) == ("pending", False, False)
    assert "rm -rf build" in shown["prompt"]
    assert shown["riskSummary"]["level"] == "high"
    assert shown["answerSchema"] == {
        "type": "approval_decision",
        "arguments": ["decision"],
        "alternatives": ["decision_payload"],
    }
    assert "a rule that stays" in shown["riskSummary"]["summary"]
    assert shown["expiresAt"] > shown["createdAt"]


def test_a_decision_that_codex_describes_is_shown_whole(client: ToolCaller, question: str) -> None:
    """By its key among the words, and as the object that is to be given."""
    assert question
    [shown] = listed(client)
    assert shown["availableDecisions"] == [
        "accept",
        "acceptForSession",
        "decline",
        "cancel",
        "acceptWithExecpolicyAmendment",
    ]
    assert shown["decisionPayloads"] == [AMENDMENT]


def test_without_a_list_of_codex_every_decision_is_available(
    client: ToolCaller, running: str, worker: PlayedWorker
) -> None:
    """A file change comes without one."""
    worker.ask(
        running, FILE_CHANGE, PLACE, changes=[{"path": "a.py", "kind": {"type": "update"}, "diff": "+1"}]
    )
    [shown] = listed(client)
    assert shown["availableDecisions"] == ["accept", "acceptForSession", "decline", "cancel"]
    assert shown["changes"] == [{"path": "a.py", "kind": "update", "diff": "+1"}]


def test_a_question_lists_its_parts(client: ToolCaller, running: str, worker: PlayedWorker) -> None:
    """With options and which of them is secret."""
    worker.ask(running, USER_INPUT, QUESTIONS, kind="user_input")
    [shown] = listed(client)
    assert [part["id"] for part in shown["questions"]] == ["q1", "q2"]
    assert shown["questions"][1]["isSecret"] is True
    assert "availableDecisions" not in shown


def test_an_approval_prompt_is_shown_whole(client: ToolCaller, running: str, worker: PlayedWorker) -> None:
    """Who decides must see what he decides on."""
    command = "deploy --token ghp_" + "a1B2" * 9 + " " + "x" * 3000
    worker.ask(running, COMMAND, {**ASKED, "command": command})
    assert command in listed(client)[0]["prompt"]


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({}, 2),
        ({"thread_id": "thread-1"}, 2),
        ({"turn_id": "turn-1", "thread_id": "thread-1"}, 2),
        ({"thread_id": "other"}, 0),
        ({"turn_id": "other"}, 0),
        ({"status": "answered"}, 0),
    ],
)
def test_filters_choose(
    client: ToolCaller,
    running: str,
    worker: PlayedWorker,
    filters: dict[str, JsonValue],
    count: int,
) -> None:
    """What matches all of them is listed."""
    worker.ask(running, COMMAND, ASKED)
    worker.ask(running, COMMAND, ASKED)
    assert client.call(LIST, **filters)["count"] == count


def test_an_unknown_operation_is_an_error(client: ToolCaller) -> None:
    """An empty list would look like good news."""
    assert client.call(LIST, operation_id="op_x")["error"]["code"] == "CODEX_OPERATION_NOT_FOUND"


def test_a_limit_says_that_there_is_more(client: ToolCaller, running: str, worker: PlayedWorker) -> None:
    """The oldest come first."""
    first = worker.ask(running, COMMAND, ASKED)
    worker.ask(running, COMMAND, ASKED)
    answer = client.call(LIST, limit=1)
    assert ([one["interactionId"] for one in answer["interactions"]], answer["truncated"]) == ([first], True)
    assert "truncated" not in client.call(LIST, limit=2)


def test_a_recorded_answer_is_still_pending(client: ToolCaller, question: str) -> None:
    """Until Codex confirms it; the list says that an answer is there."""
    client.call(ANSWER, interaction_id=question, decision="accept")
    [shown] = listed(client)
    assert (shown["status"], shown["answerRecorded"]) == ("pending", True)


def test_a_confirmed_answer_is_listed_as_answered(
    client: ToolCaller, question: str, worker: PlayedWorker
) -> None:
    """With the time of its end."""
    client.call(ANSWER, interaction_id=question, decision="accept")
    worker.confirm(question)
    assert listed(client) == []
    [shown] = listed(client, status="answered")
    assert (shown["terminal"], shown["answerRecorded"]) == (True, True)
    assert shown["resolvedAt"]


def test_the_deadline_is_told_apart_from_a_person(
    client: ToolCaller, question: str, worker: PlayedWorker
) -> None:
    """An automatic refusal says so, with its reason."""

    def lapse() -> None:
        row = stored(client, question)
        assert isinstance(row, interaction.Pending)
        worker.change(
            lambda transaction, _: transaction.apply(
                row.lapse(response={"decision": "decline"}, reason="Nobody answered by the deadline.")
            )
        )

    lapse()
    worker.confirm(question)
    [shown] = listed(client, status="auto_declined")
    assert (shown["autoResolved"], shown["reason"]) == (True, "Nobody answered by the deadline.")


def test_an_answer_is_stored_and_ordered(client: ToolCaller, question: str, running: str) -> None:
    """The row holds what Codex takes, and a command delivers it."""
    summons = client.summons
    answer = client.call(ANSWER, interaction_id=question, decision="acceptForSession")
    assert (answer["status"], answer["answerRecorded"]) == ("pending", True)
    assert (answer["operationId"], answer["operationStatus"]) == (running, "waiting_for_approval")
    assert answer["nextRecommendedAction"] == "poll_operation_status"
    assert stored(client, question).response == {"decision": "acceptForSession"}
    with client.store.read() as reader:
        [command] = reader.open_commands()
    assert (command.worker_command_id, command.command_type) == (answer["commandId"], "deliver_answer")
    assert client.summons == summons + 1


def test_an_answer_waits_for_its_confirmation(
    client: ToolCaller,
    question: str,
    worker: PlayedWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The result then tells how Codex goes on."""
    monkeypatch.setattr("codex_control_plane_mcp.handlers.interactions.CONFIRMATION_SECONDS", 60)
    client.on_summon = lambda: worker.confirm(question)

    async def scenario() -> dict[str, Any]:
        return await asyncio.wait_for(
            client.answer(ANSWER, {"interaction_id": question, "decision": "accept"}), 30
        )

    answer = asyncio.run(scenario())
    assert (answer["status"], answer["operationStatus"]) == ("answered", "running")
    assert answer["nextRecommendedAction"] == "poll_turn_status"


def test_a_second_answer_is_refused(client: ToolCaller, question: str) -> None:
    """The error says that the first one is on its way, and since when."""
    client.call(ANSWER, interaction_id=question, decision="accept")
    fault = client.call(ANSWER, interaction_id=question, decision="decline")["error"]
    assert fault["code"] == "CODEX_PENDING_INTERACTION_UNAVAILABLE"
    assert fault["details"]["status"] == "pending"
    assert fault["details"]["answeredAt"].endswith("Z")
    assert stored(client, question).response == {"decision": "accept"}


def test_an_answer_after_the_end_is_refused(client: ToolCaller, question: str, worker: PlayedWorker) -> None:
    """The error says how and when it ended."""
    client.call(ANSWER, interaction_id=question, decision="accept")
    worker.confirm(question)
    fault = client.call(ANSWER, interaction_id=question, decision="decline")["error"]
    assert fault["code"] == "CODEX_PENDING_INTERACTION_UNAVAILABLE"
    assert fault["details"]["status"] == "answered"
    assert fault["details"]["resolvedAt"].endswith("Z")


def test_parallel_answers_count_once(client: ToolCaller, question: str) -> None:
    """The first wins, all others are told."""

    async def scenario() -> list[dict[str, Any]]:
        return await asyncio.gather(
            *(client.answer(ANSWER, {"interaction_id": question, "decision": "accept"}) for _ in range(10))
        )

    answers = asyncio.run(scenario())
    assert sum(answer["ok"] for answer in answers) == 1
    assert {answer["error"]["code"] for answer in answers if not answer["ok"]} == {
        "CODEX_PENDING_INTERACTION_UNAVAILABLE"
    }


def test_an_unknown_interaction_is_not_found(client: ToolCaller) -> None:
    """The list tells the ids."""
    answer = client.call(ANSWER, interaction_id="int_x", decision="accept")
    assert answer["error"]["code"] == "CODEX_PENDING_INTERACTION_NOT_FOUND"


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({}, "decision"),
        ({"decision": "accept", "answers": {"q1": ["A"]}}, "answers"),
        ({"permissions": {}}, "permissions"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused(
    client: ToolCaller, question: str, arguments: dict[str, JsonValue], path: str
) -> None:
    """Nothing is stored, and a better answer may follow."""
    fault = client.call(ANSWER, interaction_id=question, **arguments)["error"]
    assert (fault["code"], fault["details"]["path"]) == ("INVALID_ARGUMENT", path)
    assert stored(client, question).state == "pending"


def test_a_secret_is_stored_sealed(client: ToolCaller, running: str, worker: PlayedWorker) -> None:
    """No byte of it is in the state file, and the worker can open it."""
    secret = worker.ask(running, USER_INPUT, QUESTIONS, kind="user_input")
    client.call(ANSWER, interaction_id=secret, answers={"q1": ["A"], "q2": ["hunter2-hunter2"]})
    response = stored(client, secret).response
    assert response is not None
    directory = client.store.path.parent
    assert "hunter2" not in json.dumps(response)
    assert opened(response, directory) == {
        "answers": {"q1": {"answers": ["A"]}, "q2": {"answers": ["hunter2-hunter2"]}}
    }
    assert not any(b"hunter2" in file.read_bytes() for file in directory.glob("state.sqlite*"))


@pytest.mark.parametrize("decision", ["accept", "decline"])
def test_permissions_are_granted_in_part(
    client: ToolCaller, running: str, worker: PlayedWorker, decision: str
) -> None:
    """What is given is what was asked for, or nothing."""
    asked: JsonObject = {**PLACE, "permissions": {"network": {"enabled": True}, "fileSystem": {}}}
    question = worker.ask(running, PERMISSIONS, asked, kind="permissions")
    granted: JsonObject = {"network": {"enabled": True}} if decision == "accept" else {}
    client.call(ANSWER, interaction_id=question, permissions=granted, scope="session")
    assert stored(client, question).response == {"permissions": granted, "scope": "session"}


def test_an_elicitation_is_checked_against_its_schema(
    client: ToolCaller, running: str, worker: PlayedWorker
) -> None:
    """A form that does not fit would be lost without a word."""
    schema: JsonObject = {
        "type": "object",
        "properties": {"name": {"type": "string"}},
        "required": ["name"],
    }
    asked: JsonObject = {**PLACE, "serverName": "crm", "message": "Who?", "requestedSchema": schema}
    question = worker.ask(running, ELICITATION, asked, kind="elicitation")
    assert listed(client)[0]["answerSchema"]["schema"] == schema
    fault = client.call(ANSWER, interaction_id=question, action="accept", content={"name": 5})["error"]
    assert fault["details"]["path"] == "content.name"
    client.call(ANSWER, interaction_id=question, action="accept", content={"name": "Ada"})
    assert stored(client, question).response == {"action": "accept", "content": {"name": "Ada"}}
