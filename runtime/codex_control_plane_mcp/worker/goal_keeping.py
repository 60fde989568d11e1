"""Keeping goals: what is to be on a thread is written there, and taken off once its workflow has ended.

The rows say what is due, whether or not anybody polls. Besides, an open goal is looked at once on each link,
and whenever Codex tells that the goal of its thread was changed: what somebody else wrote is left alone.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial

from codex_control_plane_contract import codex
from codex_control_plane_contract.codex import ReplyInvalid
from codex_control_plane_mcp.codex.errors import CallError, CallNotSent, CallRefused, CallUnanswered
from codex_control_plane_mcp.incidents import report_incident
from codex_control_plane_mcp.store import STATE_FAULTS, FenceLost
from codex_control_plane_mcp.store.goal_standing import GoalStanding
from codex_control_plane_mcp.worker import calls, goal_decisions
from codex_control_plane_mcp.worker.faults import unavailable
from codex_control_plane_mcp.worker.goal_decisions import Caller, GoalCall
from codex_control_plane_mcp.worker.ledger import Ledger
from codex_control_plane_mcp.worker.link import Link

_LOG = logging.getLogger(__name__)
_CALL_SECONDS = 10.0
# Pace of another try where Codex gave no answer that settles it.
_PAUSE_SECONDS = 2.0


class GoalKeeper:
    """Keeps the goals of the store on their threads, each once at a time."""

    def __init__(self, ledger: Ledger, wake: Callable[[], None]) -> None:
        self._ledger = ledger
        self._wake = wake
        self._at_work: dict[str, asyncio.Task[None]] = {}
        self._link: Link | None = None
        self._unseen: set[str] = set()

    @property
    def busy(self) -> bool:
        """Whether Codex is being asked about a goal."""
        return bool(self._at_work)

    def carry_out(self, standings: Sequence[GoalStanding], link: Link) -> None:
        """Begin what is due and look where something may have changed; returns without waiting for Codex."""
        self._note_changes(standings, link)
        for standing in standings:
            goal_id = standing.row.goal_id
            if goal_id in self._at_work or not (standing.is_due or goal_id in self._unseen):
                continue
            self._unseen.discard(goal_id)
            if standing.thread_id is not None:
                task = asyncio.create_task(self._keep(goal_id, standing.thread_id, link), name=goal_id)
                self._at_work[goal_id] = task
                task.add_done_callback(partial(self._done, goal_id))

    async def cancel(self) -> None:
        """Stop at once."""
        for task in self._at_work.values():
            task.cancel()
        await asyncio.gather(*self._at_work.values(), return_exceptions=True)

    def _note_changes(self, standings: Sequence[GoalStanding], link: Link) -> None:
        """Have every goal looked at on a new link, and those of which Codex has told something since."""
        changed = link.following.take_goal_changes()
        self._unseen |= {
            standing.row.goal_id
            for standing in standings
            if self._link is not link or standing.thread_id in changed
        }
        self._link = link

    def _done(self, goal_id: str, task: asyncio.Task[None]) -> None:
        del self._at_work[goal_id]
        if not task.cancelled() and task.exception() is not None:
            _LOG.warning("goal %s is left to the next holder of the lease", goal_id)
        self._wake()

    async def _keep(self, goal_id: str, thread_id: str, link: Link) -> None:
        try:
            settled = await self._settle(goal_id, thread_id, link)
        except (CallError, ReplyInvalid, *STATE_FAULTS) as fault:
            _LOG.warning("goal %s is looked at again: %s", goal_id, fault)
            settled = False
        except FenceLost:
            raise
        except Exception:  # noqa: BLE001 -- the boundary of the work on one goal
            report_incident(f"the work on goal {goal_id}", "It is looked at again.")
            settled = False
        if not settled:
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _settle(self, goal_id: str, thread_id: str, link: Link) -> bool:
        """Look, record, and make the call that is due; return False where another try must wait."""
        codex_calls = link.session.calls
        await self._ledger.change(lambda tx, reader: goal_decisions.doubt_calls(tx, reader, goal_id))
        try:
            look = await codex_calls.thread_goal_get(timeout=_CALL_SECONDS, thread_id=thread_id)
        except CallRefused as refused:
            return await self._refused(goal_id, refused, None)
        caller = Caller(self._ledger.worker_id, link.session.generation)
        call = await self._ledger.change(
            lambda tx, reader: goal_decisions.next_call(tx, reader, goal_id, look.get("goal"), caller)
        )
        return call is None or await self._make(goal_id, call, codex_calls)

    async def _make(self, goal_id: str, call: GoalCall, codex_calls: codex.CodexCalls) -> bool:
        self._ledger.require_lease()
        try:
            shown = await _write(call, codex_calls)
        except CallRefused as refused:
            return await self._refused(goal_id, refused, call)
        except CallNotSent:
            await self._ledger.change(
                lambda tx, reader: calls.void(tx, reader, call.calling.attempt_id, "never written")
            )
            return False
        except (CallUnanswered, ReplyInvalid) as fault:
            error = unavailable(fault).as_error()
            await self._ledger.change(
                lambda tx, reader: calls.doubt(tx, reader, call.calling.attempt_id, error)
            )
            return False
        await self._ledger.change(
            lambda tx, reader: goal_decisions.record_reply(tx, reader, goal_id, call, shown)
        )
        return True

    async def _refused(self, goal_id: str, refused: CallRefused, call: GoalCall | None) -> bool:
        await self._ledger.change(
            lambda tx, reader: goal_decisions.record_refusal(tx, reader, goal_id, refused, call)
        )
        return False


async def _write(call: GoalCall, codex_calls: codex.CodexCalls) -> codex.ThreadGoal | None:
    """Make the call; return the goal that the thread has then. Raises CallError and ReplyInvalid."""
    if call.status is None:
        await codex_calls.thread_goal_clear(timeout=_CALL_SECONDS, thread_id=call.thread_id)
        return None
    reply = await codex_calls.thread_goal_set(
        timeout=_CALL_SECONDS,
        thread_id=call.thread_id,
        objective=call.objective,
        status=call.status,
        token_budget=call.token_budget,
    )
    return reply["goal"]
