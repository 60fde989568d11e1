"""Archiving a thread and putting it back: `thread/resume` tells, before and after, on which side it is.

Neither call may be repeated blindly (Codex refuses what is done already), and neither has to be: a thread in
the archive cannot be resumed, and Codex says so. That settles a lost reply, whoever died.
"""

from functools import partial

from codex_control_plane_contract.codex import ReplyInvalid
from codex_control_plane_contract.lifecycles import attempt, thread_action
from codex_control_plane_contract.types import Error
from codex_control_plane_mcp.codex.errors import CallError, CallNotSent, CallRefused
from codex_control_plane_mcp.store import Reader, Transaction
from codex_control_plane_mcp.worker import action_outcomes as outcomes
from codex_control_plane_mcp.worker import calls
from codex_control_plane_mcp.worker.faults import refusal, thread_archived, thread_lost, unavailable
from codex_control_plane_mcp.worker.ledger import Ledger
from codex_control_plane_mcp.worker.link import Link
from codex_control_plane_mcp.worker.looks import Looks

_CALL_SECONDS = 30.0
# A request that was written just before its connection broke takes effect within some 100 ms.
_SETTLE_SECONDS = 5.0


class Archiving:
    """One `archive` or `unarchive` on one link."""

    def __init__(self, ledger: Ledger, link: Link, row: thread_action.Open) -> None:
        self._ledger = ledger
        self._link = link
        self._row = row

    async def carry_on(self) -> None:
        """Do it, unless it is done.

        Raises ActionFailed, and CallError or ReplyInvalid where Codex cannot say.
        """
        thread_id = self._row.thread_id
        async with self._link.following.holding(thread_id):
            try:
                doubtful = await self._ledger.change(partial(outcomes.doubt, row=self._row))
                if await self._is_done(doubtful):
                    await self._complete(outcomes.LOSS_OF[self._row.kind].evidence)
                else:
                    await self._call()
            finally:
                await self._link.following.leave(thread_id)

    async def _is_done(self, doubtful: attempt.Unknown | None) -> bool:
        """Return whether the thread is where it shall be, waiting for a call that may be on its way."""
        own = doubtful is not None and doubtful.app_server_generation == self._link.session.generation
        looks = Looks(_SETTLE_SECONDS if own else 0.0)
        while True:
            last = looks.are_over
            done = await self._is_archived() is (self._row.kind == "archive")
            if done or last:
                return done
            await looks.pause()

    async def _is_archived(self) -> bool:
        """Return where the thread is. Raises ActionFailed for one that is to be archived and is at work."""
        thread_id = self._row.thread_id
        try:
            reply = await self._link.session.calls.thread_resume(
                timeout=_CALL_SECONDS, thread_id=thread_id, exclude_turns=True
            )
        except CallRefused as refused:
            if thread_archived(refused):
                return True
            raise
        if self._row.kind == "archive" and reply["thread"].get("status", {}).get("type") == "active":
            raise outcomes.ActionFailed(outcomes.busy_with(thread_id, None))
        return False

    async def _call(self) -> None:
        calling = await self._ledger.change(
            partial(
                outcomes.record_call,
                row=self._row,
                worker_id=self._ledger.worker_id,
                generation=self._link.session.generation,
            )
        )
        self._ledger.require_lease()
        try:
            await self._send()
        except CallRefused as refused:
            await self._refused(calling, refused)
        except CallNotSent:
            await self._ledger.change(
                partial(calls.void, attempt_id=calling.attempt_id, evidence="never written")
            )
        except (CallError, ReplyInvalid) as fault:
            await self._settle(calling, unavailable(fault).as_error())
        else:
            await self._complete(f"reply to thread/{self._row.kind}")

    async def _send(self) -> None:
        codex = self._link.session.calls
        if self._row.kind == "archive":
            await codex.thread_archive(timeout=_CALL_SECONDS, thread_id=self._row.thread_id)
        else:
            await codex.thread_unarchive(timeout=_CALL_SECONDS, thread_id=self._row.thread_id)

    async def _refused(self, calling: attempt.Sent, refused: CallRefused) -> None:
        """Record a refusal; "no rollout" may mean that somebody else has just done it, which a look tells."""
        error = refusal(refused)
        await self._ledger.change(
            partial(calls.refuse, attempt_id=calling.attempt_id, error=error.as_error())
        )
        if thread_lost(refused) and await self._is_done(None):
            await self._complete(outcomes.LOSS_OF[self._row.kind].evidence)
        elif not error.retryable:
            raise outcomes.ActionFailed(error) from refused

    async def _settle(self, calling: attempt.Sent, error: Error) -> None:
        await self._ledger.change(partial(calls.doubt, attempt_id=calling.attempt_id, error=error))

    async def _complete(self, evidence: str) -> None:
        def record(transaction: Transaction, reader: Reader) -> None:
            outcomes.complete(transaction, reader, self._row, evidence=evidence)

        await self._ledger.change(record)
