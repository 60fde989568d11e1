"""Vanishing: a thread that Codex had, and that somebody has deleted since.

Of a thread that was never stored ``thread/resume`` says the same. ``thread/turns/list`` tells them apart:
Codex's index outlives the file, and names it as missing. An app-server that holds such a thread works on in
memory, so nothing is given up before the thread rests (docs/decisions/0075).
"""

from typing import Final

from codex_control_plane_contract.codex import CodexCalls
from codex_control_plane_contract.errors import CodexThreadNotFound
from codex_control_plane_contract.lifecycles import operation
from codex_control_plane_contract.types import Error
from codex_control_plane_mcp.codex.errors import CallRefused
from codex_control_plane_mcp.store import Reader, Transaction
from codex_control_plane_mcp.worker import asking
from codex_control_plane_mcp.worker.faults import thread_file_gone, thread_lost
from codex_control_plane_mcp.worker.requeueing import withdraw
from codex_control_plane_mcp.worker.turn_end import TerminalSource
from codex_control_plane_mcp.worker.turns import orphan_turn

_CALL_SECONDS: Final = 30.0


class ThreadDeleted(Exception):
    """The thread on which a task was to start has been deleted; the message says what shows it."""


async def deletion(calls: CodexCalls, thread_id: str, *, turn_seen: bool = False) -> str | None:
    """Return what shows that a thread has been deleted, after Codex refused to load it; else None.

    ``turn_seen`` says that this very app-server has run a turn on it, so that it was stored.
    Raises CallNotSent, CallUnanswered and ReplyInvalid where Codex says nothing.
    """
    try:
        await calls.thread_turns_list(
            timeout=_CALL_SECONDS, thread_id=thread_id, limit=1, items_view="notLoaded"
        )
    except CallRefused as refused:
        gone = thread_file_gone(refused) or (turn_seen and thread_lost(refused))
        if gone and not await _works(calls, thread_id):
            return f"thread/turns/list: {refused.message[:300]}"
    return None


def orphan_start(
    seen: operation.StartingThread | operation.StartingTurn,
    evidence: str,
    transaction: Transaction,
    reader: Reader,
) -> None:
    """End the start that was seen, whose thread has been deleted.

    A prompt that Codex may have taken is never sent again; one that is not due yet can still be withdrawn.
    """
    row = reader.operation(seen.operation_id)
    if row is None or (row.state, row.attempt_count) != (seen.state, seen.attempt_count):
        return
    if isinstance(row, operation.StartingThread) and withdraw(transaction, reader, row):
        return
    if isinstance(row, operation.StartingThread | operation.StartingTurn):
        transaction.apply(row.orphan(last_error=_error(evidence)), evidence=evidence)


def orphan_in_turn(
    row: operation.InTurn, evidence: str, transaction: Transaction, reader: Reader, *, survived: bool
) -> None:
    """End a task whose thread was deleted with its turn in it.

    ``survived`` says that the app-server that ran the turn still lives; else its questions died with it.
    """
    if survived:
        asking.close_delivering(transaction, reader, row.turn_id, evidence=evidence)
    else:
        for question in reader.open_interactions(row.turn_id):
            asking.orphan(transaction, reader, question)
    source: TerminalSource = "reconciled" if survived else "after_restart"
    orphan_turn(transaction, reader, row.turn_id, _error(evidence), source)


async def _works(calls: CodexCalls, thread_id: str) -> bool:
    """Return whether a turn is at work on the thread in the memory of the app-server."""
    try:
        read = await calls.thread_read(timeout=_CALL_SECONDS, thread_id=thread_id)
    except CallRefused:
        return False
    return read["thread"].get("status", {}).get("type") == "active"


def _error(evidence: str) -> Error:
    return CodexThreadNotFound(
        f"Codex no longer has the thread; somebody deleted it while the task was in hand. {evidence}"
    ).as_error()
