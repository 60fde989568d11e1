"""Plan workflows as clients see them, each fact once (contract §4 Workflow, §19.8)."""

from typing import Final

from codex_control_plane_contract.arguments import GetOperationStatusArguments, GetWorkflowStatusArguments
from codex_control_plane_contract.lifecycles import operation, plan_workflow
from codex_control_plane_contract.types import Next, Workflow, WorkflowRetryState
from codex_control_plane_mcp.handlers.goal_view import present_goal
from codex_control_plane_mcp.handlers.interaction_view import summarise_interaction
from codex_control_plane_mcp.handlers.moment import Moment
from codex_control_plane_mcp.handlers.next_steps import broke_off, next_step, pending_questions, queued_reason
from codex_control_plane_mcp.handlers.operation_view import present_journal, redacted
from codex_control_plane_mcp.handlers.plan_observation import observe, open_candidates
from codex_control_plane_mcp.handlers.plan_view import present_plan, summarise_plan
from codex_control_plane_mcp.handlers.times import timestamp
from codex_control_plane_mcp.handlers.turn_view import present_report, present_turn

EVENTS: Final = 20
"""How many changes of the phase are shown (spec/types/workflow.yaml)."""


def current_task(moment: Moment, row: plan_workflow.PlanWorkflow) -> operation.Operation:
    """Return the task that carries the workflow: the execution, or before that the plan."""
    task = moment.reader.operation(row.execution_operation_id or row.plan_operation_id)
    assert task is not None, "the schema keeps the tasks of a workflow"
    return task


def next_step_of(moment: Moment, row: plan_workflow.PlanWorkflow) -> Next:
    """Return what to do next about a workflow, and when to look again."""
    # A message on the thread of the plan may bring another one; until it has ended none is approved.
    discussed = isinstance(row, plan_workflow.Planned) and bool(
        moment.reader.open_discussion(row.plan_workflow_id)
    )
    facts = plan_workflow.FACTS["planning"] if discussed else row.facts
    step: Next = {
        "nextRecommendedAction": facts.next_action,
        "recommendedPollAfterSeconds": facts.poll_after_seconds,
        "pollRecommended": facts.poll_after_seconds > 0,
    }
    if isinstance(row, plan_workflow.InPlanning | plan_workflow.InExecution):
        return _step_of_task(moment, row, step)
    if isinstance(row, plan_workflow.PlanReady) and not discussed and open_candidates(moment.reader, row):
        return {**step, "nextRecommendedAction": "adopt_candidate_plan"}
    if isinstance(row, plan_workflow.Stopped) and broke_off(current_task(moment, row)):
        return {**step, "nextRecommendedAction": "inspect_diagnostics"}
    return step


def _step_of_task(
    moment: Moment, row: plan_workflow.InPlanning | plan_workflow.InExecution, step: Next
) -> Next:
    """Return what the task of a workflow needs, where that is more than time."""
    of_task = next_step(moment, current_task(moment, row))
    match of_task["nextRecommendedAction"]:
        case "wait_for_quota" | "inspect_worker_health":
            return of_task
        case "poll_operation_status" if row.facts.waits_for_human:
            # The answer is on its way, or somebody has asked to stop it.
            executing = isinstance(row, plan_workflow.InExecution)
            return {**of_task, "nextRecommendedAction": "wait_execution" if executing else "wait_plan"}
        case _:
            return step


def present_plan_workflow(
    moment: Moment, row: plan_workflow.PlanWorkflow, arguments: GetWorkflowStatusArguments
) -> Workflow:
    """Return a workflow as it stands; the arguments say how much of its plan, messages and report."""
    task, step = current_task(moment, row), next_step_of(moment, row)
    view: Workflow = {
        "workflowId": row.plan_workflow_id,
        "workflowKind": "plan_then_execute",
        "phase": row.status,
        "status": row.status,
        "projectId": row.project_id,
        "planOperationId": row.plan_operation_id,
        "currentOperationId": task.operation_id,
        "currentOperationStatus": task.status,
        "threadGoal": present_goal(moment, row.plan_workflow_id, arguments.message_max_chars),
        "requestedSandbox": row.requested_sandbox,
        "effectiveSandbox": row.effective_sandbox,
        "runtimePolicyAdjusted": row.requested_sandbox != row.effective_sandbox,
        "runtimePolicy": {"sandbox": task.sandbox, "approvalPolicy": task.approval_policy},
        "stateCursor": moment.reader.workflow_cursor(row.plan_workflow_id),
        "createdAt": timestamp(row.created_at),
        "updatedAt": timestamp(row.updated_at),
        "nextRecommendedAction": step["nextRecommendedAction"],
        "recommendedPollAfterSeconds": step["recommendedPollAfterSeconds"],
        "pollRecommended": step["pollRecommended"],
    }
    _add_names(view, row, task)
    _add_plan(view, moment, row, arguments)
    add_task(view, moment, task, arguments)
    _add_retry(view, moment, row)
    if arguments.include_events:
        journal = moment.reader.journal_of("plan_workflow", row.plan_workflow_id)
        view["events"] = present_journal(journal[-EVENTS:])
    return view


