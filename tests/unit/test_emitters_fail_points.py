"""Lifecycles and a piece of Codex's protocol, and the fail points that they bring with them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

import pytest

Compile: TypeAlias = Callable[[Mapping[str, str]], Mapping[str, str]]

LIFECYCLE: Final = (Path(__file__).parent / "base_spec" / "lifecycles" / "job.yaml").read_text()
COMMIT: Final = ("written", "before_commit", "committed", "reply_lost")
CALL: Final = ("before_send", "sent", "reply_late", "reply_lost")
CODEX: Final = """\
minimum_version: 1.0.0
tested_version: 1.2.0
configuration: {}
methods:
  turn/start: {means: Submits., changes: true, params: {}, result: {}}
  turn/list: {means: Lists., evidence: true, params: {}, result: {}}
  account/read: {means: Says who., params: {}, result: {}}
shapes: {}
notifications: {}
opt_out: []
server_requests:
  item/tool/ask: {kind: user_input, means: A question., params: {}}
refused_requests: {}
"""


def points(text: str) -> list[str]:
    """Return the members of the emitted literal."""
    _, _, members = text.partition("FailPoint: TypeAlias = Literal[")
    return [line.strip(' ,"') for line in members.partition("]")[0].splitlines() if line.strip()]


@pytest.fixture
def emitted(compiled: Compile) -> list[str]:
    """The points of a job and of the piece of the protocol."""
    return points(compiled({"lifecycles/job.yaml": LIFECYCLE, "codex.yaml": CODEX})["fail_points.py"])


def test_every_event_can_break_off_in_four_phases(emitted: list[str]) -> None:
    """A creation can as well as a transition, and a transaction before it has begun."""
    assert emitted == [
        "store.before_begin",
        *(f"job.{event}.{phase}" for event in ("submit", "start", "finish") for phase in COMMIT),
        *(point for point in emitted if point.startswith("codex.")),
    ]


def test_a_call_that_changes_something_or_serves_as_evidence_can_break_off(emitted: list[str]) -> None:
    """A call that does neither is none of them: sending it again is all that it takes."""
    of_calls = [point for point in emitted if point.startswith("codex.")]
    assert of_calls == [
        *(f"codex.turn/start.{phase}" for phase in CALL),
        *(f"codex.turn/list.{phase}" for phase in CALL),
        "codex.answer.before_send",
        "codex.answer.sent",
    ]
