"""Doubts: what nobody knows of a task, which evidence is missing, and what an operator may decide.

The sentences and the choices are those of `spec/codex.yaml` (`if_lost`); here is which of them fits the state
that a task is in. A terminal state is final (contract §19.7), so what is left there is to submit again.
"""

from collections.abc import Sequence
from typing import Final

from codex_control_plane_contract.codex import (
    REVIEW_START_LOST,
    TURN_COMPLETED_LOST,
    TURN_START_LOST,
    TURN_STEER_LOST,
    Choice,
    Loss,
)
from codex_control_plane_contract.lifecycles import operation
from codex_control_plane_contract.types import Error

MISSING_EVIDENCE: Final = "missingEvidence"
"""The detail of an error that says what is unknown, and which evidence would tell."""

RESOLVE_CHOICES: Final = "resolveChoices"
"""The detail of an error that lists what an operator may decide."""


def choices_while_open(row: operation.Operation) -> Sequence[Choice]:
    """Return what may be decided of a task that is still in hand; nothing where none of it is in doubt."""
    if isinstance(row, operation.InTurn | operation.Steering):
        return _fitting(loss_of(row), "declare_lost")
    if isinstance(row, operation.Submitting):
        # A task that a client has asked to stop must not go back to the queue.
        stopping = row.interrupt_requested_at is not None
        return _fitting(loss_of(row), "declare_lost", *(() if stopping else ("declare_never_received",)))
    return ()


def loss_of(row: operation.Submitting | operation.Steering | operation.InTurn) -> Loss:
    """Return which lost word it is that leaves a task in this state in doubt."""
    if isinstance(row, operation.InTurn):
        return TURN_COMPLETED_LOST
    if isinstance(row, operation.Steering):
        return TURN_STEER_LOST
    return REVIEW_START_LOST if isinstance(row, operation.StartingReview) else TURN_START_LOST


def choices_of(row: operation.Operation) -> Sequence[Choice]:
    """Return what may be decided of a task now."""
    if isinstance(row, operation.UnknownAfterAppServerExit):
        return _fitting(TURN_COMPLETED_LOST, "submit_again")
    return choices_while_open(row) if in_doubt(row) else ()


def in_doubt(row: operation.Operation) -> bool:
    """Return whether some evidence on a task is missing, as its last error says."""
    return row.last_error is not None and MISSING_EVIDENCE in row.last_error["details"]


def doubt(message: str, loss: Loss, choices: Sequence[Choice]) -> Error:
    """Return the error of a task of which something is unknown."""
    return {
        "code": "CODEX_APP_SERVER_UNAVAILABLE",
        "message": message,
        "details": {MISSING_EVIDENCE: loss.remains_unknown, RESOLVE_CHOICES: [*choices]},
        "retryable": True,
    }


def open_doubt(row: operation.Operation, message: str) -> Error | None:
    """Return the error of a task in hand that cannot be looked up now; None if nothing is unknown."""
    if not isinstance(row, operation.Submitting | operation.Steering | operation.InTurn):
        return None
    return doubt(message, loss_of(row), choices_while_open(row))


def final_doubt(message: str, loss: Loss) -> Error:
    """Return the error of a task that ended with something unknown."""
    return doubt(message, loss, _fitting(loss, "submit_again"))


def _fitting(loss: Loss, *choices: Choice) -> Sequence[Choice]:
    return [choice for choice in choices if choice in loss.choices]
