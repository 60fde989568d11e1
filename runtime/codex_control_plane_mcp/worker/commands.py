"""Orders of the servers: deliver an answer, interrupt a turn, act on a thread. The rows say what is due."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Coroutine, Mapping
from functools import partial

from codex_control_plane_contract.codex import ReplyInvalid
from codex_control_plane_contract.lifecycles import attempt, interaction, operation, worker_command
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp import questions, sealing
from codex_control_plane_mcp.codex.errors import CallError, CallNotSent, CallRefused, CallUnanswered
from codex_control_plane_mcp.incidents import report_incident
from codex_control_plane_mcp.store import STATE_FAULTS, FenceLost, Reader, Transaction
from codex_control_plane_mcp.worker import action_outcomes, calls
from codex_control_plane_mcp.worker.faults import gone, refusal, unavailable
from codex_control_plane_mcp.worker.ledger import Ledger
from codex_control_plane_mcp.worker.link import Link
from codex_control_plane_mcp.worker.review_turns import turn_to_stop
from codex_control_plane_mcp.worker.thread_actions import ThreadActor

_LOG = logging.getLogger(__name__)
_CALL_SECONDS = 30.0
# Codex refuses an interrupt whose turn is just beginning or ending; the next try comes after this.
_PAUSE_SECONDS = 0.5
_FAULT_PAUSE_SECONDS = 2.0
_ADVICE = "It is carried out again."

Carrier = Callable[[worker_command.Open, Link], Coroutine[None, None, None]]
Delivery = tuple[interaction.Delivering, attempt.Sent]
Interrupt = tuple[operation.InTurn, attempt.Sent]


class Commander:
    """Carries out the open commands of the store, each as often as it takes, each once at a time."""

    def __init__(self, ledger: Ledger, wake: Callable[[], None], *, silence_seconds: float) -> None:
        self._ledger = ledger
        self._wake = wake
        self._carriers: Mapping[worker_command.CommandType, Carrier] = {
            "deliver_answer": self._deliver,
            "interrupt_turn": self._interrupt,
            "act_on_thread": ThreadActor(ledger, wake, silence_seconds=silence_seconds).carry_out,
        }
        self._at_work: dict[str, asyncio.Task[None]] = {}

    async def carry_out(self, link: Link) -> None:
        """Begin what is due; returns without waiting for Codex."""
        for command in await self._ledger.read(lambda reader: reader.open_commands()):
            if command.worker_command_id not in self._at_work:
                carry = self._carriers[command.command_type]
                task = asyncio.create_task(self._carry(carry(command, link), link))
                self._at_work[command.worker_command_id] = task
                task.add_done_callback(partial(self._done, command.worker_command_id))

    async def cancel(self) -> None:
        """Stop at once."""
        for task in self._at_work.values():
            task.cancel()
        await asyncio.gather(*self._at_work.values(), return_exceptions=True)

    def _done(self, command_id: str, task: asyncio.Task[None]) -> None:
        del self._at_work[command_id]
        if not task.cancelled() and task.exception() is not None:
            _LOG.warning("command %s is left to the next holder of the lease", command_id)

    async def _carry(self, work: Coroutine[None, None, None], link: Link) -> None:
        try:
            await work
        except STATE_FAULTS as fault:
            # The record may say sent of what was not sent, or the reverse: a new link asks Codex what is so.
            _LOG.warning("an order could not be recorded, the link is made anew: %s", fault)
            await asyncio.sleep(_PAUSE_SECONDS)
            await link.session.connection.close()
        except FenceLost:
            raise
        except Exception:  # noqa: BLE001 -- the boundary of the work on one order
            report_incident("the work on an order", _ADVICE)
            await asyncio.sleep(_FAULT_PAUSE_SECONDS)
            # Nothing else may ever happen that would have it begun again.
            self._wake()

    async def _deliver(self, command: worker_command.Open, link: Link) -> None:
        begun = await self._ledger.change(partial(self._begin_delivery, command, link))
        if begun is None:
            return
        question, calling = begun
        answer = await self._opened(question, calling)
        self._ledger.require_lease()
        try:
            await link.session.connection.answer(json.loads(question.request_id), answer)
        except CallNotSent:
            await self._settle(calls.void, calling, "never written")
        except CallUnanswered as fault:
            await self._settle(calls.doubt, calling, unavailable(fault).as_error())

    async def _opened(self, question: interaction.Delivering, calling: attempt.Sent) -> JsonObject:
        """Return the answer in the clear; one whose seal is broken fails, and Codex is told no instead."""
        try:
            return sealing.opened(question.response, self._ledger.store.path.parent)
        except sealing.SealBroken as fault:
            reason = f"The answer was lost: {fault}. Codex was told that there is none."

            def give_up(transaction: Transaction, reader: Reader) -> None:
                calls.void(transaction, reader, calling.attempt_id, reason)
                row = reader.interaction(question.interaction_id)
                if isinstance(row, interaction.Delivering):
                    transaction.apply(row.fail(reason=reason), evidence=reason)

            await self._ledger.change(give_up)
            return questions.refusal(questions.asked_of(question))

    def _begin_delivery(
        self, command: worker_command.Open, link: Link, transaction: Transaction, reader: Reader
    ) -> Delivery | None:
        question = reader.interaction(command.subject_id)
        if not isinstance(question, interaction.Delivering):
            return None
        # Of another generation: reconciliation closes it. With an open call: its outcome is awaited.
        stale = question.app_server_generation != link.session.generation
        # What Codex asks again on this link crosses no answer then, so a repeated question says for certain
        # that no answer of an earlier link has counted.
        unasked = question.request_id not in link.following.asked
        if stale or unasked or reader.open_attempt_of(question.interaction_id, "interaction_answer"):
            return None
        self._take(transaction, reader, command)
        return question, calls.record_sent(
            transaction,
            kind="interaction_answer",
            operation_id=question.operation_id,
            subject_id=question.interaction_id,
            worker_id=self._ledger.worker_id,
            generation=link.session.generation,
            thread_id=question.thread_id,
            turn_id=question.turn_id,
        )

    async def _interrupt(self, command: worker_command.Open, link: Link) -> None:
        begun = await self._ledger.change(partial(self._begin_interrupt, command, link))
        if begun is None:
            return
        row, calling = begun
        codex = link.session.calls
        turn_id = await self._turn_to_stop(row, calling, link)
        if turn_id is None:
            return
        self._ledger.require_lease()
        try:
            await codex.turn_interrupt(timeout=_CALL_SECONDS, thread_id=row.thread_id, turn_id=turn_id)
        except CallRefused as refused:
            await self._settle(calls.refuse, calling, refusal(refused).as_error())
            await asyncio.sleep(_PAUSE_SECONDS)
            self._wake()
        except CallNotSent:
            await self._settle(calls.void, calling, "never written")
        except CallError as fault:
            await self._settle(calls.doubt, calling, unavailable(fault).as_error())
            # Only a new link asks Codex whether the turn still runs; until then nobody would stop it again.
            await link.session.connection.close()
        else:
            await self._settle(calls.accept, calling, "reply to turn/interrupt")
            # An interrupted turn leaves its running command behind.
            with contextlib.suppress(CallError):
                await codex.thread_background_terminals_clean(timeout=_CALL_SECONDS, thread_id=row.thread_id)

    async def _turn_to_stop(self, row: operation.InTurn, calling: attempt.Sent, link: Link) -> str | None:
        """Return the turn that Codex knows as the one at work; None, with the call void, if it shows none."""
        try:
            turn_id = await turn_to_stop(link.session.calls, row)
        except (CallError, ReplyInvalid) as fault:
            reason = f"never written: {fault}"
        else:
            if turn_id is not None:
                return turn_id
            reason = "never written: Codex shows no turn of the review at work"
        await self._settle(calls.void, calling, reason)
        await asyncio.sleep(_PAUSE_SECONDS)
        self._wake()
        return None

    def _begin_interrupt(
        self, command: worker_command.Open, link: Link, transaction: Transaction, reader: Reader
    ) -> Interrupt | None:
        row = reader.operation(command.subject_id)
        if not isinstance(row, operation.InTurn):
            return None
        # Codex refuses an interrupt before turn/started, and the turn then runs on.
        if row.turn_id not in link.following.started_turns:
            return None
        earlier = reader.attempts_of(row.operation_id, "turn_interrupt")
        if earlier and not isinstance(earlier[0], attempt.Void | attempt.Refused):
            return None
        self._take(transaction, reader, command)
        return row, calls.record_sent(
            transaction,
            kind="turn_interrupt",
            operation_id=row.operation_id,
            subject_id=row.operation_id,
            worker_id=self._ledger.worker_id,
            generation=link.session.generation,
            thread_id=row.thread_id,
            turn_id=row.turn_id,
        )

    def _take(self, transaction: Transaction, reader: Reader, command: worker_command.Open) -> None:
        current = reader.worker_command(command.worker_command_id)
        if isinstance(current, worker_command.Queued):
            transaction.apply(current.take(worker_id=self._ledger.worker_id))

    async def _settle(
        self,
        outcome: Callable[[Transaction, Reader, str, calls.WordT], None],
        calling: attempt.Sent,
        word: calls.WordT,
    ) -> None:
        await self._ledger.change(
            lambda transaction, reader: outcome(transaction, reader, calling.attempt_id, word)
        )


def close_fulfilled(transaction: Transaction, reader: Reader, *, worker_id: str) -> None:
    """End the commands whose subject has ended, and give up those that are overdue."""
    for command in reader.open_commands():
        status = _ended_as(reader, command)
        if status is not None:
            running = (
                transaction.apply(command.take(worker_id=worker_id))
                if isinstance(command, worker_command.Queued)
                else command
            )
            error = action_outcomes.error_of(reader, command.subject_id)
            transaction.apply(
                running.complete(result={"status": status}) if error is None else running.fail(error=error)
            )
        elif command.deadline_at <= transaction.now and not action_outcomes.may_have_begun(
            reader, command.subject_id
        ):
            transaction.apply(command.time_out(), evidence="the deadline")
            action_outcomes.give_up(transaction, reader, command.subject_id)
            question = reader.interaction(command.subject_id)
            if isinstance(question, interaction.Delivering):
                reason = "The answer could not be delivered within a week."
                subject_id = question.interaction_id
                calls.doubt_open(transaction, reader, subject_id, "interaction_answer", gone(reason))
                transaction.apply(question.fail(reason=reason), evidence="the deadline of the delivery")


def _ended_as(reader: Reader, command: worker_command.Open) -> str | None:
    """Return the final state of what the command is about, or None while it is open."""
    if command.command_type == "deliver_answer":
        question = reader.interaction(command.subject_id)
        return question.state if question is not None and question.facts.terminal else None
    if command.command_type == "act_on_thread":
        action = reader.thread_action(command.subject_id)
        return action.state if action is not None and action.facts.terminal else None
    row = reader.operation(command.subject_id)
    return row.state if row is not None and row.facts.terminal else None
