"""Verdicts: of each promise, whether it holds in every state that was explored."""

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from codex_control_plane_codegen.model import Condition, Promise
from codex_control_plane_codegen.verification.exploration import Exploration
from codex_control_plane_codegen.verification.layout import meets

_UNRELIABLE: Final = ("client", "fault")
"""Whose steps nobody may count on."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A promise and the first state, by its number, that breaks it; None if it holds."""

    promise: Promise
    broken_by: int | None


def judge(found: Exploration, promises: Sequence[Promise]) -> Sequence[Verdict]:
    """The verdict on each promise, in order."""
    return [Verdict(promise, _first_breach(found, promise)) for promise in promises]


def _first_breach(found: Exploration, promise: Promise) -> int | None:
    if promise.never is not None:
        guards = found.layout.guards(promise.never)
        return next((number for number, state in enumerate(found.states) if meets(state, guards)), None)
    assert promise.whenever is not None, "the schema of the spec asks for one of the two"
    assert promise.reaches is not None, "the schema of the spec asks for both"
    saved = _reaching(found, promise.reaches, promise.without)
    guards = found.layout.guards(promise.whenever)
    lost = (n for n, state in enumerate(found.states) if not saved[n] and meets(state, guards))
    return next(lost, None)


def _reaching(found: Exploration, goal: Condition, without: Collection[str]) -> bytearray:
    """For each state whether some way of reliable steps leads from it to the goal."""
    guards = found.layout.guards(goal)
    saved = bytearray(meets(state, guards) for state in found.states)
    reliable = {
        move.step.name
        for move in found.moves
        if move.step.actor not in _UNRELIABLE and move.step.name not in without
    }
    waiting = deque(number for number, is_saved in enumerate(saved) if is_saved)
    while waiting:
        for source, move in found.arrivals[waiting.popleft()]:
            if not saved[source] and move.step.name in reliable:
                saved[source] = 1
                waiting.append(source)
    return saved
