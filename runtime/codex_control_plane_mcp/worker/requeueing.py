"""Putting an operation back: the only way in which recovery leads to work (docs/architecture.md)."""

from codex_control_plane_contract.errors import ControlPlaneError
from codex_control_plane_contract.lifecycles import operation
from codex_control_plane_mcp.store import Reader, Transaction
from codex_control_plane_mcp.worker import calls, continuation, opening

_MOST_DOUBLINGS = 3


def put_back(
    transaction: Transaction,
    reader: Reader,
    row: operation.Starting,
    error: ControlPlaneError,
    *,
    retry_ms: int,
) -> None:
    """Requeue where waiting may cure ``error``, later with each attempt; else fail."""
    if withdraw(transaction, reader, row):
        return
    if not error.retryable:
        transaction.apply(row.fail(last_error=error.as_error()), by="worker", evidence=error.message)
        return
    delay = retry_ms << min(row.attempt_count - 1, _MOST_DOUBLINGS)
    transaction.apply(
        row.requeue(
            next_attempt_at=transaction.now + delay,
            queued_reason="retry_after_worker_error",
            last_error=error.as_error(),
        ),
        evidence=error.message,
    )


def recover(transaction: Transaction, reader: Reader, row: operation.Starting, *, evidence: str) -> None:
    """Requeue an operation whose worker or app-server went away before anything reached the model."""
    void_calls(transaction, reader, row, evidence=evidence)
    if not withdraw(transaction, reader, row):
        transaction.apply(row.requeue(), evidence=evidence)


def withdraw(transaction: Transaction, reader: Reader, row: operation.Starting) -> bool:
    """Drop an operation that a client asked to stop; return whether one did."""
    if row.interrupt_requested_at is None:
        return False
    if continuation.stop(transaction, reader, row) is not None:
        return True
    transaction.apply(row.withdraw(), evidence="a client asked to stop it before the prompt was sent")
    return True


def void_calls(transaction: Transaction, reader: Reader, row: operation.Starting, *, evidence: str) -> None:
    """Settle the calls of a start that is given up; each is known to have had no effect that counts."""
    opening.void(transaction, reader, row.operation_id, evidence)
    calls.void_open(transaction, reader, row.operation_id, "turn_start", evidence)
    calls.void_open(transaction, reader, row.operation_id, "review_start", evidence)
