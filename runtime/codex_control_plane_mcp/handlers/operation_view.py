"""Tasks as clients see them, each fact once (contract §4 Operation, §19.8)."""

import hashlib
from collections.abc import Iterable
from typing import Final, cast

from codex_control_plane_contract.arguments import GetOperationStatusArguments
from codex_control_plane_contract.lifecycles import operation
from codex_control_plane_contract.records import JournalRow
from codex_control_plane_contract.types import (
    ContinuationState,
    Error,
    JournalEntry,
    Operation,
    Phase,
    QueueState,
    RequestSummary,
)
from codex_control_plane_contract.values import JsonValue
from codex_control_plane_mcp.handlers.inputs_view import add_inputs
from codex_control_plane_mcp.handlers.interaction_view import summarise_interaction
from codex_control_plane_mcp.handlers.moment import Moment
from codex_control_plane_mcp.handlers.next_steps import next_step, pending_questions, queued_reason
from codex_control_plane_mcp.handlers.plan_view import present_plan
from codex_control_plane_mcp.handlers.progress_view import add_progress
from codex_control_plane_mcp.handlers.review_view import add_review
from codex_control_plane_mcp.handlers.sandbox_floor import add_sandboxes
from codex_control_plane_mcp.handlers.times import seconds_between, timestamp
from codex_control_plane_mcp.handlers.turn_view import present_report, present_turn, present_usage
from codex_control_plane_mcp.handlers.turnless_view import add_fork, add_steer
from codex_control_plane_mcp.handlers.workers import present_worker_state
from codex_control_plane_mcp.redaction import redact, redact_json
from codex_control_plane_mcp.scheduling.paths import WHOLE_PROJECT
from codex_control_plane_mcp.store.contenders import writes

EARLIER_TURNS: Final = 10
"""How many of the turns that have ended are named (spec/types/operation.yaml)."""


def present_operation(
    moment: Moment, row: operation.Operation, arguments: GetOperationStatusArguments
) -> Operation:
    """Return a task as it stands; the arguments say how much of its messages and progress."""
    step = next_step(moment, row)
    view: Operation = {
        "operationId": row.operation_id,
        "operationType": row.operation_type,
        "status": row.status,
        "phase": phase(row),
        "projectId": row.project_id,
        "attemptCount": row.attempt_count,
        "createdAt": timestamp(row.created_at),
        "updatedAt": timestamp(row.updated_at),
        "operationSource": "durable_queue",
        "requestSummary": _summarise_request(row),
        "stateCursor": moment.reader.state_cursor(row.operation_id),
        "operationRowAgeSeconds": seconds_between(row.updated_at, moment.now),
        "nextRecommendedAction": step["nextRecommendedAction"],
        "recommendedPollAfterSeconds": step["recommendedPollAfterSeconds"],
        "pollRecommended": step["pollRecommended"],
    }
    _add_names(view, row)
    _add_times(view, row)
    _add_holder(view, moment, row)
    _add_continuations(view, moment, row)
    add_sandboxes(view, row)
    add_steer(view, moment, row)
    add_fork(view, moment, row)
    add_review(view, moment, row)
    _add_turn(view, moment, row, arguments)
    add_inputs(view, row)
    add_progress(view, moment, arguments)
    if arguments.include_events:
        view["events"] = _events(moment, row)
    return view


def phase(row: operation.Operation) -> Phase:
    """Return the status in five words."""
    for name in ("starting", "waiting", "ended"):
        if row.status in operation.GROUPS[name]:
            return name
    if row.facts.waits_for == "quota":
        return "waiting"
    return "queued" if row.state == "queued" else "active"


def redacted(error: Error) -> Error:
    """Return a stored error without keys and tokens."""
    return cast("Error", redact_json(cast("JsonValue", error)))


def _add_names(view: Operation, row: operation.Operation) -> None:
    if row.client_request_id is not None:
        view["clientRequestId"] = row.client_request_id
    if row.thread_id is not None:
        view["threadId"] = row.thread_id
    if row.turn_id is not None:
        view["turnId"] = row.turn_id
    if row.workflow_id is not None:
        view["workflowId"] = row.workflow_id
    if row.workflow_role is not None:
        view["workflowRole"] = row.workflow_role
    if row.last_error is not None:
        view["lastError"] = redacted(row.last_error)


def _add_times(view: Operation, row: operation.Operation) -> None:
    if row.next_attempt_at is not None and row.state == "queued":
        view["nextAttemptAt"] = timestamp(row.next_attempt_at)
    if row.resumes_at is not None:
        view["resumesAt"] = timestamp(row.resumes_at)
    if row.started_at is not None:
        view["startedAt"] = timestamp(row.started_at)
    if row.completed_at is not None:
        view["completedAt"] = timestamp(row.completed_at)
    if row.interrupt_requested_at is not None:
        view["interruptRequestedAt"] = timestamp(row.interrupt_requested_at)


