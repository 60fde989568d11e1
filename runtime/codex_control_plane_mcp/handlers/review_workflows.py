"""`codex_start_review_workflow`: a workflow and the task of its review, in one transaction (contract §9)."""

from codex_control_plane_contract.arguments import StartReviewWorkflowArguments
from codex_control_plane_contract.change import Change
from codex_control_plane_contract.lifecycles import operation, review_workflow
from codex_control_plane_contract.settings import Settings
from codex_control_plane_contract.types import ReviewAcknowledgement
from codex_control_plane_mcp.handlers.admission import place
from codex_control_plane_mcp.handlers.context import Context
from codex_control_plane_mcp.handlers.moment import Moment, look
from codex_control_plane_mcp.handlers.request_keys import refuse_other_request
from codex_control_plane_mcp.handlers.review_request import ReviewRequest
from codex_control_plane_mcp.handlers.review_view import present_target
from codex_control_plane_mcp.handlers.review_workflow_view import next_step_of_review, review_of
from codex_control_plane_mcp.handlers.revisions import refuse_no_repository, refuse_unknown_revision
from codex_control_plane_mcp.handlers.times import timestamp
from codex_control_plane_mcp.handlers.waiting import on_thread
from codex_control_plane_mcp.projects import Location
from codex_control_plane_mcp.scheduling import rank
from codex_control_plane_mcp.store.identifiers import new_id
from codex_control_plane_mcp.store.reading import Reader
from codex_control_plane_mcp.store.transaction import Transaction


async def start_review_workflow(
    context: Context, arguments: StartReviewWorkflowArguments
) -> ReviewAcknowledgement:
    """Store a review with its task and return at once; a known key names the first one.

    Raises INVALID_ARGUMENT, also for a branch or a commit that git does not know, CODEX_PROJECT_NOT_FOUND,
    and IDEMPOTENCY_CONFLICT for a known key with another request.
    """
    acknowledgement = await on_thread(lambda: _start(context, arguments))
    context.summon()
    return acknowledgement


def _start(context: Context, arguments: StartReviewWorkflowArguments) -> ReviewAcknowledgement:
    request = ReviewRequest.of(arguments)
    # A first look, so that a repetition is answered even if its directory is gone by now.
    with look(context) as moment:
        known = _known(moment.reader, request)
        if known is not None:
            return _acknowledge(moment, known, request, idempotent=True)
    location, _ = place(
        context, cwd=arguments.cwd, project_id=arguments.project_id, thread_id=arguments.thread_id
    )
    _refuse_unknown(request, location)
    with context.store.transaction(context.actor_id) as (transaction, reader):
        known = _known(reader, request)
        row = known or _begin(transaction, request, location, context.settings)
    with look(context) as moment:
        return _acknowledge(moment, row, request, idempotent=known is not None)


def _known(reader: Reader, request: ReviewRequest) -> review_workflow.ReviewWorkflow | None:
    """Return the workflow that the caller's key names, or None. Raises IDEMPOTENCY_CONFLICT."""
    key = request.arguments.client_request_id
    row = reader.review_workflow_by_key(key) if key is not None else None
    refuse_other_request(row, request.payload_hash, "workflow")
    return row


def _refuse_unknown(request: ReviewRequest, location: Location) -> None:
    if request.revision is not None:
        revision, argument = request.revision
        refuse_unknown_revision(location.cwd, revision, argument=argument)
    elif request.arguments.target_type == "uncommitted_changes":
        refuse_no_repository(location.cwd, argument="target_type")


def _begin(
    transaction: Transaction, request: ReviewRequest, location: Location, settings: Settings
) -> review_workflow.Queued:
    """Store the task and the workflow, which name each other."""
    workflow_id = new_id(review_workflow.ID_PREFIX, transaction.now)
    task = transaction.apply(_task(transaction.now, request, location, settings, workflow_id))
    return transaction.apply(
        review_workflow.start(
            review_workflow_id=workflow_id,
            client_request_id=request.arguments.client_request_id,
            payload_hash=request.payload_hash,
            project_id=location.project_id,
            review_operation_id=task.operation_id,
            requested_sandbox=request.requested_sandbox,
        )
    )


def _task(
    now: int, request: ReviewRequest, location: Location, settings: Settings, workflow_id: str
) -> Change[operation.Queued]:
    arguments = request.arguments
    return operation.submit(
        operation_id=new_id(operation.ID_PREFIX, now),
        operation_type="review_start",
        payload_hash=request.payload_hash,
        message=arguments.instructions or "",
        runs_turn=True,
        project_id=location.project_id,
        project_path=str(location.project),
        cwd=str(location.cwd),
        model=(arguments.model or settings.default_model) if request.has_own_thread else None,
        sandbox=request.sandbox,
        approval_policy="never" if request.has_own_thread else "respect_existing",
        timeout_seconds=arguments.timeout_seconds,
        thread_id=None if request.has_own_thread else arguments.thread_id,
        source_thread_id=arguments.thread_id,
        review_target=request.target,
        review_delivery=request.delivery,
        workflow_id=workflow_id,
        workflow_role="review",
        recovery_policy="report",
        max_continuations=1,
        agent_id="",
        resource_keys=[],
        priority="normal",
        estimated_cost_class="normal",
        ranked_at=rank(now, "normal", settings),
    )


def _acknowledge(
    moment: Moment, row: review_workflow.ReviewWorkflow, request: ReviewRequest, *, idempotent: bool
) -> ReviewAcknowledgement:
    task = review_of(moment, row)
    step = next_step_of_review(moment, row)
    acknowledgement: ReviewAcknowledgement = {
        "workflowId": row.review_workflow_id,
        "workflowKind": "code_review",
        "phase": row.status,
        "status": row.status,
        "projectId": row.project_id,
        "reviewOperationId": row.review_operation_id,
        "reviewTarget": present_target(request.target),
        "reviewDelivery": request.delivery,
        "requestedSandbox": row.requested_sandbox or task.sandbox,
        "effectiveSandbox": task.sandbox,
        "runtimePolicyAdjusted": row.requested_sandbox not in (None, task.sandbox),
        "idempotent": idempotent,
        "createdAt": timestamp(row.created_at),
        "nextRecommendedAction": step["nextRecommendedAction"],
        "recommendedPollAfterSeconds": step["recommendedPollAfterSeconds"],
        "pollRecommended": step["pollRecommended"],
    }
    if row.client_request_id is not None:
        acknowledgement["clientRequestId"] = row.client_request_id
    if task.thread_id is not None:
        acknowledgement["threadId"] = task.thread_id
    if request.warnings:
        acknowledgement["warnings"] = request.warnings
    return acknowledgement
