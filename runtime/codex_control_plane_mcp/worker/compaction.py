"""Compaction: a turn of its own that the reply to `thread/compact/start` does not name.

The thread's own history is the evidence: a turn behind the newest one of before that holds no prompt. A
notification only says when to look, so that one that is lost costs time and nothing else.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from functools import partial

from codex_control_plane_contract import codex
from codex_control_plane_contract.errors import CodexSendFailed
from codex_control_plane_contract.lifecycles import attempt, thread_action
from codex_control_plane_contract.types import Error
from codex_control_plane_mcp.codex.errors import CallError, CallNotSent, CallRefused
from codex_control_plane_mcp.store import Reader, Transaction
from codex_control_plane_mcp.worker import action_outcomes as outcomes
from codex_control_plane_mcp.worker import calls
from codex_control_plane_mcp.worker.endings import codex_error
from codex_control_plane_mcp.worker.faults import gone, refusal, thread_young, unavailable
from codex_control_plane_mcp.worker.history import History, died, read_history
from codex_control_plane_mcp.worker.ledger import Ledger
from codex_control_plane_mcp.worker.link import Link

_CALL_SECONDS = 30.0
# How long the history may lag behind what Codex has said, or has been asked just before a connection broke.
_SETTLE_SECONDS = 5.0
_LOOK_SECONDS = 0.1
_EVIDENCE = "thread/turns/list"


@dataclass(frozen=True, slots=True)
class Sight:
    """What a look at the thread shows: the turn that compacts it, if there is one.

    ``late`` says that the history has had the time to show all that it ever will.
    """

    turn: codex.Turn | None
    active: bool
    late: bool

    @property
    def runs(self) -> bool:
        """Whether the compaction is in progress."""
        return self.turn is not None and self.turn["status"] == "inProgress"


class Compaction:
    """One compaction on one link."""

    def __init__(
        self, ledger: Ledger, link: Link, row: thread_action.Open, *, silence_seconds: float
    ) -> None:
        self._ledger = ledger
        self._link = link
        self._row = row
        self._silence_seconds = silence_seconds

    async def carry_on(self) -> None:
        """Begin it, unless it has begun, and follow it to its end.

        Raises ActionFailed, and CallError or ReplyInvalid where Codex cannot say.
        """
        thread_id = self._row.thread_id
        following = self._link.following
        try:
            doubtful = await self._ledger.change(partial(outcomes.doubt, row=self._row))
            if doubtful is None and isinstance(self._row, thread_action.Starting):
                async with following.holding(thread_id):
                    if not await self._start():
                        return
            await self._follow()
        finally:
            async with following.holding(thread_id):
                await following.leave(thread_id)

    async def _start(self) -> bool:
        """Call Codex; return whether the thread's history is to be asked what came of it."""
        newest = await self._newest_turn()
        calling = await self._ledger.change(partial(self._record, newest))
        self._ledger.require_lease()
        try:
            await self._link.session.calls.thread_compact_start(
                timeout=_CALL_SECONDS, thread_id=self._row.thread_id
            )
        except CallRefused as refused:
            error = refusal(refused)
            await self._ledger.change(
                partial(calls.refuse, attempt_id=calling.attempt_id, error=error.as_error())
            )
            if not error.retryable:
                raise outcomes.ActionFailed(error) from refused
            return False
        except CallNotSent:
            await self._ledger.change(
                partial(calls.void, attempt_id=calling.attempt_id, evidence="never written")
            )
            return False
        except CallError as fault:
            await self._ledger.change(
                partial(calls.doubt, attempt_id=calling.attempt_id, error=unavailable(fault).as_error())
            )
        else:
            await self._ledger.change(self._begin)
        return True

    async def _newest_turn(self) -> str | None:
        """Load the thread and return its newest turn. Raises ActionFailed if it is at work."""
        try:
            history = await read_history(
                self._link.session.calls, self._row.thread_id, timeout=_CALL_SECONDS, pages=1
            )
        except CallRefused as refused:
            if thread_young(refused):
                return None
            raise
        if history.active:
            raise outcomes.ActionFailed(outcomes.busy_with(self._row.thread_id, None))
        return history.turns[0]["id"] if history.turns else None

    def _record(self, newest: str | None, transaction: Transaction, reader: Reader) -> attempt.Sent:
        transaction.touch(self._row.note_newest_turn(after_turn_id=newest))
        return outcomes.record_call(
            transaction,
            reader,
            self._row,
            worker_id=self._ledger.worker_id,
            generation=self._link.session.generation,
        )

    def _begin(self, transaction: Transaction, reader: Reader) -> None:
        outcomes.begin(
            transaction,
            reader,
            self._row,
            generation=self._link.session.generation,
            evidence="reply to thread/compact/start",
        )

    async def _follow(self) -> None:
        """Look at the thread, again at each end of a turn and after silence, until the action is decided."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _SETTLE_SECONDS
        while True:
            ended = self._link.following.end_of_turn(self._row.thread_id)
            sight = await self._look(late=loop.time() >= deadline)
            if await self._ledger.change(partial(self._settle, sight)):
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._silence_seconds if sight.runs else _LOOK_SECONDS):
                    await ended.wait()
            if sight.runs:
                deadline = loop.time() + _SETTLE_SECONDS

    async def _look(self, *, late: bool) -> Sight:
        row = await self._ledger.read(lambda reader: reader.thread_action(self._row.thread_action_id))
        after = row.after_turn_id if row is not None else None
        # Held, so that the messages about the turn find the thread followed.
        async with self._link.following.holding(self._row.thread_id):
            history = await self._history(after)
        return Sight(_compacting(history, after), history.active, late)

    async def _history(self, after: str | None) -> History:
        thread_id = self._row.thread_id
        return await read_history(self._link.session.calls, thread_id, timeout=_CALL_SECONDS, turn_id=after)

    def _settle(self, sight: Sight, transaction: Transaction, reader: Reader) -> bool:
        """Record what the look shows; return whether there is nothing more to wait for on this link."""
        row = reader.thread_action(self._row.thread_action_id)
        if not isinstance(row, thread_action.Open):
            return True
        generation = self._generation(row, reader)
        own = generation == self._link.session.generation
        if sight.turn is None:
            return self._settle_absence(sight, row, transaction, reader, own=own)
        outcomes.begin(transaction, reader, row, generation=generation, evidence=_EVIDENCE)
        begun = reader.thread_action(row.thread_action_id)
        assert isinstance(begun, thread_action.Open)
        return _settle_turn(sight, sight.turn, begun, transaction, reader, own=own)

    def _settle_absence(
        self, sight: Sight, row: thread_action.Open, transaction: Transaction, reader: Reader, *, own: bool
    ) -> bool:
        """Decide on a thread without a compaction: it may still come, or it never will."""
        if own and (sight.active or not sight.late):
            return False
        if isinstance(row, thread_action.Starting):
            # It never reached Codex, and may be sent again: the next round does.
            absent = codex.THREAD_COMPACT_START_LOST.absent_means
            calls.void_open(transaction, reader, row.thread_action_id, "thread_compaction", absent)
        elif own:
            message = "Codex took the compaction up, and its history shows none."
            outcomes.fail(transaction, reader, row, CodexSendFailed(message).as_error(), by="codex")
        else:
            outcomes.lose(transaction, reader, row, _died(), turn_id=None)
        return True

    def _generation(self, row: thread_action.Open, reader: Reader) -> int:
        """Return which app-server was asked to compact the thread."""
        calling = reader.open_attempt_of(row.thread_action_id, outcomes.CALL_OF[row.kind])
        if row.app_server_generation is not None:
            return row.app_server_generation
        return calling.app_server_generation if calling is not None else self._link.session.generation


def _settle_turn(
    sight: Sight,
    found: codex.Turn,
    row: thread_action.Open,
    transaction: Transaction,
    reader: Reader,
    *,
    own: bool,
) -> bool:
    """Record how the turn of a compaction ended; return False while it has not."""
    turn_id = found["id"]
    if sight.runs or (died(found) and own and not sight.late):
        return False
    if found["status"] == "completed" and _holds_compaction(found):
        outcomes.complete(transaction, reader, row, evidence=_EVIDENCE, turn_id=turn_id)
    elif died(found) and not own:
        outcomes.lose(transaction, reader, row, _died(), turn_id=turn_id)
    else:
        error = _fault(found)
        outcomes.fail(transaction, reader, row, error, by="codex", turn_id=turn_id)
    return True


def _compacting(history: History, after: str | None) -> codex.Turn | None:
    """Return the first turn behind ``after`` that holds no prompt, or None."""
    newer: list[codex.Turn] = []
    for turn in history.turns:
        if turn["id"] == after:
            break
        newer.append(turn)
    return next((turn for turn in reversed(newer) if not _holds_prompt(turn)), None)


def _holds_prompt(turn: codex.Turn) -> bool:
    return any(item.get("type") == "userMessage" for item in turn.get("items", []))


def _holds_compaction(turn: codex.Turn) -> bool:
    return any(item.get("type") == "contextCompaction" for item in turn.get("items", []))


def _fault(turn: codex.Turn) -> Error:
    if turn.get("error"):
        return codex_error(turn.get("error"))
    return CodexSendFailed(f"The turn of the compaction ended {turn['status']}.").as_error()


def _died() -> Error:
    return gone("The app-server died during the compaction; the thread is whole, compacted or not.")
