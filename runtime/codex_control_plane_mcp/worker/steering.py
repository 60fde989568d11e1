"""Steering: words for a turn that runs. They have no turn of their own, so nothing here waits for an end.

Codex takes words for the turn that they name and for no other, so words that come late do no harm. What it
has taken shows in the history only once the model gets it: until the turn has ended, absence says nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from codex_control_plane_contract import codex
from codex_control_plane_contract.codex import ReplyInvalid
from codex_control_plane_contract.errors import ControlPlaneError
from codex_control_plane_contract.lifecycles import attempt, operation, turn
from codex_control_plane_mcp.codex.errors import CallError, CallNotSent, CallRefused, CallUnanswered
from codex_control_plane_mcp.doubts import final_doubt
from codex_control_plane_mcp.store import Reader, Transaction
from codex_control_plane_mcp.worker import calls
from codex_control_plane_mcp.worker.faults import (
    Deferred,
    may_pass,
    steer_refusal,
    thread_lost,
    turn_over,
    unavailable,
)
from codex_control_plane_mcp.worker.history import died, holds_label, read_turns
from codex_control_plane_mcp.worker.ledger import Ledger
from codex_control_plane_mcp.worker.link import Link

_CALL_SECONDS = 30.0

Settling: TypeAlias = Callable[[Transaction, Reader, str, ControlPlaneError], None]
"""How a call that did not reach the model is settled; given the attempt's id and the fault."""


@dataclass(frozen=True, slots=True)
class Words:
    """An operation whose words are next; ``calling`` is the recorded turn/steer."""

    row: operation.Steering
    calling: attempt.Sent

    @property
    def operation_id(self) -> str:
        """The operation."""
        return self.row.operation_id


def may_be_steered(reader: Reader, row: operation.Queued, link: Link | None) -> bool:
    """Return whether Codex can say now what becomes of the words.

    A turn of ours is spoken to once it is seen to run on this link. Of any other Codex knows whether it runs.
    """
    target = reader.turn(row.expected_turn_id) if row.expected_turn_id is not None else None
    if not isinstance(target, turn.Active):
        return True
    return link is not None and target.turn_id in link.following.started_turns


def begin(transaction: Transaction, row: operation.StartingAppServer, link: Link, worker_id: str) -> Words:
    """Put the call on record as sent; its first byte leaves afterwards."""
    assert row.thread_id is not None, "steer_turn names its thread"
    assert row.expected_turn_id is not None, "steer_turn names its turn"
    steering = transaction.apply(
        row.steer(
            app_server_generation=link.session.generation,
            thread_id=row.thread_id,
            expected_turn_id=row.expected_turn_id,
        )
    )
    calling = calls.record_sent(
        transaction,
        kind="turn_steer",
        operation_id=row.operation_id,
        subject_id=row.operation_id,
        worker_id=worker_id,
        generation=link.session.generation,
        thread_id=steering.thread_id,
        turn_id=steering.expected_turn_id,
    )
    return Words(steering, calling)


