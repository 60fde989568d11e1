"""Attempts: putting a call on record, and settling it by what is known of its outcome.

Each function is part of an open transaction and reads the attempt there, because the follower of the thread
may have settled it first.
"""

from typing import TypeVar

from codex_control_plane_contract.lifecycles import attempt
from codex_control_plane_contract.types import Error
from codex_control_plane_mcp.store import Reader, Transaction
from codex_control_plane_mcp.store.identifiers import new_id
from codex_control_plane_mcp.worker.faults import gone

WordT = TypeVar("WordT", str, Error)

Kind = attempt.Kind


def record_sent(
    transaction: Transaction,
    *,
    kind: Kind,
    operation_id: str | None = None,
    subject_id: str,
    worker_id: str,
    generation: int,
    thread_id: str | None = None,
    turn_id: str | None = None,
) -> attempt.Sent:
    """Put a call on record as sent, in the transaction that decides it; its first byte leaves afterwards.

    ``operation_id`` is None for a call that serves no task but a thread action.
    """
    prepared = transaction.apply(
        attempt.prepare(
            attempt_id=new_id(attempt.ID_PREFIX, transaction.now),
            operation_id=operation_id,
            kind=kind,
            subject_id=subject_id,
            worker_id=worker_id,
            app_server_generation=generation,
            thread_id=thread_id,
            turn_id=turn_id,
        )
    )
    return transaction.apply(prepared.send())


def accept(transaction: Transaction, reader: Reader, attempt_id: str, evidence: str) -> None:
    """Record that Codex did it."""
    calling = reader.attempt(attempt_id)
    if isinstance(calling, attempt.Sent | attempt.Unknown):
        transaction.apply(calling.accept(evidence=evidence), evidence=evidence)


def refuse(transaction: Transaction, reader: Reader, attempt_id: str, error: Error) -> None:
    """Record that Codex said no."""
    calling = reader.attempt(attempt_id)
    if isinstance(calling, attempt.Sent):
        transaction.apply(calling.refuse(error=error), evidence=error["message"][:500])


def doubt(transaction: Transaction, reader: Reader, attempt_id: str, error: Error) -> None:
    """Record that the reply is lost."""
    calling = reader.attempt(attempt_id)
    if isinstance(calling, attempt.Sent):
        transaction.apply(calling.doubt(error=error), evidence=error["message"][:500])


def doubted(
    transaction: Transaction, reader: Reader, operation_id: str, kind: Kind
) -> attempt.Unknown | None:
    """Return the task's open call with its outcome unknown; None if it was certainly not sent."""
    calling = reader.open_attempt_of(operation_id, kind)
    if isinstance(calling, attempt.Sent):
        return transaction.apply(
            calling.doubt(error=gone("The worker that sent it, or its connection, is gone."))
        )
    return calling if isinstance(calling, attempt.Unknown) else None


def void(transaction: Transaction, reader: Reader, attempt_id: str, evidence: str) -> None:
    """Record that the call had no effect."""
    calling = reader.attempt(attempt_id)
    if isinstance(calling, attempt.Open):
        transaction.apply(calling.void(evidence=evidence[:500]), by="worker", evidence=evidence[:500])


def void_open(transaction: Transaction, reader: Reader, subject_id: str, kind: Kind, evidence: str) -> None:
    """Record that the open call of this kind about this subject, if there is one, had no effect."""
    calling = reader.open_attempt_of(subject_id, kind)
    if calling is not None:
        void(transaction, reader, calling.attempt_id, evidence)


def doubt_open(transaction: Transaction, reader: Reader, subject_id: str, kind: Kind, error: Error) -> None:
    """Record that nothing will tell what became of the open call of this kind, if there is one."""
    calling = reader.open_attempt_of(subject_id, kind)
    if calling is not None:
        doubt(transaction, reader, calling.attempt_id, error)
