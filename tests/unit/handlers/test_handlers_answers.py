"""Answers that are refused before Codex could consume them."""

from typing import cast

import pytest

from codex_control_plane_contract.values import JsonObject, JsonValue
from codex_control_plane_mcp.questions import COMMAND, ELICITATION, PERMISSIONS, USER_INPUT
from codex_control_plane_mcp.testing.played_worker import PlayedWorker
from codex_control_plane_mcp.testing.tool_caller import ToolCaller

ANSWER = "codex_answer_pending_interaction"
WISH: JsonObject = {
    "network": None,
    "fileSystem": {
        "read": None,
        "write": ["/a", "/b"],
        "entries": [{"path": {"type": "path", "path": "/a"}, "access": "write"}],
    },
}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that nobody confirms is reported at once."""
    monkeypatch.setattr("codex_control_plane_mcp.handlers.interactions.CONFIRMATION_SECONDS", 0.01)


def misfit(client: ToolCaller, interaction_id: str, **answer: JsonValue) -> str:
    """Return the place that the refusal of an answer names."""
    failed = client.call(ANSWER, interaction_id=interaction_id, **answer)
    assert failed["error"]["code"] == "INVALID_ARGUMENT", failed
    path: str = failed["error"]["details"]["path"]
    return path


@pytest.mark.parametrize("depth", [101, 990, 1500])
def test_content_that_is_nested_too_deeply_is_refused(
    client: ToolCaller, running: str, worker: PlayedWorker, depth: int
) -> None:
    """Whatever stores it or sends it on calls itself once a level."""
    question = worker.ask(running, ELICITATION, {"serverName": "s", "message": "m"}, kind="elicitation")
    content: JsonObject = {}
    for _ in range(depth):
        content = {"a": content}
    assert misfit(client, question, action="accept", content=content) == "content"


@pytest.mark.parametrize(
    ("granted", "place"),
    [
        ({"network": {"enabled": True}}, "permissions.network.enabled"),
        ({"fileSystem": {"write": ["/a", "/c"]}}, "permissions.fileSystem.write[1]"),
        ({"fileSystem": {"read": ["/a"]}}, "permissions.fileSystem.read[0]"),
        (
            {"fileSystem": {"entries": [{"path": {"type": "path", "path": "/"}, "access": "write"}]}},
            "permissions.fileSystem.entries[0]",
        ),
        ({"fileSystem": {"globScanMaxDepth": 9}}, "permissions.fileSystem.globScanMaxDepth"),
        ({"filesystem": {}}, "permissions"),
    ],
)
@pytest.mark.parametrize("raw", [False, True])
def test_more_than_was_asked_for_is_granted_nowhere(
    client: ToolCaller, running: str, worker: PlayedWorker, granted: JsonObject, place: str, *, raw: bool
) -> None:
    """At any depth, in our form and in Codex's own."""
    question = worker.ask(running, PERMISSIONS, {"permissions": WISH}, kind="permissions")
    if raw:
        assert misfit(client, question, raw_response={"permissions": granted}) == f"raw_response.{place}"
    else:
        assert misfit(client, question, permissions=granted) == place


@pytest.mark.parametrize(
    "granted", [{}, WISH, {"fileSystem": {"write": ["/b"]}}, {"fileSystem": None, "network": {}}]
)
def test_a_part_of_what_was_asked_for_is_granted(
    client: ToolCaller,
    running: str,
    worker: PlayedWorker,
    granted: JsonObject,
) -> None:
    """Also nothing at all."""
    question = worker.ask(running, PERMISSIONS, {"permissions": WISH}, kind="permissions")
    assert client.call(ANSWER, interaction_id=question, permissions=granted)["answerRecorded"]


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        ({}, "raw_response"),
        ({"decision": "yes"}, "raw_response.decision"),
        ({"decision": "accept", "why": "so"}, "raw_response"),
    ],
)
def test_a_raw_answer_fits_the_schema_that_codex_has_for_it(
    client: ToolCaller, running: str, worker: PlayedWorker, raw: JsonObject, place: str
) -> None:
    """A field that Codex does not know would be lost without a word."""
    question = worker.ask(running, COMMAND, {"command": "ls", "cwd": "/"})
    assert misfit(client, question, raw_response=raw) == place


