"""A fault of ours in the work on a task: said on the task, and never the reason to lose a turn of Codex."""

from codex_control_plane_contract.errors import InternalError
from codex_control_plane_contract.lifecycles import operation
from codex_control_plane_mcp import doubts
from codex_control_plane_mcp.store import Reader, Transaction
from codex_control_plane_mcp.worker.requeueing import next_fault, put_back_faulty


def note_fault(
    transaction: Transaction, reader: Reader, operation_id: str, error: InternalError, *, retry_ms: int
) -> None:
    """Put a task back of which nothing has reached the model; after five faults in a row it fails.

    Of any other task Codex may have the prompt. It stays in hand, and says what keeps it from being looked
    after (docs/decisions/0101).
    """
    row = reader.operation(operation_id)
    if isinstance(row, operation.StartingAppServer | operation.StartingThread):
        put_back_faulty(transaction, reader, row, next_fault(row, error), retry_ms=retry_ms)
    elif isinstance(row, operation.Submitting | operation.Steering | operation.InTurn):
        fault = next_fault(row, error).as_error()
        doubt = doubts.open_doubt(row, fault["message"])
        details = {**(doubt["details"] if doubt else {}), **fault["details"]}
        transaction.touch(row.note_doubt(last_error={**fault, "details": details}))
