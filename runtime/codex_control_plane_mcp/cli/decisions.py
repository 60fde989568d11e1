"""Decisions of an operator, each one transaction that is journalled with its reason (decision 0017)."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from codex_control_plane_contract.codex import Choice
from codex_control_plane_contract.lifecycles import attempt, operation, turn
from codex_control_plane_mcp.doubts import choices_of, final_doubt, loss_of
from codex_control_plane_mcp.store import Reader, Transaction
from codex_control_plane_mcp.store.identifiers import new_id

Decision: TypeAlias = Callable[[Transaction, Reader, operation.Operation, str], operation.Operation]


class NotOffered(Exception):
    """The task is not in doubt, or not as this choice settles it; the message says what is offered."""


def decide(
    transaction: Transaction, reader: Reader, operation_id: str, choice: Choice, reason: str
) -> operation.Operation:
    """Carry a choice out; return the task that goes on or has ended, which may be a new one.

    Raises NotOffered, and then nothing may be committed.
    """
    row = reader.operation(operation_id)
    if row is None:
        raise NotOffered(f"There is no operation {operation_id}.")
    offered = choices_of(row)
    if choice not in offered:
        known = ", ".join(offered) or "no choice"
        raise NotOffered(f"{operation_id} is {row.state} and offers {known}; {choice} is not offered.")
    return _DECISIONS[choice](transaction, reader, row, reason)


def _declare_lost(
    transaction: Transaction, reader: Reader, row: operation.Operation, reason: str
) -> operation.Operation:
    """End the task and its turn; a call whose outcome is unknown stays so, which is the truth."""
    assert isinstance(row, operation.Submitting | operation.Steering | operation.InTurn)
    error = final_doubt(f"An operator declared it lost: {reason}", loss_of(row))
    carried = reader.turn(row.turn_id) if isinstance(row, operation.InTurn) else None
    if isinstance(carried, turn.Active):
        ended = carried.lose(terminal_source="operator", terminal_method="resolve", last_error=error)
        transaction.apply(ended, by="operator", evidence=reason)
    return transaction.apply(row.declare_lost(last_error=error), evidence=reason)


def _declare_never_received(
    transaction: Transaction, reader: Reader, row: operation.Operation, reason: str
) -> operation.Operation:
    """Put the task back, with its call void: the next claim sends the prompt under a label of its own."""
    assert isinstance(row, operation.Submitting)
    kind = "review_start" if isinstance(row, operation.StartingReview) else "turn_start"
    calling = reader.open_attempt_of(row.operation_id, kind)
    if isinstance(calling, attempt.Open):
        transaction.apply(calling.void(evidence=reason), by="operator")
    return transaction.apply(row.declare_never_received(), evidence=reason)


def _submit_again(
    transaction: Transaction, reader: Reader, row: operation.Operation, reason: str
) -> operation.Operation:
    """Repeat the request in a new task: on the thread that it named, else on a new one."""
    if (later := reader.replacement_of(row.operation_id)) is not None:
        raise NotOffered(f"{row.operation_id} was submitted again, as {later.operation_id}.")
    creation = operation.submit_again(
        row,
        operation_id=new_id(operation.ID_PREFIX, transaction.now),
        # With the head start that it had.
        ranked_at=transaction.now + row.ranked_at - row.created_at,
        thread_id=row.thread_id if _names_thread(row) else None,
        replaces_operation_id=row.operation_id,
    )
    return transaction.apply(creation, evidence=reason)


def _names_thread(row: operation.Operation) -> bool:
    """Return whether the request was for a thread, which the task has in common with it."""
    if row.operation_type == "review_start":
        return row.thread_id == row.source_thread_id
    return row.operation_type in ("send_message", "steer_turn")


_DECISIONS: Final[Mapping[Choice, Decision]] = {
    "declare_lost": _declare_lost,
    "declare_never_received": _declare_never_received,
    "submit_again": _submit_again,
}