def rule(*words: str) -> JsonObject:
    """Return the decision that allows every command that begins with these words, for good."""
    return {"acceptWithExecpolicyAmendment": {"execpolicy_amendment": [*words]}}


HOST: JsonObject = {"host": "example.com", "action": "allow"}
REACH: JsonObject = {"applyNetworkPolicyAmendment": {"network_policy_amendment": HOST}}


@pytest.mark.parametrize(
    ("offer", "offered"),
    [
        ({"availableDecisions": ["accept", rule("make", "test"), "cancel"]}, [rule("make", "test")]),
        ({"availableDecisions": ["accept"], "proposedExecpolicyAmendment": ["make", "test"]}, []),
        ({"proposedExecpolicyAmendment": ["make", "test"]}, [rule("make", "test")]),
        ({"proposedNetworkPolicyAmendments": [HOST]}, [REACH]),
        ({}, []),
    ],
)
def test_a_lasting_decision_is_one_that_codex_offers(
    client: ToolCaller,
    running: str,
    worker: PlayedWorker,
    offer: JsonObject,
    offered: list[JsonObject],
) -> None:
    """As a whole: it makes a rule that outlasts the question. The refusal holds what is offered."""
    question = worker.ask(running, COMMAND, {"command": "make test", "cwd": "/", **offer})
    for other in (rule("make"), rule("rm"), rule(), {**rule("make", "test"), **REACH}):
        failed = client.call(ANSWER, interaction_id=question, decision_payload=other)
        details = failed["error"]["details"]
        assert (details["path"], details["allowed"][4:]) == ("decision_payload", offered)
        assert misfit(client, question, raw_response={"decision": other}) == "raw_response.decision"
    for one in offered[:1]:
        assert client.call(ANSWER, interaction_id=question, decision_payload=one)["answerRecorded"]


@pytest.mark.parametrize(
    ("offered", "term"), [(["session"], "always"), (None, "session"), ("always", "always")]
)
def test_a_leave_lasts_as_long_as_codex_offers(
    client: ToolCaller, running: str, worker: PlayedWorker, offered: JsonValue, term: str
) -> None:
    """Which is said beside the answer."""
    asked: JsonObject = {"serverName": "s", "message": "m", "_meta": {"persist": offered}}
    question = worker.ask(running, ELICITATION, asked, kind="elicitation")
    raw: JsonObject = {"action": "accept", "content": {}, "_meta": {"persist": term}}
    assert misfit(client, question, raw_response=raw) == "raw_response._meta.persist"


def test_a_misfit_shows_the_rule_that_it_breaks(
    client: ToolCaller, running: str, worker: PlayedWorker
) -> None:
    """As JSON, not as a program would print it."""
    question = worker.ask(running, ELICITATION, {"serverName": "s", "message": "m"}, kind="elicitation")
    failed = client.call(ANSWER, interaction_id=question, raw_response={"action": "allow"})
    assert failed["error"]["details"]["allowed"] == ["accept", "cancel", "decline"]


def test_a_raw_answer_answers_the_questions_that_were_asked(
    client: ToolCaller, running: str, worker: PlayedWorker
) -> None:
    """Its form alone does not make it an answer."""
    asked = cast("JsonObject", {"questions": [{"id": "q1", "question": "Which?"}]})
    question = worker.ask(running, USER_INPUT, asked, kind="user_input")
    assert misfit(client, question, raw_response={"answers": {}}) == "raw_response.answers.q1"
    other: JsonObject = {"answers": {"q2": {"answers": ["x"]}}}
    assert misfit(client, question, raw_response=other) == "raw_response.answers.q2"


def test_a_whole_answer_leaves_no_room_for_parts(
    client: ToolCaller, running: str, worker: PlayedWorker
) -> None:
    """Which of the two should count would be a guess."""
    question = worker.ask(running, COMMAND, {"command": "ls", "cwd": "/"})
    raw: JsonObject = {"decision": "accept"}
    assert misfit(client, question, raw_response=raw, decision="decline") == "decision"
