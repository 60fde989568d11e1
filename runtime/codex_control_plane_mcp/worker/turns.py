"""A turn's begin, waits and end, always together with the operation that it carries.

Every function here is one decision inside an open transaction: turn, operation, attempt and questions move
together or not at all.
"""

from typing import Literal, assert_never

from codex_control_plane_contract.lifecycles import attempt, interaction, operation, turn
from codex_control_plane_contract.types import Error
from codex_control_plane_mcp.store import Reader, Transaction
from codex_control_plane_mcp.worker import proposing
from codex_control_plane_mcp.worker.continuation import carry_on, settle_operation
from codex_control_plane_mcp.worker.quota import Patience
from codex_control_plane_mcp.worker.turn_end import TerminalSource, TerminalStatus, TurnEnd


def begin_turn(
    transaction: Transaction,
    reader: Reader,
    calling: attempt.Sent | attempt.Unknown,
    *,
    turn_id: str,
    thread_id: str,
    evidence: str,
) -> operation.Running | None:
    """Adopt a turn of Codex as the one that this attempt started; return the running operation.

    Returns None, and changes nothing but the attempt, if the operation has moved on meanwhile.
    """
    transaction.apply(calling.accept(evidence=evidence, turn_id=turn_id), evidence=evidence)
    row = reader.operation(calling.subject_id)
    if not isinstance(row, operation.Submitting):
        return None
    transaction.apply(
        turn.begin(
            turn_id=turn_id,
            operation_id=row.operation_id,
            attempt_id=calling.attempt_id,
            thread_id=thread_id,
            app_server_generation=calling.app_server_generation,
        ),
        evidence=evidence,
    )
    return transaction.apply(row.run(turn_id=turn_id), evidence=evidence)


def end_turn(
    transaction: Transaction, reader: Reader, turn_id: str, end: TurnEnd, patience: Patience
) -> bool:
    """Record the end of a turn, its plan, what becomes of its operation, and the end of its open questions.

    The first outcome wins: an equal one is absorbed, a different one is journalled as a conflict.
    Returns whether the turn is one of ours.
    """
    row = reader.turn(turn_id)
    if row is None:
        return False
    proposing.keep(transaction, row.thread_id, turn_id, end.proposals)
    if isinstance(row, turn.Ended):
        event = _EVENTS[end.status]
        if row.verdict(event) == "conflict":
            transaction.record_conflict(
                "turn", row, event=event, target=end.status, by="codex", evidence=end.method
            )
        return True
    _end_active_turn(transaction, row, end)
    task = reader.operation(row.operation_id)
    if isinstance(task, operation.InTurn):
        settle_operation(transaction, task, end, patience)
    _expire_questions(
        transaction, reader, turn_id, f"The turn ended ({end.status}) before an answer.", end.method
    )
    _settle_interrupt(transaction, reader, row.operation_id, end.status)
    return True


def lose_turn(transaction: Transaction, reader: Reader, turn_id: str, error: Error) -> None:
    """Record that nothing says how a turn ended after its app-server died."""
    task = _lose(transaction, reader, turn_id, error)
    if task is not None:
        transaction.apply(task.lose(last_error=error), evidence=error["message"])


def orphan_turn(
    transaction: Transaction, reader: Reader, turn_id: str, error: Error, source: TerminalSource
) -> None:
    """Record that the thread was deleted with the turn in it, so that nothing will say how it ended."""
    task = _lose(transaction, reader, turn_id, error, source)
    if task is not None:
        transaction.apply(task.orphan(last_error=error), evidence=error["message"])
    _expire_questions(
        transaction, reader, turn_id, "The thread was deleted before an answer.", error["message"]
    )


def forget_turn(transaction: Transaction, reader: Reader, turn_id: str, error: Error) -> None:
    """Record that the thread holds no trace of a turn whose app-server died.

    Its prompt never reached the model, so a task that is to be carried on begins again.
    """
    task = _lose(transaction, reader, turn_id, error)
    if task is not None and not carry_on(transaction, task, error, "thread/turns/list"):
        transaction.apply(task.lose(last_error=error), evidence=error["message"])


