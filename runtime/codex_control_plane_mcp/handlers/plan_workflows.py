"""`codex_start_plan_workflow`: a workflow and its first task, in one transaction (contract §9)."""

from collections.abc import Sequence
from dataclasses import dataclass

from codex_control_plane_contract.arguments import StartPlanWorkflowArguments
from codex_control_plane_contract.lifecycles import operation, plan_workflow
from codex_control_plane_contract.settings import Settings
from codex_control_plane_contract.types import WorkflowAcknowledgement
from codex_control_plane_mcp.handlers.admission import Part, Submission, admit, prepare
from codex_control_plane_mcp.handlers.context import Context
from codex_control_plane_mcp.handlers.moment import Moment, look
from codex_control_plane_mcp.handlers.plan_request import PlanRequest
from codex_control_plane_mcp.handlers.request_keys import refuse_other_request
from codex_control_plane_mcp.handlers.times import timestamp
from codex_control_plane_mcp.handlers.waiting import on_thread
from codex_control_plane_mcp.handlers.workflow_view import next_step_of
from codex_control_plane_mcp.store.identifiers import new_id
from codex_control_plane_mcp.store.reading import Reader
from codex_control_plane_mcp.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a workflow in a row of those that were replaced one after the other."""

    replaces_workflow_id: str
    retry_of_workflow_id: str
    reason: str | None


async def start_plan_workflow(
    context: Context, arguments: StartPlanWorkflowArguments
) -> WorkflowAcknowledgement:
    """Store a workflow with its first task and return at once; a known key names the first workflow.

    Raises INVALID_ARGUMENT, CODEX_PROJECT_NOT_FOUND, CODEX_DUPLICATE_PROMPT_ACTIVE, and IDEMPOTENCY_CONFLICT
    for a known key with another request.
    """
    acknowledgement = await on_thread(lambda: _start(context, arguments))
    context.summon()
    return acknowledgement


def acknowledge_workflow(
    moment: Moment, row: plan_workflow.PlanWorkflow, *, idempotent: bool, warnings: Sequence[str] = ()
) -> WorkflowAcknowledgement:
    """Return how a workflow stands now; `idempotent` says that nothing new was stored."""
    step = next_step_of(moment, row)
    acknowledgement: WorkflowAcknowledgement = {
        "workflowId": row.plan_workflow_id,
        "workflowKind": "plan_then_execute",
        "phase": row.status,
        "status": row.status,
        "projectId": row.project_id,
        "planOperationId": row.plan_operation_id,
        "requestedSandbox": row.requested_sandbox,
        "effectiveSandbox": row.effective_sandbox,
        "runtimePolicyAdjusted": row.requested_sandbox != row.effective_sandbox,
        "idempotent": idempotent,
        "createdAt": timestamp(row.created_at),
        "nextRecommendedAction": step["nextRecommendedAction"],
        "recommendedPollAfterSeconds": step["recommendedPollAfterSeconds"],
        "pollRecommended": step["pollRecommended"],
    }
    if row.client_request_id is not None:
        acknowledgement["clientRequestId"] = row.client_request_id
    if row.plan_turn_id is not None:
        acknowledgement["planTurnId"] = row.plan_turn_id
    if row.plan_hash is not None:
        acknowledgement["planHash"] = row.plan_hash
    if warnings:
        acknowledgement["warnings"] = [*warnings]
    return acknowledgement


def _start(context: Context, arguments: StartPlanWorkflowArguments) -> WorkflowAcknowledgement:
    request = PlanRequest.of(arguments, context.settings)
    warnings = request.warnings
    # A first look, so that a repetition is answered even if its directory is gone by now.
    with look(context) as moment:
        known = known_plan_workflow(moment.reader, request)
        if known is not None:
            return acknowledge_workflow(moment, known, idempotent=True, warnings=warnings)
    submission = prepare(context, request.task)
    with context.store.transaction(context.actor_id) as (transaction, reader):
        known = known_plan_workflow(reader, request)
        row = known or begin(transaction, reader, request, submission, context.settings)
    with look(context) as moment:
        return acknowledge_workflow(moment, row, idempotent=known is not None, warnings=warnings)


def known_plan_workflow(reader: Reader, request: PlanRequest) -> plan_workflow.PlanWorkflow | None:
    """Return the workflow that the caller's key names, or None. Raises IDEMPOTENCY_CONFLICT."""
    if request.client_request_id is None:
        return None
    row = reader.plan_workflow_by_key(request.client_request_id)
    refuse_other_request(row, request.payload_hash, "workflow")
    return row


def _effective_sandbox(task: operation.Operation) -> plan_workflow.EffectiveSandbox:
    assert task.sandbox in ("workspace-write", "danger-full-access"), "a plan needs that much"
    return task.sandbox


def begin(
    transaction: Transaction,
    reader: Reader,
    request: PlanRequest,
    submission: Submission,
    settings: Settings,
    *,
    place: Place | None = None,
) -> plan_workflow.Planning:
    """Store the task and the workflow, which name each other, and its goal, if it has one.

    Raises CODEX_DUPLICATE_PROMPT_ACTIVE.
    """
    workflow_id = new_id(plan_workflow.ID_PREFIX, transaction.now)
    task = admit(transaction, reader, submission, settings, Part(workflow_id, "plan"))
    workflow = transaction.apply(
        plan_workflow.start(
            plan_workflow_id=workflow_id,
            client_request_id=request.client_request_id,
            payload_hash=request.payload_hash,
            project_id=task.project_id,
            plan_operation_id=task.operation_id,
            requested_sandbox=request.sandbox,
            effective_sandbox=_effective_sandbox(task),
            replaces_workflow_id=place.replaces_workflow_id if place else None,
            retry_of_workflow_id=place.retry_of_workflow_id if place else None,
            retry_reason=place.reason if place else None,
        )
    )
    if request.goal is not None:
        transaction.apply(request.goal.configuration(workflow_id, transaction.now))
    return workflow
