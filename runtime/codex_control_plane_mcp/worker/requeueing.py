"""Putting an operation back: the only way in which recovery leads to work (docs/architecture.md)."""

from codex_control_plane_contract.errors import ControlPlaneError, InternalError
from codex_control_plane_contract.lifecycles import operation
from codex_control_plane_mcp.store import Reader, Transaction
from codex_control_plane_mcp.worker import calls, continuation, opening

_MOST_DOUBLINGS = 3
_MOST_FAULTS = 5
_FAULTS = "faults"


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


def put_back_faulty(
    transaction: Transaction, reader: Reader, row: operation.Starting, fault: InternalError, *, retry_ms: int
) -> None:
    """Requeue after a fault of ours, later with each attempt; at the fifth in a row the task fails."""
    void_calls(transaction, reader, row, evidence=fault.message)
    if _is_hopeless(fault) and row.interrupt_requested_at is None:
        transaction.apply(row.fail(last_error=fault.as_error()), by="worker", evidence=fault.message)
    else:
        put_back(transaction, reader, row, fault, retry_ms=retry_ms)


def next_fault(row: operation.Operation, error: InternalError) -> InternalError:
    """Return a fault of ours with its number among those that the task has met one after the other."""
    known = last_fault(row)
    faults = _number(known) + 1 if known is not None else 1
    return InternalError(error.message, **{**error.details, _FAULTS: faults})


def last_fault(row: operation.Operation) -> InternalError | None:
    """Return the fault of ours that the task has met last, if it has met nothing else since."""
    if row.last_error is None or row.last_error["code"] != InternalError.code:
        return None
    details = row.last_error["details"]
    kept = {name: details[name] for name in ("incidentId", _FAULTS) if name in details}
    return InternalError(row.last_error["message"], **kept)


def _is_hopeless(fault: InternalError) -> bool:
    return _number(fault) >= _MOST_FAULTS


def _number(fault: InternalError) -> int:
    number = fault.details.get(_FAULTS)
    return number if isinstance(number, int) else 0


def recover(transaction: Transaction, reader: Reader, row: operation.Starting, *, evidence: str) -> None:
    """Requeue an operation of which nothing has reached the model; one that meets fault after fault fails."""
    void_calls(transaction, reader, row, evidence=evidence)
    if withdraw(transaction, reader, row):
        return
    fault = last_fault(row)
    if fault is not None and _is_hopeless(fault):
        transaction.apply(row.fail(last_error=fault.as_error()), by="worker", evidence=fault.message)
    else:
        transaction.apply(row.requeue(last_error=fault.as_error() if fault else None), evidence=evidence)


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
