"""Reconciliation: what became of work whose reply, worker or app-server was lost.

Evidence is positive only. The thread's own history is read while this app-server holds the thread (only then
does "in progress" or "interrupted" mean what it says). A prompt whose label is not there, on a thread that
is idle, never reached the model, so its operation goes back to the queue; nothing is started from here.
"""

import asyncio
from collections.abc import Set
from dataclasses import replace
from functools import partial

from codex_control_plane_contract import codex
from codex_control_plane_contract.lifecycles import attempt, operation, turn
from codex_control_plane_mcp.codex.errors import CallError, CallRefused
from codex_control_plane_mcp.doubts import final_doubt, loss_of
from codex_control_plane_mcp.store import Reader, Transaction
from codex_control_plane_mcp.worker import asking, calls, progress, traces
from codex_control_plane_mcp.worker.endings import read_end
from codex_control_plane_mcp.worker.faults import Deferred, gone, may_pass, thread_lost, thread_young
from codex_control_plane_mcp.worker.history import History, died, read_history
from codex_control_plane_mcp.worker.ledger import Ledger
from codex_control_plane_mcp.worker.link import Link
from codex_control_plane_mcp.worker.looks import Looks
from codex_control_plane_mcp.worker.quota import Patience
from codex_control_plane_mcp.worker.requeueing import recover
from codex_control_plane_mcp.worker.steering import Steerer
from codex_control_plane_mcp.worker.traces import Trace
from codex_control_plane_mcp.worker.turn_end import TurnEnd
from codex_control_plane_mcp.worker.turns import begin_turn, end_turn, forget_turn, lose_turn, settle_waiting
from codex_control_plane_mcp.worker.vanishing import deletion, orphan_in_turn, orphan_start

_CALL_SECONDS = 30.0
# A request that was written just before its connection broke shows in the history within some 100 ms.
_SETTLE_SECONDS = 5.0
# A turn that is just ending shows its end within some milliseconds.
_ENDING_SECONDS = 1.5
# Open questions are repeated right after the reply to thread/resume.
_REPEAT_SECONDS = 1.0
_LOOK_SECONDS = 0.1


