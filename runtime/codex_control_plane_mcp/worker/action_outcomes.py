"""How a thread action goes on: each function is one decision inside an open transaction.

The action and its call to Codex move together or not at all.
"""

from typing import Final, Literal

from codex_control_plane_contract.codex import (
    THREAD_ARCHIVE_LOST,
    THREAD_COMPACT_START_LOST,
    THREAD_UNARCHIVE_LOST,
    Loss,
)
from codex_control_plane_contract.errors import CodexBusy, CodexTimeout, ControlPlaneError
from codex_control_plane_contract.lifecycles import attempt, thread_action
from codex_control_plane_contract.types import Error
from codex_control_plane_mcp.store import Reader, Transaction
from codex_control_plane_mcp.worker import calls
from codex_control_plane_mcp.worker.faults import gone

ActionKind = thread_action.Kind
CallKind = Literal["thread_archive", "thread_unarchive", "thread_compaction"]

CALL_OF: Final[dict[ActionKind, CallKind]] = {
    "archive": "thread_archive",
    "unarchive": "thread_unarchive",
    "compaction": "thread_compaction",
}
"""Which kind of attempt carries out which kind of action."""

LOSS_OF: Final[dict[ActionKind, Loss]] = {
    "archive": THREAD_ARCHIVE_LOST,
    "unarchive": THREAD_UNARCHIVE_LOST,
    "compaction": THREAD_COMPACT_START_LOST,
}
"""What shows that an action was done or was not, where the reply is lost."""


class ActionFailed(Exception):
    """The action cannot be done, and nothing of it was; ``error`` says why."""

    def __init__(self, error: ControlPlaneError) -> None:
        super().__init__(error.message)
        self.error = error


def doubt(
    transaction: Transaction, reader: Reader, row: thread_action.ThreadAction
) -> attempt.Unknown | None:
    """Return the action's call whose reply is lost; None if there is none, or it was certainly not sent."""
    calling = reader.open_attempt_of(row.thread_action_id, CALL_OF[row.kind])
    if isinstance(calling, attempt.Sent):
        return transaction.apply(
            calling.doubt(error=gone("The worker that sent it, or its connection, is gone.")),
            evidence="nobody awaits its reply any more",
        )
    return calling if isinstance(calling, attempt.Unknown) else None


def record_call(
    transaction: Transaction,
    reader: Reader,
    row: thread_action.ThreadAction,
    *,
    worker_id: str,
    generation: int,
) -> attempt.Sent:
    """Put the action's call on record as sent; one before it has been shown to have had no effect.

    Raises ActionFailed with CODEX_BUSY if a task has come to be on the thread.
    """
    kind = CALL_OF[row.kind]
    calls.void_open(transaction, reader, row.thread_action_id, kind, LOSS_OF[row.kind].absent_means)
    user = reader.thread_in_use(row.thread_id)
    if user not in (None, row.thread_action_id):
        raise ActionFailed(busy_with(row.thread_id, user))
    return calls.record_sent(
        transaction,
        kind=kind,
        subject_id=row.thread_action_id,
        worker_id=worker_id,
        generation=generation,
        thread_id=row.thread_id,
    )


def complete(
    transaction: Transaction,
    reader: Reader,
    row: thread_action.Open,
    *,
    evidence: str,
    turn_id: str | None = None,
) -> None:
    """Record that it is done."""
    _accept(transaction, reader, row, evidence)
    current = reader.thread_action(row.thread_action_id)
    if isinstance(current, thread_action.Open):
        transaction.apply(current.complete(terminal_evidence=evidence, turn_id=turn_id), evidence=evidence)


def begin(
    transaction: Transaction, reader: Reader, row: thread_action.Open, *, generation: int, evidence: str
) -> None:
    """Record that Codex is at it."""
    _accept(transaction, reader, row, evidence)
    current = reader.thread_action(row.thread_action_id)
    if isinstance(current, thread_action.Starting):
        transaction.apply(current.begin(app_server_generation=generation), evidence=evidence)


def fail(
    transaction: Transaction,
    reader: Reader,
    row: thread_action.Open,
    error: Error,
    *,
    by: Literal["codex", "worker", "clock"] = "worker",
    turn_id: str | None = None,
) -> None:
    """Record that it was not done; a call whose outcome is open had no effect."""
    evidence = error["message"][:500]
    calls.void_open(transaction, reader, row.thread_action_id, CALL_OF[row.kind], evidence)
    current = reader.thread_action(row.thread_action_id)
    if isinstance(current, thread_action.Open):
        transaction.apply(current.fail(last_error=error, turn_id=turn_id), by=by, evidence=evidence)


def lose(
    transaction: Transaction, reader: Reader, row: thread_action.Open, error: Error, *, turn_id: str | None
) -> None:
    """Record that nothing says how far the compaction came before its app-server died."""
    current = reader.thread_action(row.thread_action_id)
    if isinstance(current, thread_action.Open):
        transaction.apply(
            current.lose(last_error=error, turn_id=turn_id), evidence="another app-server generation"
        )


def may_have_begun(reader: Reader, thread_action_id: str) -> bool:
    """Return whether Codex may be at it: such an action keeps its thread and its order, however long.

    A task that started meanwhile would be steered into the compaction, or be ended by a call that comes late.
    """
    row = reader.thread_action(thread_action_id)
    if not isinstance(row, thread_action.Starting):
        return isinstance(row, thread_action.Running)
    return reader.open_attempt_of(thread_action_id, CALL_OF[row.kind]) is not None


def give_up(transaction: Transaction, reader: Reader, thread_action_id: str) -> None:
    """End an action that Codex could not be asked for by the deadline of its order."""
    row = reader.thread_action(thread_action_id)
    if isinstance(row, thread_action.Open):
        error = CodexTimeout("It could not be carried out within a week.").as_error()
        transaction.apply(row.fail(last_error=error), by="clock", evidence="the deadline of its order")


def error_of(reader: Reader, thread_action_id: str) -> Error | None:
    """Return why an action did not come about; None for one that did, and for what is no action."""
    row = reader.thread_action(thread_action_id)
    return row.last_error if row is not None else None


def busy_with(thread_id: str, user_id: str | None) -> CodexBusy:
    """Return the error of a thread on which a task is, or, without one, a turn of another client."""
    if user_id is None:
        return CodexBusy(
            "The thread has an active turn that another client of Codex started. Wait until it ends.",
            threadId=thread_id,
            reason="active_turn",
        )
    return CodexBusy(
        f"The thread is in use by {user_id}. Wait until it ends, or stop it.",
        threadId=thread_id,
        operationId=user_id,
        reason="active_turn",
    )


def _accept(transaction: Transaction, reader: Reader, row: thread_action.Open, evidence: str) -> None:
    calling = reader.open_attempt_of(row.thread_action_id, CALL_OF[row.kind])
    if calling is not None:
        calls.accept(transaction, reader, calling.attempt_id, evidence)
