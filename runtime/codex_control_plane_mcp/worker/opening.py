"""Opening: the call that makes the thread of a task, anew or as a copy of another one.

Neither call has a key. A new thread holds no prompt before its first turn, and a copy none that its source
does not hold, so what a lost reply leaves behind is not looked for and never used (decisions 0008, 0034).
"""

from typing import Literal, TypeAlias

from codex_control_plane_contract.codex import THREAD_FORK_LOST, THREAD_START_LOST
from codex_control_plane_contract.lifecycles import attempt, operation
from codex_control_plane_mcp.store import Reader, Transaction
from codex_control_plane_mcp.worker import calls
from codex_control_plane_mcp.worker.link import Link
from codex_control_plane_mcp.worker.loaded_thread import LoadedThread

OpeningKind: TypeAlias = Literal["thread_start", "thread_fork"]


def makes_thread(row: operation.Operation) -> bool:
    """Return whether the task is in a thread of its own, not in one that its caller named."""
    if row.operation_type == "review_start":
        return row.thread_id is None or row.thread_id != row.source_thread_id
    return row.operation_type in ("start_chat", "fork_thread")


def kind_of(row: operation.Operation) -> OpeningKind:
    """Return which call makes the thread of this task."""
    return "thread_fork" if row.operation_type == "fork_thread" else "thread_start"


async def call_codex(row: operation.StartingThread, calling: attempt.Sent, link: Link) -> LoadedThread:
    """Return the thread that Codex made. Raises CallError and ReplyInvalid."""
    codex = link.session.calls
    if kind_of(row) == "thread_fork":
        assert row.source_thread_id is not None, "fork_thread names its thread"
        forked = await codex.thread_fork(
            timeout=row.timeout_seconds,
            thread_id=row.source_thread_id,
            exclude_turns=True,
            cwd=row.cwd,
            model=row.model,
            thread_source=calling.attempt_id,
        )
        return LoadedThread.made(forked)
    started = await codex.thread_start(
        timeout=row.timeout_seconds,
        cwd=row.cwd,
        model=row.model,
        # Anything wider would mark the directory as trusted in the user's config.toml;
        # turn/start gives the turn what the task asks for.
        sandbox="read-only",
        thread_source=calling.attempt_id,
    )
    return LoadedThread.made(started)


def settle(transaction: Transaction, reader: Reader, operation_id: str, thread_id: str) -> str:
    """Record that the thread of a task is open; return what shows it."""
    row = reader.operation(operation_id)
    calling = reader.open_attempt_of(operation_id, kind_of(row)) if row is not None else None
    if not isinstance(calling, attempt.Sent):
        return "reply to thread/resume"
    evidence = f"reply to {calling.kind.replace('_', '/')}"
    transaction.apply(calling.accept(evidence=evidence, thread_id=thread_id))
    return evidence


def finish_fork(transaction: Transaction, reader: Reader, operation_id: str, thread_id: str) -> None:
    """Record the copy of a thread to which nothing is to be said."""
    evidence = "reply to thread/fork"
    row = reader.operation(operation_id)
    calling = reader.open_attempt_of(operation_id, "thread_fork")
    if isinstance(calling, attempt.Sent):
        transaction.apply(calling.accept(evidence=evidence, thread_id=thread_id), evidence=evidence)
    if isinstance(row, operation.StartingThread) and row.source_thread_id is not None:
        transaction.apply(
            row.fork(thread_id=thread_id, source_thread_id=row.source_thread_id), evidence=evidence
        )


def void(transaction: Transaction, reader: Reader, operation_id: str, evidence: str) -> None:
    """Settle the opening call of a start that is given up: what it made, if anything, is not used."""
    started = f"{THREAD_START_LOST.absent_means} ({evidence})"
    calls.void_open(transaction, reader, operation_id, "thread_start", started)
    forked = f"{THREAD_FORK_LOST.absent_means} ({evidence})"
    calls.void_open(transaction, reader, operation_id, "thread_fork", forked)
