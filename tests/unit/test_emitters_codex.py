"""A piece of Codex's protocol, and the text that is emitted for it."""

# ruff: noqa: E501 - emitted lines and specs are quoted as they stand

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import pytest

Compile: TypeAlias = Callable[[Mapping[str, str]], Mapping[str, str]]

SPEC: Final = """\
minimum_version: 1.0.0
tested_version: 1.2.0
configuration: {}
prompts:
  greeting: {means: Sent first., text: "Good morning.\\n"}
choices:
  give_up: Nobody will know.
methods:
  thread/name/set: {means: Names it., if_lost: {evidence: its name, looked_up_in: turn/list, absent_means: it has none, remains_unknown: its name, choices: [give_up]}, params: {threadId: string!, name: string}, result: {}}
  turn/list: {means: Lists turns., params: {}, result: {data: "Turn[]!", next: string}}
shapes:
  Turn: {id: string!, error: object}
notifications:
  error: {means: A fault., params: {turn: Turn!, willRetry: boolean!, note: any}}
opt_out: []
server_requests:
  item/tool/ask: {kind: user_input, means: A question., params: {itemId: string!}}
refused_requests: {}
"""


@pytest.fixture
def codex(compiled: Compile) -> str:
    """The module of the protocol."""
    return compiled({"codex.yaml": SPEC})["codex.py"]


def test_a_method_without_a_result_returns_nothing(codex: str) -> None:
    """Optional parameters are keywords that may be left out."""
    assert (
        "    async def thread_name_set(self, *, timeout: float, thread_id: str, name: str | None = None) -> None:\n"
        '        """Names it."""\n'
        '        await self._ask("thread/name/set", {"threadId": thread_id, "name": name}, timeout)\n'
    ) in codex


def test_a_reply_is_a_typed_dictionary(codex: str) -> None:
    """Lists and shapes appear as such, and what may be missing is NotRequired."""
    assert (
        "class TurnListResult(TypedDict):\n"
        '    """The reply to `turn/list`."""\n'
        "\n"
        "    data: list[Turn]\n"
        "    next: NotRequired[str]\n"
    ) in codex


def test_a_notification_is_a_dataclass(codex: str) -> None:
    """A name of one word says that it is a notification."""
    assert (
        "class ErrorNotification:\n"
        '    """A fault."""\n'
        "\n"
        '    method: ClassVar[str] = "error"\n'
        "    turn: Turn\n"
        "    will_retry: bool\n"
        "    note: JsonValue\n"
    ) in codex


def test_every_method_is_listed(codex: str) -> None:
    """Whoever has to do with all of them needs no list of his own."""
    assert 'METHODS: Final[tuple[str, ...]] = ("thread/name/set", "turn/list")' in codex


def test_what_follows_a_lost_reply_is_a_value(codex: str) -> None:
    """The runtime takes evidence and choices from it; a choice is one of those that are explained."""
    assert (
        "THREAD_NAME_SET_LOST: Final = Loss(\n"
        '    evidence="its name",\n'
        '    looked_up_in="turn/list",\n'
        '    absent_means="it has none",\n'
        '    remains_unknown="its name",\n'
        '    choices=("give_up",),\n'
        ")\n"
    ) in codex
    assert 'CHOICES: Final[Mapping[Choice, str]] = {"give_up": "Nobody will know."}\n' in codex


def test_a_prompt_is_a_text(codex: str) -> None:
    """Line breaks at its end are left out."""
    assert 'GREETING_PROMPT: Final = "Good morning."\n"""Sent first."""\n' in codex


def test_a_question_has_its_kind(codex: str) -> None:
    """The prefix that all questions of items share is left out."""
    assert (
        "class ToolAsk:\n"
        '    """A question."""\n'
        "\n"
        '    method: ClassVar[str] = "item/tool/ask"\n'
        '    kind: ClassVar[ServerRequestKind] = "user_input"\n'
        "    item_id: str\n"
    ) in codex
