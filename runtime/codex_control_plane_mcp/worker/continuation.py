"""What becomes of a task whose turn has ended short of its goal: the end, or another turn.

Recovery starts nothing: it puts the task back in the queue, with the turn that is to be carried on
(docs/architecture.md, One way into execution). Each function is part of an open transaction.
"""

from typing import assert_never

from codex_control_plane_contract.lifecycles import operation
from codex_control_plane_contract.types import Error
from codex_control_plane_mcp.store import Reader, Transaction
from codex_control_plane_mcp.worker.quota import Patience, is_usage_limit
from codex_control_plane_mcp.worker.turn_end import TurnEnd


def settle_operation(
    transaction: Transaction, task: operation.InTurn, end: TurnEnd, patience: Patience
) -> None:
    """End the task with its turn, unless the turn broke off and the task is to go on in another one."""
    if end.broke_off and end.error is not None and carry_on(transaction, task, end.error, end.method):
        return
    if end.status == "failed" and _await_quota(transaction, task, end, patience):
        return
    _end(transaction, task, end)


def carry_on(transaction: Transaction, task: operation.InTurn, error: Error, evidence: str) -> bool:
    """Put a task back in the queue whose app-server died, if its policy says so; return whether it does."""
    spent = task.continuation_count >= task.max_continuations
    if task.recovery_policy == "report" or spent or task.interrupt_requested_at is not None:
        return False
    transaction.apply(
        task.carry_on(continues_turn_id=task.turn_id, last_error=error),
        evidence=f"{error['message']} ({evidence})",
    )
    return True


def replenish(transaction: Transaction, reader: Reader) -> None:
    """Put the tasks whose usage limit is reset by now back in the queue."""
    for task in reader.replenished_operations(transaction.now):
        transaction.apply(task.replenish(), evidence="the time of the reset has come")


def stop(transaction: Transaction, reader: Reader, task: operation.Starting) -> operation.Interrupted | None:
    """Interrupt a task that Codex has had a turn of; return None, and do nothing, for any other."""
    last = reader.turn(task.continues_turn_id) if task.continues_turn_id is not None else None
    if last is None:
        return None
    return transaction.apply(
        task.stop(thread_id=last.thread_id, turn_id=last.turn_id),
        by="worker",
        evidence="a client asked to stop it before its next turn",
    )


def _await_quota(transaction: Transaction, task: operation.InTurn, end: TurnEnd, patience: Patience) -> bool:
    """Let a task wait whose turn met the usage limit; return False if that did not end it, or for good."""
    if not is_usage_limit(end.error) or end.error is None or task.interrupt_requested_at is not None:
        return False
    resumption = patience.resumption(end.resets_at, task.quota_retry_count, transaction.now)
    if resumption is None:
        return False
    resumes_at, retries = resumption
    transaction.apply(
        task.await_quota(
            continues_turn_id=task.turn_id,
            resumes_at=resumes_at,
            quota_retry_count=retries,
            last_error=end.error,
        ),
        evidence=end.method,
    )
    return True


def _end(transaction: Transaction, task: operation.InTurn, end: TurnEnd) -> None:
    if end.status == "completed":
        transaction.apply(task.complete(), evidence=end.method)
    elif end.status == "failed":
        transaction.apply(task.fail(last_error=end.reason), by="codex", evidence=end.method)
    elif end.status == "interrupted":
        transaction.apply(task.interrupt(last_error=end.error), evidence=end.method)
    else:
        assert_never(end.status)
