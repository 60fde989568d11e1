"""Approving a plan: the task that carries it out is stored with the approval (contract §9).

Everything is decided in one transaction, so two servers that approve at once make one execution.
"""

from dataclasses import replace
from typing import Final

from codex_control_plane_contract.arguments import ApprovePlanArguments, SubmitTaskArguments
from codex_control_plane_contract.codex import CHOSEN_IMPLEMENTATION_PROMPT, IMPLEMENTATION_PROMPT
from codex_control_plane_contract.errors import CodexBusy, InvalidArgument
from codex_control_plane_contract.lifecycles import operation, plan_workflow
from codex_control_plane_contract.settings import Settings
from codex_control_plane_contract.types import Acknowledgement
from codex_control_plane_mcp.handlers.admission import (
    Part,
    Submission,
    acknowledge,
    admit,
    known_task,
    prepare,
)
from codex_control_plane_mcp.handlers.context import Context
from codex_control_plane_mcp.handlers.known_workflows import any_workflow
from codex_control_plane_mcp.handlers.moment import look
from codex_control_plane_mcp.handlers.plan_observation import open_candidates, went_on
from codex_control_plane_mcp.handlers.task_request import TaskRequest
from codex_control_plane_mcp.handlers.waiting import on_thread
from codex_control_plane_mcp.store.reading import Reader
from codex_control_plane_mcp.store.transaction import Transaction

_HINTS: Final = {
    "plan_needs_review": " Ask for another plan with codex_send_message on its thread.",
    "plan_candidate_found": " Say with codex_adopt_workflow_plan which plan counts.",
}
"""What brings a workflow to plan_ready."""

_LATE: Final = "The plan was approved before, with other arguments; those count."


async def approve_plan(context: Context, arguments: ApprovePlanArguments) -> Acknowledgement:
    """Approve the plan of a workflow and return the task that carries it out; twice, it is the same task.

    Raises INVALID_ARGUMENT for a plan that cannot be approved or is no longer the one of `plan_hash`,
    IDEMPOTENCY_CONFLICT, CODEX_WORKFLOW_NOT_FOUND, and CODEX_BUSY while somebody still talks about the plan.
    """
    request = TaskRequest.of(
        SubmitTaskArguments(
            operation_type="execute_plan",
            workflow_id=arguments.workflow_id,
            client_request_id=arguments.client_request_id,
            message=arguments.message,
            output_schema=arguments.output_schema,
            sandbox=arguments.sandbox,
            approval_policy=arguments.approval_policy,
            timeout_seconds=arguments.timeout_seconds,
        )
    )
    acknowledgement = await on_thread(lambda: carry_out(context, request, arguments.plan_hash))
    context.summon()
    return acknowledgement


def carry_out(context: Context, request: TaskRequest, plan_hash: str | None = None) -> Acknowledgement:
    """Store the task that carries out a plan, or return the one that does. Raises as `approve_plan`."""
    with look(context) as moment:
        known, workflow = _standing(moment.reader, request, plan_hash)
        if known is not None:
            return acknowledge(moment, known, _as_stored(request, known), idempotent=True)
        planner = _planner(moment.reader, workflow, request)
    submission = replace(
        prepare(context, _filled_in(request, workflow, planner)), payload_hash=request.payload_hash
    )
    with context.store.transaction(context.actor_id) as (transaction, reader):
        known, workflow = _standing(reader, request, plan_hash)
        row = known or _store(transaction, reader, submission, workflow, context.settings)
    with look(context) as moment:
        return acknowledge(moment, row, _as_stored(request, row), idempotent=known is not None)


def _as_stored(request: TaskRequest, row: operation.Operation) -> TaskRequest:
    """Return the request; with a warning, if the plan was approved before in other words."""
    if row.payload_hash == request.payload_hash:
        return request
    return replace(request, warnings=(*request.warnings, _LATE))


def known_workflow(reader: Reader, workflow_id: str) -> plan_workflow.PlanWorkflow:
    """Return the workflow. Raises CODEX_WORKFLOW_NOT_FOUND, and INVALID_ARGUMENT for a review."""
    row = any_workflow(reader, workflow_id)
    if isinstance(row, plan_workflow.PlanWorkflow):
        return row
    raise InvalidArgument(
        "This workflow is a code review, which makes no plan; codex_get_workflow_status shows its report.",
        path="workflow_id",
        phase=row.status,
    )


