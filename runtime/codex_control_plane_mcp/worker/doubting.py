"""What cannot be looked up now is written on the task, so that clients and operators see why it waits."""

from codex_control_plane_contract.lifecycles import attempt, operation
from codex_control_plane_mcp import doubts
from codex_control_plane_mcp.store import Reader, Transaction
from codex_control_plane_mcp.worker.traces import kind_of


def note(transaction: Transaction, reader: Reader, operation_id: str, message: str) -> None:
    """Write down why the truth of a task cannot be read now; a prompt that was never sent is no doubt."""
    row = reader.operation(operation_id)
    if row is None or (isinstance(row, operation.Submitting) and not _unknown(reader, row)):
        return
    error = doubts.open_doubt(row, message)
    # The same reason is written once, however often it is met: each write wakes every process.
    if error is not None and row.last_error != error:
        transaction.touch(row.note_doubt(last_error=error))


def clear(transaction: Transaction, reader: Reader, operation_id: str) -> None:
    """Take the doubt back from a task that goes on; one that has ended keeps what it ended with."""
    row = reader.operation(operation_id)
    if not isinstance(row, operation.Submitting | operation.Steering | operation.InTurn):
        return
    if doubts.in_doubt(row):
        transaction.touch(row.note_doubt())


def _unknown(reader: Reader, row: operation.Submitting) -> bool:
    return isinstance(reader.open_attempt_of(row.operation_id, kind_of(row)), attempt.Unknown)
