"""What became of words for a running turn, and of a copy of a thread (contract §4 steerState, forkState)."""

from codex_control_plane_contract.lifecycles import attempt, operation
from codex_control_plane_contract.types import ForkState, Operation, SteerState
from codex_control_plane_mcp.handlers.moment import Moment


def add_steer(view: Operation, moment: Moment, row: operation.Operation) -> None:
    """Add `steerState` to the view of a steer."""
    if row.thread_id is None or row.expected_turn_id is None:
        return
    state: SteerState = {
        "accepted": isinstance(row, operation.Steered),
        "targetThreadId": row.thread_id,
        "targetTurnId": row.expected_turn_id,
    }
    if calls := moment.reader.attempts_of(row.operation_id, "turn_steer"):
        state["clientUserMessageId"] = calls[0].attempt_id
    view["steerState"] = state


def add_fork(view: Operation, moment: Moment, row: operation.Operation) -> None:
    """Add `forkState` to the view of a fork."""
    if row.operation_type != "fork_thread" or row.source_thread_id is None:
        return
    calls = moment.reader.attempts_of(row.operation_id, "thread_fork")
    state: ForkState = {
        "accepted": row.thread_id is not None,
        "sourceThreadId": row.source_thread_id,
        "hasInitialMessage": row.runs_turn,
        "cwd": row.cwd,
        "ephemeral": False,
        # A copy that Codex may have made in answer to a call whose reply never came is not used.
        "ambiguous": any(isinstance(call, attempt.Unknown | attempt.Void) for call in calls),
    }
    if row.thread_id is not None:
        state["forkedThreadId"] = row.thread_id
    if row.model is not None:
        state["model"] = row.model
    if row.turn_id is not None:
        state["turnId"] = row.turn_id
    view["forkState"] = state