def settle_waiting(transaction: Transaction, reader: Reader, turn_id: str, *, evidence: str) -> None:
    """Make turn and operation wait for what the turn's oldest open question needs, or run on."""
    row = reader.turn(turn_id)
    if not isinstance(row, turn.Active):
        return
    questions = reader.open_interactions(turn_id)
    task = reader.operation(row.operation_id)
    if not questions:
        if not isinstance(row, turn.Running):
            transaction.apply(row.resume(), evidence=evidence)
        if isinstance(task, operation.Waiting):
            transaction.apply(task.resume(), evidence=evidence)
    elif questions[0].kind == "user_input":
        if not isinstance(row, turn.WaitingForUserInput):
            transaction.apply(row.ask_user_input(), evidence=evidence)
        if isinstance(task, operation.Running | operation.WaitingForApproval):
            transaction.apply(task.ask_user_input(), evidence=evidence)
    else:
        if not isinstance(row, turn.WaitingForApproval):
            transaction.apply(row.ask_approval(), evidence=evidence)
        if isinstance(task, operation.Running | operation.WaitingForUserInput):
            transaction.apply(task.ask_approval(), evidence=evidence)


_EVENTS: dict[TerminalStatus, Literal["complete", "fail", "interrupt"]] = {
    "completed": "complete",
    "failed": "fail",
    "interrupted": "interrupt",
}


def _end_active_turn(transaction: Transaction, row: turn.Active, end: TurnEnd) -> None:
    if end.status == "completed":
        transaction.apply(
            row.complete(
                terminal_source=end.source,
                terminal_method=end.method,
                final_message=end.final_message,
                token_usage=end.token_usage,
            ),
            evidence=end.method,
        )
    elif end.status == "failed":
        transaction.apply(
            row.fail(
                terminal_source=end.source,
                terminal_method=end.method,
                final_message=end.final_message,
                token_usage=end.token_usage,
                last_error=end.reason,
            ),
            evidence=end.method,
        )
    elif end.status == "interrupted":
        transaction.apply(
            row.interrupt(
                terminal_source=end.source,
                terminal_method=end.method,
                final_message=end.final_message,
                token_usage=end.token_usage,
                last_error=end.error,
            ),
            evidence=end.method,
        )
    else:
        assert_never(end.status)


def _lose(
    transaction: Transaction,
    reader: Reader,
    turn_id: str,
    error: Error,
    source: TerminalSource = "after_restart",
) -> operation.InTurn | None:
    """End a turn as lost; return its operation if that is still to be settled."""
    row = reader.turn(turn_id)
    if not isinstance(row, turn.Active):
        return None
    transaction.apply(
        row.lose(terminal_source=source, terminal_method="thread/turns/list", last_error=error),
        by="worker",
        evidence=error["message"],
    )
    _settle_interrupt(transaction, reader, row.operation_id, "unknown_after_app_server_exit")
    task = reader.operation(row.operation_id)
    return task if isinstance(task, operation.InTurn) else None


def _expire_questions(
    transaction: Transaction, reader: Reader, turn_id: str, reason: str, evidence: str
) -> None:
    """Close the unanswered questions of a turn that is over."""
    for question in reader.open_interactions(turn_id):
        if isinstance(question, interaction.Pending):
            transaction.apply(question.expire(reason=reason), evidence=evidence)


def _settle_interrupt(transaction: Transaction, reader: Reader, operation_id: str, status: str) -> None:
    """Settle the call to interrupt, which the end of the turn has overtaken."""
    calling = reader.open_attempt_of(operation_id, "turn_interrupt")
    if isinstance(calling, attempt.Sent | attempt.Unknown):
        transaction.apply(calling.accept(evidence=f"the turn ended {status}"))
    elif isinstance(calling, attempt.Prepared):
        transaction.apply(calling.void(evidence="the turn ended before it was sent"), by="worker")
