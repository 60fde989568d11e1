"""The emitted client of the app-server: what it sends, and which replies it takes."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import pytest

from codex_control_plane_contract.codex import (
    CodexCalls,
    CommandExecutionRequestApproval,
    ErrorNotification,
    ReplyInvalid,
    Turn,
    TurnCompleted,
    read_notification,
    read_server_request,
)
from codex_control_plane_contract.values import JsonObject


class Recorder:
    """A connection that answers what it is told and remembers what it was asked."""

    def __init__(self, reply: Mapping[str, Any]) -> None:
        self.reply = reply
        self.asked: list[tuple[str, Mapping[str, object]]] = []

    async def call(self, method: str, params: Mapping[str, object], *, timeout: float) -> Mapping[str, Any]:  # noqa: ASYNC109 - the protocol's own word
        """The reply, at once."""
        assert timeout == 5
        self.asked.append((method, params))
        return self.reply

    async def ask(self, method: str, params: Mapping[str, object], *, timeout: float) -> Mapping[str, Any]:  # noqa: ASYNC109 - likewise
        """The reply; what changes nothing is marked."""
        return await self.call(f"{method}?", params, timeout=timeout)


def test_only_what_changes_nothing_may_be_asked_again() -> None:
    """Nobody has to know it where a method is called."""
    recorder = Recorder({"thread": {"id": "t"}, "model": "m", "turn": {"id": "1", "status": "inProgress"}})
    calls = CodexCalls(recorder)
    asyncio.run(calls.thread_resume(timeout=5, thread_id="t"))
    asyncio.run(calls.turn_start(timeout=5, thread_id="t", input=[]))
    assert [method for method, _ in recorder.asked] == ["thread/resume?", "turn/start"]


def test_a_parameter_that_is_not_given_is_not_sent() -> None:
    """Codex tells null from absent."""
    recorder = Recorder({"thread": {"id": "t"}, "model": "m"})
    asyncio.run(CodexCalls(recorder).thread_start(timeout=5, cwd="/srv"))
    assert recorder.asked == [("thread/start", {"cwd": "/srv"})]


def test_a_reply_holds_what_the_spec_names() -> None:
    """Nulls, strangers and optional fields of another kind are left out."""
    thread = {"id": "t", "name": None, "cwd": 7, "status": {"type": "idle"}, "new": 1}
    reply = {"thread": thread, "model": "m", "reasoningEffort": None}
    result = asyncio.run(CodexCalls(Recorder(reply)).thread_resume(timeout=5, thread_id="t"))
    assert result == {"thread": {"id": "t", "status": {"type": "idle"}}, "model": "m"}


@pytest.mark.parametrize(
    ("reply", "field"),
    [
        ({}, "turn"),
        ({"turn": 1}, "turn"),
        ({"turn": {"id": "1"}}, "turn.status"),
        ({"turn": {"id": True}}, "turn.id"),
    ],
)
def test_a_reply_without_a_required_field_is_invalid(reply: Mapping[str, Any], field: str) -> None:
    """The error names the method and the path of the field."""
    calls = CodexCalls(Recorder(reply))
    with pytest.raises(ReplyInvalid, match="turn/start") as raised:
        asyncio.run(calls.turn_start(timeout=5, thread_id="t", input=[{"type": "text"}]))
    assert raised.value.field == field


def test_a_notification_is_typed() -> None:
    """Names are Python's, shapes are dictionaries."""
    turn: Turn = {"id": "1", "status": "completed", "items": []}
    params: JsonObject = {"threadId": "t", "turn": cast("JsonObject", turn)}
    assert read_notification("turn/completed", params) == TurnCompleted(thread_id="t", turn=turn)


def test_a_notification_that_lacks_a_field_is_none() -> None:
    """Whoever listens passes over what it does not know and what it cannot use."""
    params: JsonObject = {"threadId": "t", "turnId": "1", "error": {}, "willRetry": False}
    assert isinstance(read_notification("error", params), ErrorNotification)
    assert read_notification("error", {"threadId": "t"}) is None
    assert read_notification("never/heard", {}) is None


def test_a_question_is_typed_and_has_its_kind() -> None:
    """An optional field that is missing reads as None."""
    params: JsonObject = {"threadId": "t", "turnId": "1", "itemId": "i", "command": "ls"}
    request = read_server_request("item/commandExecution/requestApproval", params)
    assert isinstance(request, CommandExecutionRequestApproval)
    assert (request.kind, request.command, request.cwd) == ("approval", "ls", None)
