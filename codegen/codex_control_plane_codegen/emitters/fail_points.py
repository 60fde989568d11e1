"""Emits `fail_points.py`: every place where a crash or a lost reply can leave something half done.

Nothing is declared: an event of a lifecycle and a method of Codex bring their points with them.
"""

from collections.abc import Iterator
from typing import Final

from codex_control_plane_codegen.facts import Facts
from codex_control_plane_codegen.model import Codex
from codex_control_plane_codegen.output import CONTRACT_PACKAGE, Output
from codex_control_plane_codegen.templating import render

_COMMIT: Final = ("written", "before_commit", "committed", "reply_lost")
"""The phases of a change of state, in the order in which they are passed."""

_CALL: Final = ("before_send", "sent", "reply_late", "reply_lost")
"""The phases of a call to Codex."""

_ANSWER: Final = ("before_send", "sent")
"""The phases of an answer to a question of Codex, which Codex never confirms."""


def emit(facts: Facts) -> Iterator[Output]:
    """`fail_points.py`."""
    codex = facts.model.codex
    sources = [each.lifecycle.document.path for each in facts.lifecycles.values()]
    if codex is not None:
        sources.append(codex.document.path)
    points = [*_of_store(facts), *_of_codex(codex)]
    text = render("fail_points.py", points=points, sources=sources)
    yield Output(CONTRACT_PACKAGE / "fail_points.py", text)


def _of_store(facts: Facts) -> Iterator[str]:
    yield "store.before_begin"
    for name, lifecycle in facts.lifecycles.items():
        for event in lifecycle.lifecycle.events:
            for phase in _COMMIT:
                yield f"{name}.{event.name}.{phase}"


def _of_codex(codex: Codex | None) -> Iterator[str]:
    if codex is None:
        return
    for method in codex.methods:
        if method.changes or method.evidence:
            for phase in _CALL:
                yield f"codex.{method.name}.{phase}"
    if codex.server_requests:
        for phase in _ANSWER:
            yield f"codex.answer.{phase}"