def _add_names(view: Workflow, row: plan_workflow.PlanWorkflow, task: operation.Operation) -> None:
    if row.client_request_id is not None:
        view["clientRequestId"] = row.client_request_id
    if task.thread_id is not None:
        view["threadId"] = task.thread_id
    if row.execution_operation_id is not None:
        view["executionOperationId"] = row.execution_operation_id
        if task.turn_id is not None:
            view["executionTurnId"] = task.turn_id
    plan_turn_id = row.plan_turn_id or (task.turn_id if row.execution_operation_id is None else None)
    if plan_turn_id is not None:
        view["planTurnId"] = plan_turn_id
    if row.approved_at is not None:
        view["approvedAt"] = timestamp(row.approved_at)
    if row.completed_at is not None:
        view["completedAt"] = timestamp(row.completed_at)


def _add_plan(
    view: Workflow, moment: Moment, row: plan_workflow.PlanWorkflow, arguments: GetWorkflowStatusArguments
) -> None:
    """Add the plan that counts, with its text as long as somebody has to read it."""
    plan = moment.reader.plan_of(row.plan_turn_id) if row.plan_turn_id is not None else None
    if plan is not None:
        to_read = isinstance(row, plan_workflow.Planned)
        limit = arguments.message_max_chars
        view["latestPlan"] = present_plan(plan, limit) if to_read else summarise_plan(plan)
    if (observation := observe(moment.reader, row)) is not None:
        view["workflowObservation"] = observation


def add_task(
    view: Workflow, moment: Moment, task: operation.Operation, arguments: GetWorkflowStatusArguments
) -> None:
    """Add how the task stands that carries the workflow now."""
    if isinstance(task, operation.Queued):
        view["workflowOperationQueueState"] = {"queuedReason": queued_reason(moment, task)}
    if task.last_error is not None:
        view["lastError"] = redacted(task.last_error)
    if questions := pending_questions(moment, task):
        view["pendingInteractions"] = [summarise_interaction(question) for question in questions]
    carried = moment.reader.turn(task.turn_id) if task.turn_id is not None else None
    if carried is None:
        return
    shown = GetOperationStatusArguments(
        operation_id=task.operation_id,
        last_messages=arguments.last_messages,
        message_max_chars=arguments.message_max_chars,
    )
    view["turnStatus"] = present_turn(moment, carried, shown)
    # A plan is shown as such; what Codex said in place of one is its report.
    if task.workflow_role != "plan" or moment.reader.plan_of(carried.turn_id) is None:
        report = present_report(task, carried, shown)
        if report is not None:
            view["finalReport"] = report


def _add_retry(view: Workflow, moment: Moment, row: plan_workflow.PlanWorkflow) -> None:
    """Add what the workflow replaces or is replaced by; nothing for one that stands alone."""
    state: WorkflowRetryState = {}
    if row.replaces_workflow_id is not None:
        state["replacesWorkflowId"] = row.replaces_workflow_id
        state["retryCreatedAt"] = timestamp(row.created_at)
    if row.retry_of_workflow_id is not None:
        state["retryOfWorkflowId"] = row.retry_of_workflow_id
    if row.retry_reason is not None:
        state["retryReason"] = row.retry_reason
    later = moment.reader.successor_of_plan_workflow(row.plan_workflow_id)
    if later is not None:
        state["replacedByWorkflowId"] = later.plan_workflow_id
        state["retryCreatedAt"] = timestamp(later.created_at)
    if state:
        view["workflowRetryState"] = state