class Steerer:
    """Hands words over, and finds out what became of them."""

    def __init__(self, ledger: Ledger, *, retry_seconds: int) -> None:
        self._ledger = ledger
        self._retry_ms = retry_seconds * 1000

    async def hand_over(self, words: Words, link: Link) -> bool:
        """Call Codex and record what it says; False if the reply is lost."""
        row, calling = words.row, words.calling
        self._ledger.require_lease()
        try:
            await link.session.calls.turn_steer(
                timeout=row.timeout_seconds,
                thread_id=row.thread_id,
                expected_turn_id=row.expected_turn_id,
                client_user_message_id=calling.attempt_id,
                input=[{"type": "text", "text": row.message}],
            )
        except CallRefused as refused:
            await self._give_back(words.operation_id, steer_refusal(refused, row), _refuse)
        except CallNotSent as fault:
            await self._give_back(words.operation_id, unavailable(fault), _void)
        except (CallUnanswered, ReplyInvalid) as fault:
            error = unavailable(fault).as_error()
            await self._ledger.change(lambda tx, reader: calls.doubt(tx, reader, calling.attempt_id, error))
            return False
        else:
            await self._take_in(words.operation_id, "reply to turn/steer")
        return True

    async def reconcile(self, row: operation.Steering, link: Link) -> None:
        """Settle words whose reply or worker is gone. Raises Deferred."""
        calling = await self._ledger.change(
            lambda tx, reader: calls.doubted(tx, reader, row.operation_id, "turn_steer")
        )
        assert calling is not None, "words that are under way have an open call"
        own = calling.app_server_generation == link.session.generation
        try:
            found = await self._find(row, calling, link)
        except CallRefused as refused:
            if may_pass(refused) or (own and not thread_lost(refused)):
                raise Deferred(str(refused)) from refused
            await self._lose(row.operation_id, refused)
            return
        except (CallError, ReplyInvalid) as fault:
            raise Deferred(str(fault)) from fault
        if found is not None and holds_label(found, {calling.attempt_id}):
            await self._take_in(row.operation_id, codex.TURN_STEER_LOST.evidence)
        elif own and found is not None and (found["status"] == "inProgress" or died(found)):
            raise Deferred("Codex shows the words once the model gets them, and the turn has not ended")
        else:
            await self._give_back(row.operation_id, turn_over(row), _void_absent)

    async def _find(self, row: operation.Steering, calling: attempt.Unknown, link: Link) -> codex.Turn | None:
        """Return the turn that was spoken to. The thread is not loaded: that would repeat its questions."""
        turns = await read_turns(
            link.session.calls,
            row.thread_id,
            timeout=_CALL_SECONDS,
            turn_id=row.expected_turn_id,
            labels={calling.attempt_id},
        )
        return next((each for each in turns if each["id"] == row.expected_turn_id), None)

    async def _take_in(self, operation_id: str, evidence: str) -> None:
        def decide(transaction: Transaction, reader: Reader) -> None:
            row = reader.operation(operation_id)
            calling = reader.open_attempt_of(operation_id, "turn_steer")
            if calling is not None and isinstance(row, operation.Steering):
                calls.accept(transaction, reader, calling.attempt_id, evidence)
                transaction.apply(row.take_in(), evidence=evidence)

        await self._ledger.change(decide)

    async def _give_back(self, operation_id: str, error: ControlPlaneError, settle: Settling) -> None:
        """End words that did not reach the model, or put them back where waiting may cure the fault."""

        def decide(transaction: Transaction, reader: Reader) -> None:
            row = reader.operation(operation_id)
            calling = reader.open_attempt_of(operation_id, "turn_steer")
            if not isinstance(row, operation.Steering) or calling is None:
                return
            settle(transaction, reader, calling.attempt_id, error)
            if row.interrupt_requested_at is not None:
                transaction.apply(row.withdraw(), evidence=f"a client asked to stop it; {error.message}")
            elif error.retryable:
                transaction.apply(
                    row.requeue(
                        next_attempt_at=transaction.now + self._retry_ms,
                        queued_reason="retry_after_worker_error",
                        last_error=error.as_error(),
                    ),
                    evidence=error.message,
                )
            else:
                transaction.apply(row.fail(last_error=error.as_error()), by="codex", evidence=error.message)

        await self._ledger.change(decide)

    async def _lose(self, operation_id: str, refused: CallRefused) -> None:
        said = refused.message[:300]
        message = f"Codex cannot read the thread, so nothing says whether it took the words: {said}"

        def decide(transaction: Transaction, reader: Reader) -> None:
            row = reader.operation(operation_id)
            if isinstance(row, operation.Steering):
                transaction.apply(
                    row.lose(last_error=final_doubt(message, codex.TURN_STEER_LOST)), evidence=message
                )

        await self._ledger.change(decide)


def _refuse(transaction: Transaction, reader: Reader, attempt_id: str, error: ControlPlaneError) -> None:
    calls.refuse(transaction, reader, attempt_id, error.as_error())


def _void(transaction: Transaction, reader: Reader, attempt_id: str, error: ControlPlaneError) -> None:
    calls.void(transaction, reader, attempt_id, error.message)


def _void_absent(transaction: Transaction, reader: Reader, attempt_id: str, _: ControlPlaneError) -> None:
    calls.void(transaction, reader, attempt_id, codex.TURN_STEER_LOST.absent_means)
