"""What becomes of a goal, given what Codex shows on its thread; each function is part of an open transaction.

The look comes before every call. It finds out what became of a call whose reply was lost, and whether
somebody else has changed the goal, which is then left alone. Writing the same goal twice is writing it once,
so that a call without an effect may be made again at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from codex_control_plane_contract import codex
from codex_control_plane_contract.codex import THREAD_GOAL_CLEAR_LOST, THREAD_GOAL_SET_LOST
from codex_control_plane_contract.errors import CodexAppServerIncompatible
from codex_control_plane_contract.lifecycles import attempt, goal
from codex_control_plane_mcp import goals
from codex_control_plane_mcp.codex.errors import CallRefused
from codex_control_plane_mcp.store import Reader, Transaction
from codex_control_plane_mcp.store.goal_standing import GoalStanding
from codex_control_plane_mcp.worker import calls
from codex_control_plane_mcp.worker.faults import goals_unknown, gone, may_pass, refusal, thread_lost

Kind: TypeAlias = Literal["goal_set", "goal_clear"]
_LOSSES: Final[Mapping[Kind, codex.Loss]] = {
    "goal_set": THREAD_GOAL_SET_LOST,
    "goal_clear": THREAD_GOAL_CLEAR_LOST,
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls whom."""

    worker_id: str
    generation: int


@dataclass(frozen=True, slots=True)
class GoalCall:
    """A call that is on record as sent; one without ``objective`` and ``status`` takes the goal off."""

    calling: attempt.Sent
    thread_id: str
    objective: str | None = None
    status: goals.Status | None = None
    token_budget: int | None = None


def doubt_calls(transaction: Transaction, reader: Reader, goal_id: str) -> None:
    """Take note that nobody awaits the reply of a call any more that is on record as sent."""
    error = gone("The worker that sent it, or its connection, is gone.")
    for kind in _LOSSES:
        calls.doubt_open(transaction, reader, goal_id, kind, error)


def next_call(
    transaction: Transaction, reader: Reader, goal_id: str, shown: codex.ThreadGoal | None, caller: Caller
) -> GoalCall | None:
    """Record what the thread shows; return the call that is due next, on record as sent, or None.

    Nobody may await the reply of an earlier call (`doubt_calls`).
    """
    standing = reader.goal_standing(goal_id)
    if standing is None or standing.thread_id is None:
        return None
    keep = _Keeping(transaction, reader, standing, standing.thread_id, caller)
    if isinstance(standing.row, goal.PendingThread):
        return keep.pending(standing.row, shown)
    return keep.active(standing.row, shown)


def record_reply(
    transaction: Transaction, reader: Reader, goal_id: str, call: GoalCall, shown: codex.ThreadGoal | None
) -> None:
    """Record that Codex did what was asked; ``shown`` is the goal in its reply."""
    method = "thread/goal/clear" if call.status is None else "thread/goal/set"
    evidence = f"reply to {method}"
    calls.accept(transaction, reader, call.calling.attempt_id, evidence)
    standing = reader.goal_standing(goal_id)
    if standing is None:
        return
    row = standing.row
    if shown is None:
        transaction.apply(row.clear(), by="codex", evidence=evidence)
    elif isinstance(row, goal.PendingThread):
        transaction.apply(row.write(thread_id=call.thread_id, shown=goals.as_shown(shown)), evidence=evidence)
    elif call.status == "complete":
        transaction.apply(row.complete(shown=goals.as_shown(shown)), evidence=evidence)


def record_refusal(
    transaction: Transaction, reader: Reader, goal_id: str, refused: CallRefused, call: GoalCall | None
) -> None:
    """Record that Codex said no, to a look where ``call`` is None, and what follows for the goal."""
    error = refusal(refused).as_error()
    if call is not None:
        calls.refuse(transaction, reader, call.calling.attempt_id, error)
    standing = reader.goal_standing(goal_id)
    if standing is None:
        return
    row, evidence = standing.row, refused.message[:500]
    if goals_unknown(refused):
        _void(transaction, reader, goal_id)
        unknown = CodexAppServerIncompatible(f"This Codex keeps no goals: {evidence}")
        transaction.apply(row.forgo(last_error=unknown.as_error()), evidence=evidence)
    elif may_pass(refused) or (thread_lost(refused) and standing.ended_as is None):
        # A task whose thread never came to be gets another one.
        transaction.touch(row.note_fault(last_error=error))
    elif thread_lost(refused) and isinstance(row, goal.PendingThread):
        _void(transaction, reader, goal_id)
        transaction.apply(row.clear(), by="codex", evidence=evidence)
    else:
        _void(transaction, reader, goal_id)
        transaction.apply(row.fail(last_error=error), evidence=evidence)