def _add_holder(view: Operation, moment: Moment, row: operation.Operation) -> None:
    """Add who has the task: the queue, or a worker and its app-server."""
    if isinstance(row, operation.Queued):
        place: QueueState = {"queuedReason": queued_reason(moment, row)}
        if ahead := moment.reader.older_queued(row):
            place["ahead"] = ahead
        if row.priority != "normal":
            place["priority"] = row.priority
        if row.agent_id:
            place["agentId"] = row.agent_id
        if row.resource_keys:
            place["resourceKeys"] = [str(key) for key in row.resource_keys]
        view["queueState"] = place
    if row.facts.terminal:
        return
    if row.facts.holds_slot and row.scheduled_at is not None:
        view["slotState"] = {"claimed": True, "scheduledAt": timestamp(row.scheduled_at)}
        if writes(row.sandbox):
            view["resourceLockState"] = {"locks": [str(key) for key in row.resource_keys] or [WHOLE_PROJECT]}
    if row.worker_id is not None and (state := present_worker_state(moment, row.worker_id)) is not None:
        view["workerState"] = state
    if row.app_server_generation is not None:
        view["appServerGeneration"] = row.app_server_generation


def _add_continuations(view: Operation, moment: Moment, row: operation.Operation) -> None:
    """Add the turns that broke off, and what follows when one does; nothing for a task in its only turn."""
    turns = moment.reader.turns_of(row.operation_id, limit=EARLIER_TURNS + 1)
    earlier = [carried.turn_id for carried in turns if carried.turn_id != row.turn_id]
    if row.recovery_policy == "report" and not earlier:
        return
    state: ContinuationState = {
        "recoveryPolicy": row.recovery_policy,
        "maxContinuations": row.max_continuations,
        "continuationCount": row.continuation_count,
    }
    if earlier:
        state["earlierTurnIds"] = earlier[-EARLIER_TURNS:]
    if row.quota_retry_count:
        state["quotaRetryCount"] = row.quota_retry_count
    view["continuationState"] = state


def _add_turn(
    view: Operation, moment: Moment, row: operation.Operation, arguments: GetOperationStatusArguments
) -> None:
    carried = moment.reader.turn(row.turn_id) if row.turn_id is not None else None
    if carried is None:
        return
    view["turnStatus"] = present_turn(moment, carried, arguments)
    if questions := pending_questions(moment, row):
        view["pendingInteractions"] = [summarise_interaction(question) for question in questions]
    if (usage := present_usage(carried)) is not None:
        view["tokenUsage"] = usage
    if (plan := moment.reader.plan_of(carried.turn_id)) is not None:
        view["latestPlan"] = present_plan(plan, arguments.message_max_chars)
    if (report := present_report(row, carried, arguments)) is not None:
        view["finalReport"] = report


def _summarise_request(row: operation.Operation) -> RequestSummary:
    """Return the request without its prompt, which is shown by size and SHA-256 only (contract §12)."""
    summary: RequestSummary = {
        "messageChars": len(row.message),
        "messageSha256": hashlib.sha256(row.message.encode()).hexdigest(),
        "sandbox": row.sandbox,
        "approvalPolicy": row.approval_policy,
    }
    if row.title is not None:
        summary["title"] = row.title
    if row.model is not None:
        summary["model"] = row.model
    if row.effort is not None:
        summary["effort"] = row.effort
    if row.collaboration_mode == "plan":
        summary["collaborationMode"] = row.collaboration_mode
    return summary


def _events(moment: Moment, row: operation.Operation) -> list[JournalEntry]:
    """Return what the task, its turn, its calls and its questions went through, in order."""
    return present_journal(moment.reader.journal_of_operation(row.operation_id))


def present_journal(rows: Iterable[JournalRow]) -> list[JournalEntry]:
    """Return changes of state as clients see them."""
    return [_entry(row) for row in rows]


def _entry(row: JournalRow) -> JournalEntry:
    entry: JournalEntry = {
        "sequence": row.sequence,
        "entity": row.entity,
        "event": row.event,
        "target": row.target,
        "at": timestamp(row.at),
        "actor": row.actor,
    }
    if row.outcome == "conflict":
        entry["outcome"] = row.outcome
    if row.source is not None:
        entry["source"] = row.source
    if row.evidence is not None:
        entry["evidence"] = redact(row.evidence)
    return entry
