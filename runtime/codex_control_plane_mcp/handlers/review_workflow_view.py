"""Reviews as clients see them, each fact once (contract §4 Workflow, §5 Review)."""

from typing import Final

from codex_control_plane_contract.arguments import GetWorkflowStatusArguments
from codex_control_plane_contract.lifecycles import operation, review_workflow
from codex_control_plane_contract.types import Next, Workflow
from codex_control_plane_mcp.handlers.goal_view import present_goal
from codex_control_plane_mcp.handlers.moment import Moment
from codex_control_plane_mcp.handlers.next_steps import broke_off, next_step
from codex_control_plane_mcp.handlers.operation_view import present_journal
from codex_control_plane_mcp.handlers.review_view import state_of_review
from codex_control_plane_mcp.handlers.times import timestamp
from codex_control_plane_mcp.handlers.workflow_view import EVENTS, add_task

_OF_THE_TASK: Final = ("wait_for_quota", "inspect_worker_health", "answer_pending_interaction")
"""What its task needs, and no waiting brings about."""


def review_of(moment: Moment, row: review_workflow.ReviewWorkflow) -> operation.Operation:
    """Return the task that carries the review."""
    task = moment.reader.operation(row.review_operation_id)
    assert task is not None, "the schema keeps the task of a review"
    return task


def next_step_of_review(moment: Moment, row: review_workflow.ReviewWorkflow) -> Next:
    """Return what to do next about a review, and when to look again."""
    facts = row.facts
    step: Next = {
        "nextRecommendedAction": facts.next_action,
        "recommendedPollAfterSeconds": facts.poll_after_seconds,
        "pollRecommended": facts.poll_after_seconds > 0,
    }
    task = review_of(moment, row)
    if isinstance(row, review_workflow.Stopped) and broke_off(task):
        return {**step, "nextRecommendedAction": "inspect_diagnostics"}
    if facts.terminal:
        return step
    of_task = next_step(moment, task)
    if of_task["nextRecommendedAction"] in _OF_THE_TASK:
        return of_task
    return step


def present_review_workflow(
    moment: Moment, row: review_workflow.ReviewWorkflow, arguments: GetWorkflowStatusArguments
) -> Workflow:
    """Return a review as it stands; the arguments say how much of its messages and report."""
    task, step = review_of(moment, row), next_step_of_review(moment, row)
    view: Workflow = {
        "workflowId": row.review_workflow_id,
        "workflowKind": "code_review",
        "phase": row.status,
        "status": row.status,
        "projectId": row.project_id,
        "currentOperationId": task.operation_id,
        "currentOperationStatus": task.status,
        "requestedSandbox": row.requested_sandbox or task.sandbox,
        "effectiveSandbox": task.sandbox,
        "runtimePolicyAdjusted": row.requested_sandbox not in (None, task.sandbox),
        "threadGoal": present_goal(moment, row.review_workflow_id, arguments.message_max_chars),
        "stateCursor": moment.reader.workflow_cursor(row.review_workflow_id),
        "createdAt": timestamp(row.created_at),
        "updatedAt": timestamp(row.updated_at),
        "nextRecommendedAction": step["nextRecommendedAction"],
        "recommendedPollAfterSeconds": step["recommendedPollAfterSeconds"],
        "pollRecommended": step["pollRecommended"],
    }
    if row.client_request_id is not None:
        view["clientRequestId"] = row.client_request_id
    if row.completed_at is not None:
        view["completedAt"] = timestamp(row.completed_at)
    _add_review(view, moment, task)
    add_task(view, moment, task, arguments)
    if arguments.include_events:
        journal = moment.reader.journal_of("review_workflow", row.review_workflow_id)
        view["events"] = present_journal(journal[-EVENTS:])
    return view


def _add_review(view: Workflow, moment: Moment, task: operation.Operation) -> None:
    state = state_of_review(moment, task)
    assert state is not None, "a review names its target"
    view["reviewOperationId"] = task.operation_id
    view["reviewOperation"] = {
        "operationId": task.operation_id,
        "status": task.status,
        "startAttempted": state["startAttempted"],
    }
    view["reviewTarget"], view["reviewDelivery"] = state["target"], state["delivery"]
    if (source := state.get("sourceThreadId")) is not None:
        view["reviewSourceThreadId"] = source
    if (thread_id := state.get("reviewThreadId")) is not None:
        view["threadId"] = view["reviewThreadId"] = thread_id
    if (turn_id := state.get("reviewTurnId")) is not None:
        view["reviewTurnId"] = turn_id