def drop_threadless(transaction: Transaction, reader: Reader) -> None:
    """End the goals whose workflows ended without a thread: there is nothing to ask Codex."""
    for standing in reader.goal_standings():
        if standing.is_void:
            transaction.apply(
                standing.row.clear(), by="worker", evidence="its workflow ended without a thread"
            )


@dataclass(frozen=True, slots=True)
class _Keeping:
    """One look at a goal, and what follows from it."""

    transaction: Transaction
    reader: Reader
    standing: GoalStanding
    thread_id: str
    caller: Caller

    def pending(self, row: goal.PendingThread, shown: codex.ThreadGoal | None) -> GoalCall | None:
        """Write it, unless it is there, or another one is, or nobody needs it any more."""
        if shown is None:
            self._void()
            if self.standing.wish == "keep":
                return self._set(row, goals.written(row.objective), "paused")
            self.transaction.apply(row.clear(), by="codex", evidence="thread/goal/get shows no goal")
        elif goals.is_ours(row, shown):
            self._accept("goal_set", THREAD_GOAL_SET_LOST.evidence)
            self.transaction.apply(
                row.write(thread_id=self.thread_id, shown=goals.as_shown(shown)),
                evidence=THREAD_GOAL_SET_LOST.evidence,
            )
        else:
            self._override(row, shown)
        return None

    def active(self, row: goal.Active, shown: codex.ThreadGoal | None) -> GoalCall | None:
        """Leave it while its workflow goes on; then do with it what the caller wished."""
        wish = self.standing.wish
        if shown is None and wish == "clear":
            self._accept("goal_clear", THREAD_GOAL_CLEAR_LOST.evidence)
            self.transaction.apply(row.clear(), by="codex", evidence=THREAD_GOAL_CLEAR_LOST.evidence)
        elif shown is not None and wish == "set_complete" and goals.is_complete(row, shown):
            self._accept("goal_set", THREAD_GOAL_SET_LOST.evidence)
            self.transaction.apply(
                row.complete(shown=goals.as_shown(shown)), evidence=THREAD_GOAL_SET_LOST.evidence
            )
        elif shown is None or not goals.is_ours(row, shown):
            self._override(row, shown)
        else:
            self._void()
            return self._end(row, shown)
        return None

    def _end(self, row: goal.Active, shown: codex.ThreadGoal) -> GoalCall | None:
        match self.standing.wish:
            case "clear":
                return GoalCall(self._record("goal_clear"), self.thread_id)
            case "set_complete":
                return self._set(row, goals.completed_objective(row), "complete")
            case "keep":
                self.transaction.touch(row.look(shown=goals.as_shown(shown)))
            case "leave":
                evidence = (
                    f"completion_action {row.completion_action}, and its workflow {self.standing.ended_as}"
                )
                self.transaction.apply(row.leave(), evidence=evidence)
        return None

    def _set(self, row: goal.Open, objective: str, status: goals.Status) -> GoalCall:
        return GoalCall(self._record("goal_set"), self.thread_id, objective, status, row.token_budget)

    def _record(self, kind: Kind) -> attempt.Sent:
        return calls.record_sent(
            self.transaction,
            kind=kind,
            subject_id=self.standing.row.goal_id,
            worker_id=self.caller.worker_id,
            generation=self.caller.generation,
            thread_id=self.thread_id,
        )

    def _override(self, row: goal.Open, shown: codex.ThreadGoal | None) -> None:
        self._void()
        self.transaction.apply(
            row.override(shown=goals.as_shown(shown) if shown else None),
            evidence="thread/goal/get shows another goal" if shown else "thread/goal/get shows no goal",
        )

    def _accept(self, kind: Kind, evidence: str) -> None:
        calling = self.reader.open_attempt_of(self.standing.row.goal_id, kind)
        if calling is not None:
            calls.accept(self.transaction, self.reader, calling.attempt_id, evidence)

    def _void(self) -> None:
        _void(self.transaction, self.reader, self.standing.row.goal_id)


def _void(transaction: Transaction, reader: Reader, goal_id: str) -> None:
    for kind, loss in _LOSSES.items():
        calls.void_open(transaction, reader, goal_id, kind, loss.absent_means)