def _standing(
    reader: Reader, request: TaskRequest, plan_hash: str | None
) -> tuple[operation.Operation | None, plan_workflow.PlanReady | None]:
    """Return the task that carries the plan out already, or the workflow that waits to be approved.

    Neither, for the thread of a plan that no workflow made.
    """
    known = known_task(reader, request)
    if known is not None:
        return known, None
    workflow = _named(reader, request)
    if workflow is None:
        return None, None
    same = plan_hash is None or plan_hash == workflow.plan_hash
    if same and workflow.execution_operation_id is not None:
        return reader.operation(workflow.execution_operation_id), None
    return None, _approvable(reader, workflow, plan_hash)


def _named(reader: Reader, request: TaskRequest) -> plan_workflow.PlanWorkflow | None:
    """Return the workflow that is named, or the open one on the named thread."""
    if request.workflow_id is not None:
        return known_workflow(reader, request.workflow_id)
    workflow = reader.plan_workflow_of_thread(request.thread_id or "")
    return workflow if isinstance(workflow, plan_workflow.Open) else None


def _approvable(
    reader: Reader, workflow: plan_workflow.PlanWorkflow, plan_hash: str | None
) -> plan_workflow.PlanReady:
    """Return the workflow as one whose plan can be approved. Raises INVALID_ARGUMENT and CODEX_BUSY."""
    if plan_hash is not None and workflow.plan_hash is not None and plan_hash != workflow.plan_hash:
        raise InvalidArgument(
            "The plan has changed since plan_hash was read. Read it again with codex_get_workflow_status.",
            path="plan_hash",
            allowed=[workflow.plan_hash],
        )
    if not isinstance(workflow, plan_workflow.PlanReady):
        raise InvalidArgument(
            f"Only a plan in phase plan_ready can be approved; this workflow is {workflow.status}."
            + _HINTS.get(workflow.status, ""),
            path="workflow_id",
            phase=workflow.status,
        )
    talk = reader.open_discussion(workflow.plan_workflow_id)
    if talk is not None:
        raise CodexBusy(
            f"A message on the plan's thread, operation {talk.operation_id}, may bring another plan. "
            "Wait until it ends, or stop it.",
            operationId=talk.operation_id,
            reason="discussion",
        )
    if candidates := open_candidates(reader, workflow):
        raise InvalidArgument(
            "A later turn made another plan. Say with codex_adopt_workflow_plan which one counts.",
            path="workflow_id",
            candidateTurnIds=[plan.turn_id for plan in candidates],
        )
    return workflow


def _planner(
    reader: Reader, workflow: plan_workflow.PlanReady | None, request: TaskRequest
) -> operation.Operation | None:
    """Return the task that made the plan; without a workflow the latest one on the thread, or None."""
    if workflow is not None:
        return reader.operation(workflow.plan_operation_id)
    return reader.latest_operation_of_thread(request.thread_id or "")


def _filled_in(
    request: TaskRequest, workflow: plan_workflow.PlanReady | None, planner: operation.Operation | None
) -> TaskRequest:
    """Return the request with what the plan was made with, where it says nothing else."""
    filled = replace(request, collaboration_mode="default", message=request.message or IMPLEMENTATION_PROMPT)
    if planner is None:
        return filled
    return replace(
        filled,
        thread_id=planner.thread_id,
        model=request.model or planner.model,
        effort=request.effort or planner.effort,
        sandbox=request.sandbox or (workflow.effective_sandbox if workflow else planner.sandbox),
        approval_policy=request.approval_policy or planner.approval_policy,
        recovery_policy=planner.recovery_policy,
        max_continuations=planner.max_continuations,
        agent_id=request.agent_id or planner.agent_id,
        resource_keys=request.resource_keys or tuple(str(key) for key in planner.resource_keys),
        priority=planner.priority,
    )


def _store(
    transaction: Transaction,
    reader: Reader,
    submission: Submission,
    workflow: plan_workflow.PlanReady | None,
    settings: Settings,
) -> operation.Operation:
    if workflow is None:
        return admit(transaction, reader, submission, settings)
    request = submission.request
    if request.message == IMPLEMENTATION_PROMPT and went_on(reader, workflow):
        plan = reader.plan_of(workflow.plan_turn_id)
        assert plan is not None, "a workflow is plan_ready after its plan was stored"
        message = f"{CHOSEN_IMPLEMENTATION_PROMPT}\n\n{plan.markdown}"
        submission = replace(submission, request=replace(request, message=message))
    part = Part(workflow.plan_workflow_id, "execution")
    row = admit(transaction, reader, submission, settings, part)
    transaction.apply(workflow.approve(execution_operation_id=row.operation_id))
    return row
