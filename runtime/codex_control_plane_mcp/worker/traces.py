"""Traces: what a submission leaves in the history of its thread, if Codex has taken it up."""

from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

from codex_control_plane_contract import codex
from codex_control_plane_contract.lifecycles import attempt, operation
from codex_control_plane_mcp.worker.history import History, reviews

SubmissionKind = Literal["turn_start", "review_start"]


@dataclass(frozen=True, slots=True)
class Trace:
    """Of a prompt its label; of a review, which Codex lets nobody label, its place behind ``after``."""

    kind: SubmissionKind
    loss: codex.Loss
    label: str
    after: str | None

    @classmethod
    def of(cls, row: operation.Submitting, calling: attempt.Unknown) -> "Trace":
        """Return what the call of this task leaves."""
        if isinstance(row, operation.StartingReview):
            return cls("review_start", codex.REVIEW_START_LOST, calling.attempt_id, row.after_turn_id)
        return cls("turn_start", codex.TURN_START_LOST, calling.attempt_id, None)

    def turn_id(self, history: History) -> str | None:
        """Return the turn that the submission began, or None where the history shows none.

        A review is known by the id under which it ends, also while it runs.
        """
        if self.kind == "turn_start":
            found = history.turn_with_label(self.label)
            return found["id"] if found is not None else None
        newer = [*takewhile(lambda turn: turn["id"] != self.after, history.turns)]
        return next((turn.get("rootTurnId") or turn["id"] for turn in reversed(newer) if reviews(turn)), None)


def kind_of(row: operation.Submitting) -> SubmissionKind:
    """Return which call submits the task."""
    return "review_start" if isinstance(row, operation.StartingReview) else "turn_start"
