"""Why a queued task waits, and what to do next about any task (contract §5, §8)."""

from typing import Final

from codex_control_plane_contract.lifecycles import interaction, operation
from codex_control_plane_contract.types import Next, NextAction, QueueReason
from codex_control_plane_mcp.handlers.moment import Moment
from codex_control_plane_mcp.handlers.workers import any_live, executing_worker
from codex_control_plane_mcp.scheduling import Schedule

SLOT_POLL_SECONDS: Final = 5
HEALTH_POLL_SECONDS: Final = 10
LONGEST_POLL_SECONDS: Final = 60
"""However late the next attempt is, a look once a minute costs nothing."""

SOON: Final[Next] = {
    "nextRecommendedAction": "poll_operation_status",
    "recommendedPollAfterSeconds": 1,
    "pollRecommended": True,
}
"""The worker or Codex is at something that takes a moment."""


def queued_reason(moment: Moment, row: operation.Queued) -> QueueReason:
    """Return why a queued task has not been taken yet."""
    return schedule_at(moment).reason(row)


def schedule_at(moment: Moment) -> Schedule:
    """Return the scheduler's view of a moment, by the settings of this server."""
    executing = executing_worker(moment)
    pressed = executing is not None and executing.pressed_at is not None
    return Schedule(moment.reader, moment.settings, now=moment.now, pressed=pressed)


def next_step(moment: Moment, row: operation.Operation) -> Next:
    """Return what to do next about a task, and when to look again."""
    if isinstance(row, operation.Queued):
        return _step_of_queued(moment, row)
    if isinstance(row, operation.WaitingForQuota):
        return _step(row.facts.next_action, _seconds_until(row.resumes_at, moment))
    if broke_off(row):
        return _step("inspect_diagnostics", 0)
    if row.facts.terminal:
        return _step(row.facts.next_action, row.facts.poll_after_seconds)
    if row.interrupt_requested_at is not None or (row.facts.waits_for_human and not _asks(moment, row)):
        return SOON
    return _step(row.facts.next_action, row.facts.poll_after_seconds)


def broke_off(row: operation.Operation) -> bool:
    """Return whether a task was interrupted by a fault, which its `lastError` tells, and by nobody's wish."""
    stopped = isinstance(row, operation.Interrupted) and row.interrupt_requested_at is None
    return stopped and row.last_error is not None


def pending_questions(moment: Moment, row: operation.Operation) -> list[interaction.Pending]:
    """Return the questions of a task that nobody has answered yet, oldest first."""
    if row.turn_id is None or row.facts.terminal:
        return []
    return [
        question
        for question in moment.reader.open_interactions(row.turn_id)
        if isinstance(question, interaction.Pending)
    ]


def _asks(moment: Moment, row: operation.Operation) -> bool:
    """Return whether an answer is missing, and not merely on its way."""
    return bool(pending_questions(moment, row))


def _step_of_queued(moment: Moment, row: operation.Queued) -> Next:
    # In mode inline this server starts a worker; in the others nobody may ever do so.
    if moment.settings.execution_mode != "inline" and not any_live(moment):
        return _step("inspect_worker_health", HEALTH_POLL_SECONDS)
    soonest = row.facts.poll_after_seconds
    match queued_reason(moment, row):
        case "global_slot_limit" | "project_slot_limit" | "agent_slot_limit" | "thread_slot_limit":
            return _step("wait_for_worker_slot", SLOT_POLL_SECONDS)
        case "resource_lock_conflict":
            return _step("wait_for_resource_lock", SLOT_POLL_SECONDS)
        case "retry_after_worker_error":
            due = _seconds_until(row.next_attempt_at or moment.now, moment)
            return _step(row.facts.next_action, min(max(due, soonest), LONGEST_POLL_SECONDS))
        case "waiting_for_worker" | "app_server_backpressure" | "waiting_for_quota":
            return _step(row.facts.next_action, soonest)


def _seconds_until(time: int, moment: Moment) -> int:
    """Return the whole seconds until a stored time, at least one."""
    return max(-(-(time - moment.now) // 1000), 1)


def _step(action: NextAction, seconds: int) -> Next:
    return {
        "nextRecommendedAction": action,
        "recommendedPollAfterSeconds": seconds,
        "pollRecommended": seconds > 0,
    }
