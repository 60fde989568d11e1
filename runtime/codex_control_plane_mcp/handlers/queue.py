"""`codex_get_queue_status`, `codex_get_concurrency_status`: what waits and why, what runs (contract §8)."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Final, TypeAlias

from codex_control_plane_contract.arguments import GetConcurrencyStatusArguments, GetQueueStatusArguments
from codex_control_plane_contract.lifecycles import operation
from codex_control_plane_contract.types import (
    ActiveTask,
    Concurrency,
    Queue,
    QueuedTask,
    QueueReason,
    ResourceLock,
)
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.handlers.context import Context
from codex_control_plane_mcp.handlers.moment import Moment, look
from codex_control_plane_mcp.handlers.next_steps import schedule_at
from codex_control_plane_mcp.handlers.times import timestamp
from codex_control_plane_mcp.handlers.waiting import on_thread
from codex_control_plane_mcp.scheduling import Schedule
from codex_control_plane_mcp.scheduling.paths import WHOLE_PROJECT

Waiting: TypeAlias = operation.Queued | operation.WaitingForQuota

_ACTIVE_STATES: Final[Mapping[str | None, Collection[str]]] = {
    None: operation.GROUPS["in_hand"],
    "scheduled": operation.GROUPS["starting"] | {"steering"},
    "running": operation.GROUPS["in_turn"],
}
"""What counts as active with each `status` that is asked for."""


async def get_queue_status(context: Context, arguments: GetQueueStatusArguments) -> Queue:
    """Return what waits and what runs. Raises CODEX_STATE_BUSY and CODEX_STATE_UNUSABLE."""
    return await on_thread(lambda: _queue(context, arguments))


async def get_concurrency_status(context: Context, arguments: GetConcurrencyStatusArguments) -> Concurrency:
    """Return limits, slots and locks. Raises CODEX_STATE_BUSY and CODEX_STATE_UNUSABLE."""
    return await on_thread(lambda: _concurrency(context, arguments))


def _queue(context: Context, arguments: GetQueueStatusArguments) -> Queue:
    with look(context) as moment:
        reasons = _reasons(moment, arguments)
        work = moment.reader.open_work()
        in_hand = moment.reader.operations_in_hand()
        auxiliary = [row for row in in_hand if not row.runs_turn]
        barred = [row.operation_id for row, reason in reasons if reason == "resource_lock_conflict"]
        answer: Queue = {
            "queueSummary": {
                "queued": work["queued"],
                "runningTurnOperations": work["turns"],
                "auxiliaryOperations": len(auxiliary),
                "activeTurnSlots": len(in_hand) - len(auxiliary),
                "blockedByLocks": len(barred),
            },
            "queuedOperations": [_waiting(row, reason) for row, reason in reasons],
            "runningOperations": _active([row for row in in_hand if row.runs_turn], arguments),
            "queueReasons": dict(Counter(reason for _, reason in reasons)),
        }
        if aside := _active(auxiliary, arguments):
            answer["auxiliaryOperations"] = aside
        if barred:
            answer["blockedByLocks"] = barred
        if arguments.status == "completed":
            answer["endedOperations"] = moment.reader.ended_operations(["completed"], limit=arguments.limit)
        if arguments.status == "failed":
            answer["endedOperations"] = moment.reader.ended_operations(
                operation.GROUPS["ended"] - {"completed"}, limit=arguments.limit
            )
        return answer


def _reasons(moment: Moment, arguments: GetQueueStatusArguments) -> list[tuple[Waiting, QueueReason]]:
    """Return the tasks that wait, with the reason of each; those that `status` asks for."""
    if arguments.status not in (None, "queued", "blocked"):
        return []
    schedule = schedule_at(moment)
    rows = moment.reader.queued_operations(limit=arguments.limit)
    found: list[tuple[Waiting, QueueReason]] = [(row, schedule.reason(row)) for row in rows]
    if arguments.status == "blocked":
        return [(row, reason) for row, reason in found if reason == "resource_lock_conflict"]
    limited = moment.reader.quota_waits(limit=arguments.limit - len(found))
    return [*found, *((row, "waiting_for_quota") for row in limited)]


def _waiting(row: Waiting, reason: QueueReason) -> QueuedTask:
    task: QueuedTask = {
        "operationId": row.operation_id,
        "queuedReason": reason,
        "priority": row.priority,
        "estimatedCostClass": row.estimated_cost_class,
        "projectId": row.project_id,
        "createdAt": timestamp(row.created_at),
    }
    if row.agent_id:
        task["agentId"] = row.agent_id
    return task


def _active(in_hand: Sequence[operation.Operation], arguments: GetQueueStatusArguments) -> list[ActiveTask]:
    """Return those of the tasks in hand that `status` asks for."""
    states = _ACTIVE_STATES.get(arguments.status, frozenset())
    return [_holding(row) for row in in_hand if row.state in states][: arguments.limit]


def _holding(row: operation.Operation) -> ActiveTask:
    task: ActiveTask = {"operationId": row.operation_id, "status": row.status, "projectId": row.project_id}
    if row.agent_id:
        task["agentId"] = row.agent_id
    if row.thread_id is not None:
        task["threadId"] = row.thread_id
    if row.scheduled_at is not None:
        task["scheduledAt"] = timestamp(row.scheduled_at)
    return task


def _concurrency(context: Context, arguments: GetConcurrencyStatusArguments) -> Concurrency:
    settings = context.settings
    with look(context) as moment:
        schedule = schedule_at(moment)
    counts: JsonObject = {
        "global": len(schedule.active),
        "perProject": {**schedule.projects},
        "perAgent": {**schedule.agents},
        "perThread": {**schedule.threads},
    }
    answer: Concurrency = {
        "limits": {
            "global": settings.max_active_turns_global,
            "perProject": settings.max_active_turns_per_project,
            "perAgent": settings.max_active_turns_per_agent,
            "perThread": settings.max_active_turns_per_thread,
            "broadWriteTurnsPerProject": settings.max_active_write_turns_per_project,
            "appServerPendingRequests": settings.max_app_server_pending_requests,
        },
        "counts": counts,
    }
    if arguments.include_locks:
        answer["resourceLocks"] = _locks(schedule)[: arguments.limit]
    return answer


def _locks(schedule: Schedule) -> list[ResourceLock]:
    return [
        {"projectId": task.project_id, "path": path, "operationId": task.operation_id}
        for task in schedule.active
        if task.writes
        for path in task.resource_keys or [WHOLE_PROJECT]
    ]