class Reconciler:
    """Settles what is in hand against one session."""

    def __init__(self, ledger: Ledger, link: Link, patience: Patience, steerer: Steerer) -> None:
        self._ledger = ledger
        self._steerer = steerer
        self._link = link
        self._patience = patience

    async def reconcile(self, row: operation.Operation) -> None:
        """Settle one operation that no task carries. Raises Deferred."""
        if isinstance(row, operation.Submitting):
            await self._reconcile_start(row)
        elif isinstance(row, operation.StartingAppServer | operation.StartingThread):
            await self._recover(row, "its worker or app-server went away before the prompt was sent")
        elif isinstance(row, operation.Steering):
            await self._steerer.reconcile(row, self._link)
        elif isinstance(row, operation.InTurn):
            await self._reconcile_turn(row)

    async def _recover(self, seen: operation.Starting, evidence: str) -> None:
        def decide(transaction: Transaction, reader: Reader) -> None:
            row = reader.operation(seen.operation_id)
            # What was found out about one call says nothing of the next one.
            if isinstance(row, operation.Starting) and _still_there(row, seen):
                recover(transaction, reader, row, evidence=evidence)

        await self._ledger.change(decide)

    async def _reconcile_start(self, row: operation.Submitting) -> None:
        calling = await self._ledger.change(
            lambda tx, reader: calls.doubted(tx, reader, row.operation_id, traces.kind_of(row))
        )
        if calling is None:
            await self._recover(row, "its prompt was never sent")
            return
        try:
            found, evidence = await self._find(row.thread_id, calling, Trace.of(row, calling))
        except CallRefused as refused:
            await self._settle_unreadable_start(row, calling, refused)
            return
        except (CallError, codex.ReplyInvalid) as fault:
            raise Deferred(str(fault)) from fault
        if found is None:
            await self._recover(row, evidence)
            return
        await self._ledger.change(
            lambda tx, reader: begin_turn(
                tx, reader, calling, turn_id=found, thread_id=row.thread_id, evidence=evidence
            )
        )
        await self._settle_turn(found, row.thread_id)

    async def _settle_unreadable_start(
        self, row: operation.Submitting, calling: attempt.Unknown, refused: CallRefused
    ) -> None:
        """Settle a submission whose thread Codex refuses to read. Raises Deferred."""
        evidence = await self._deletion(row.thread_id)
        if evidence is not None:
            await self._ledger.change(partial(orphan_start, row, evidence))
        elif thread_lost(refused):
            await self._recover(row, f"Codex has no such thread: {refused.message[:300]}")
        elif may_pass(refused) or self._is_own(calling.app_server_generation):
            raise Deferred(str(refused)) from refused
        else:
            await self._lose_start(row.operation_id, f"Codex cannot read the thread: {refused.message[:300]}")

    async def _deletion(self, thread_id: str, *, turn_seen: bool = False) -> str | None:
        try:
            return await deletion(self._link.session.calls, thread_id, turn_seen=turn_seen)
        except (CallError, codex.ReplyInvalid) as fault:
            raise Deferred(str(fault)) from fault

    async def _find(self, thread_id: str, calling: attempt.Unknown, trace: Trace) -> tuple[str | None, str]:
        """Return the turn that the call began, or None once it is certain that it began none, and why.

        A request to an app-server that is dead cannot take effect any more. One that lives may still take it
        up, and until then says of a new thread that there is none.
        """
        own = self._is_own(calling.app_server_generation)
        looks = Looks(_SETTLE_SECONDS if own else 0.0)
        while True:
            late = looks.are_over
            try:
                history = await self._read(thread_id, trace)
            except CallRefused as refused:
                if late or not (thread_lost(refused) or thread_young(refused)):
                    raise
            else:
                found = trace.turn_id(history)
                if found is not None:
                    return found, trace.loss.evidence
                if late and history.active:
                    raise Deferred("the thread is at work and does not show what was submitted")
                if late:
                    return None, trace.loss.absent_means
            await looks.pause()

    async def _read(self, thread_id: str, trace: Trace) -> History:
        return await read_history(
            self._link.session.calls,
            thread_id,
            timeout=_CALL_SECONDS,
            turn_id=trace.after,
            labels={trace.label},
        )

    def _is_own(self, generation: int) -> bool:
        """Return whether the app-server of that generation is the one that lives."""
        return generation == self._link.session.generation

    async def _lose_start(self, operation_id: str, message: str) -> None:
        def decide(transaction: Transaction, reader: Reader) -> None:
            row = reader.operation(operation_id)
            if isinstance(row, operation.Submitting):
                error = final_doubt(message, loss_of(row))
                transaction.apply(row.lose(last_error=error), evidence=message)

        await self._ledger.change(decide)

    async def _reconcile_turn(self, row: operation.InTurn) -> None:
        try:
            await self._settle_turn(row.turn_id, row.thread_id)
        except CallRefused as refused:
            await self._settle_unreadable_turn(row, refused)
        except (CallError, codex.ReplyInvalid) as fault:
            raise Deferred(str(fault)) from fault

    async def _settle_unreadable_turn(self, row: operation.InTurn, refused: CallRefused) -> None:
        """Settle a turn whose thread Codex refuses to read. Raises Deferred."""
        survived = row.app_server_generation is not None and self._is_own(row.app_server_generation)
        evidence = await self._deletion(row.thread_id, turn_seen=survived)
        if evidence is not None:
            await self._ledger.change(partial(orphan_in_turn, row, evidence, survived=survived))
            self._link.following.started_turns.discard(row.turn_id)
        elif may_pass(refused) or survived:
            raise Deferred(str(refused)) from refused
        else:
            await self._lose(row.turn_id, f"Codex does not show the thread any more: {refused.message[:300]}")

    async def _settle_turn(self, turn_id: str, thread_id: str) -> None:
        """Bring turn, operation and questions to what the thread says."""
        row = await self._ledger.read(lambda reader: reader.turn(turn_id))
        if row is None:
            return
        survived = row.app_server_generation == self._link.session.generation
        following = self._link.following
        # Held, so that what was missed is shown before what Codex says from now on.
        async with following.holding(thread_id):
            await self._expect_questions(turn_id)
            history = await self._settled_history(turn_id, thread_id, survived=survived)
            await self._take_history(history, row, survived=survived)
            if not history.runs(turn_id):
                following.started_turns.discard(turn_id)
                await following.leave(thread_id)
                return
        following.started_turns.add(turn_id)
        await self._settle_questions(turn_id, thread_id, asking_now=history.asking)

    async def _expect_questions(self, turn_id: str) -> None:
        """Take no question for open because it once was: Codex repeats those that still are."""
        questions = await self._ledger.read(lambda reader: reader.open_interactions(turn_id))
        self._link.following.asked -= {question.request_id for question in questions}

    async def _take_history(self, history: History, row: turn.Turn, *, survived: bool) -> None:
        """Record what the history says of a turn, but for its questions."""
        found = history.turn(row.turn_id)
        if not survived:
            await self._ledger.change(lambda tx, reader: _orphan_questions(tx, reader, row.turn_id))
        if found is None:
            if survived:
                raise Deferred("Codex does not show the turn yet")
            error = final_doubt(
                "The app-server died and its successor has no record of the turn.", codex.TURN_COMPLETED_LOST
            )
            await self._ledger.change(lambda tx, reader: forget_turn(tx, reader, row.turn_id, error))
            return
        if history.names_items:
            await self._ledger.change(lambda tx, _: progress.catch_up(tx, row, found.get("items", [])))
        if history.runs(row.turn_id):
            await self._ledger.change(
                lambda tx, reader: calls.void_open(
                    tx,
                    reader,
                    row.operation_id,
                    "turn_interrupt",
                    codex.TURN_INTERRUPT_LOST.absent_means,
                )
            )
        else:
            await self._ledger.change(partial(self._end, found, row, survived=survived))

    async def _settled_history(self, turn_id: str, thread_id: str, *, survived: bool) -> History:
        """Read the thread; while a turn is just ending, Codex shows it as if its process had died.

        For some milliseconds it is no longer at work and its end is not written yet. Who waits sees which end
        it was; a turn that stays so broke off inside Codex.
        """
        deadline = asyncio.get_running_loop().time() + _ENDING_SECONDS
        while True:
            history = await read_history(
                self._link.session.calls, thread_id, timeout=_CALL_SECONDS, turn_id=turn_id
            )
            found = history.turn(turn_id)
            ending = survived and found is not None and died(found)
            if not ending or asyncio.get_running_loop().time() >= deadline:
                return history
            await asyncio.sleep(_LOOK_SECONDS)

    async def _settle_questions(self, turn_id: str, thread_id: str, *, asking_now: bool) -> None:
        """Close what Codex does not ask again; it repeats its open questions when a thread is resumed."""
        following = self._link.following
        deadline = asyncio.get_running_loop().time() + _REPEAT_SECONDS
        while asking_now:
            await self._catch_up(thread_id)
            open_now = await self._ledger.read(lambda reader: reader.open_interactions(turn_id))
            repeated = [question.request_id in following.asked for question in open_now]
            if repeated and all(repeated):
                break
            if asyncio.get_running_loop().time() >= deadline:
                if not any(repeated):
                    raise Deferred("Codex has not repeated its open questions yet")
                break
            await asyncio.sleep(_LOOK_SECONDS)
        await self._ledger.change(
            lambda tx, reader: _close_questions(tx, reader, turn_id, still_asked=following.asked)
        )

    async def _catch_up(self, thread_id: str) -> None:
        try:
            await self._link.following.caught_up(thread_id)
        except TimeoutError as fault:
            raise Deferred("the messages of the thread are not recorded yet") from fault

    def _end(
        self, found: codex.Turn, row: turn.Turn, transaction: Transaction, reader: Reader, *, survived: bool
    ) -> None:
        """Record what the history says of a turn that has ended."""
        end = read_end(
            found,
            reader,
            source="reconciled" if survived else "after_restart",
            method="thread/turns/list",
            error=None if survived else gone("The app-server ended with this turn in it; what it did stays."),
        )
        if end is None:
            return
        asking.close_delivering(transaction, reader, row.turn_id, evidence=f"the turn ended {end.status}")
        honest = replace(_honest(end), broke_off=died(found) and not survived)
        end_turn(transaction, reader, row.turn_id, honest, self._patience)

    async def _lose(self, turn_id: str, message: str) -> None:
        def decide(transaction: Transaction, reader: Reader) -> None:
            # Its app-server is dead; without this its questions would be open until a next link is made.
            _orphan_questions(transaction, reader, turn_id)
            lose_turn(transaction, reader, turn_id, gone(message))

        await self._ledger.change(decide)


def _still_there(row: operation.Starting, seen: operation.Starting) -> bool:
    """Return whether an operation is where it was seen, in the same start."""
    return row.state == seen.state and row.attempt_count == seen.attempt_count


def _orphan_questions(transaction: Transaction, reader: Reader, turn_id: str) -> None:
    for question in reader.open_interactions(turn_id):
        asking.orphan(transaction, reader, question)


def _close_questions(
    transaction: Transaction, reader: Reader, turn_id: str, *, still_asked: Set[str]
) -> None:
    """What Codex does not ask again has been answered, by us if we had sent an answer."""
    for question in reader.open_interactions(turn_id):
        if question.request_id not in still_asked:
            asking.resolve(transaction, reader, question, evidence=codex.ANSWER_LOST.evidence)
    settle_waiting(transaction, reader, turn_id, evidence="thread/resume")


def _honest(end: TurnEnd) -> TurnEnd:
    """A completed turn has no error, whatever was assumed for one that broke off."""
    if end.status != "completed" or end.error is None:
        return end
    return replace(end, error=None)
