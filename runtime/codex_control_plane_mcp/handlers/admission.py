"""Admission: what was asked for becomes a stored task, unless something stands in its way (contract §7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from codex_control_plane_contract.change import Change
from codex_control_plane_contract.errors import InvalidArgument
from codex_control_plane_contract.lifecycles import operation, plan_workflow
from codex_control_plane_contract.settings import Settings
from codex_control_plane_contract.types import Acknowledgement
from codex_control_plane_mcp.handlers.context import Context
from codex_control_plane_mcp.handlers.input_items import inputs_hash, look_at_images
from codex_control_plane_mcp.handlers.moment import Moment
from codex_control_plane_mcp.handlers.next_steps import next_step, queued_reason
from codex_control_plane_mcp.handlers.prompt_guard import Prompt, refuse_duplicate
from codex_control_plane_mcp.handlers.request_keys import refuse_other_request
from codex_control_plane_mcp.handlers.sandbox_floor import add_sandboxes, effective_sandbox
from codex_control_plane_mcp.handlers.task_request import TaskRequest
from codex_control_plane_mcp.handlers.times import timestamp
from codex_control_plane_mcp.images import Image
from codex_control_plane_mcp.projects import Location, Territory
from codex_control_plane_mcp.scheduling import rank
from codex_control_plane_mcp.store.identifiers import new_id
from codex_control_plane_mcp.store.prompts import KnownPrompt
from codex_control_plane_mcp.store.reading import Reader
from codex_control_plane_mcp.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Part:
    """The part that a task plays in a workflow."""

    workflow_id: str
    role: operation.WorkflowRole


@dataclass(frozen=True, slots=True)
class Submission:
    """A request with what was found out about it before the transaction."""

    request: TaskRequest
    location: Location
    images: Sequence[Image]
    prompt: Prompt
    payload_hash: str
    """Tells whether the caller's key names the same request again."""


def prepare(context: Context, request: TaskRequest) -> Submission:
    """Return the request with its place, images and prompt; call it outside of a transaction.

    Raises INVALID_ARGUMENT and CODEX_PROJECT_NOT_FOUND.
    """
    location, territory = place(
        context,
        cwd=request.cwd,
        project_id=request.project_id,
        thread_id=request.thread_id or request.source_thread_id,
    )
    images = look_at_images(request.input_items, location.cwd, territory, context.settings)
    prompt = Prompt.of(request.message, inputs_hash(images, request.output_schema))
    return Submission(request, location, images, prompt, request.payload_hash)


def admit(
    transaction: Transaction,
    reader: Reader,
    submission: Submission,
    settings: Settings,
    part: Part | None = None,
) -> operation.Queued:
    """Store a task that nothing like it stands in the way of. Raises CODEX_DUPLICATE_PROMPT_ACTIVE."""
    refuse_active_duplicate(reader, submission)
    request, prompt = submission.request, submission.prompt
    project_id = submission.location.project_id
    finished = None
    if request.operation_type == "start_chat" and request.allow_historical_continuation:
        finished = reader.finished_prompt(
            project_id, prompt_hash=prompt.prompt_hash, inputs_hash=prompt.inputs_hash
        )
    part = part or _discussion(reader, finished.thread_id if finished else request.thread_id, request)
    return transaction.apply(_creation(transaction.now, submission, finished, part, settings))


def refuse_active_duplicate(reader: Reader, submission: Submission) -> None:
    """Raise CODEX_DUPLICATE_PROMPT_ACTIVE if the like of a guarded prompt is active in its project."""
    request = submission.request
    if request.guarded:
        refuse_duplicate(reader, submission.prompt, submission.location.project_id, request.resource_keys)


def _discussion(reader: Reader, thread_id: str | None, request: TaskRequest) -> Part | None:
    """Return the part of a message on the thread of a plan that is not carried out yet, or None."""
    workflow = reader.plan_workflow_of_thread(thread_id) if thread_id and request.is_prompt else None
    if isinstance(workflow, plan_workflow.InPlanning | plan_workflow.Planned):
        return Part(workflow.plan_workflow_id, "discussion")
    return None


def known_task(reader: Reader, request: TaskRequest) -> operation.Operation | None:
    """Return the task that the request's key names, or None. Raises IDEMPOTENCY_CONFLICT."""
    if request.client_request_id is None:
        return None
    row = reader.operation_by_key(request.client_request_id)
    refuse_other_request(row, request.payload_hash, "operation")
    return row


def place(
    context: Context, *, cwd: str | None, project_id: str | None, thread_id: str | None
) -> tuple[Location, Territory]:
    """Return where a task works, as asked, else where the thread worked last; and where it may work at all.

    Raises INVALID_ARGUMENT and CODEX_PROJECT_NOT_FOUND.
    """
    with context.store.read() as reader:
        used = reader.directories_of_project(project_id.lower()) if project_id else []
        earlier = reader.latest_operation_of_thread(thread_id) if thread_id else None
    territory = Territory(context.settings.allowed_roots, context.settings.projects_root, used)
    if cwd is not None or project_id is not None:
        return territory.locate(cwd=cwd, project_id=project_id), territory
    if earlier is None:
        raise InvalidArgument("This thread is not known here; say where, by cwd or project_id.", path="cwd")
    # The allowed roots may have changed since.
    directory = territory.directory(earlier.cwd, argument="cwd")
    return Location(earlier.project_id, Path(earlier.project_path), directory), territory


def _creation(
    now: int, submission: Submission, finished: KnownPrompt | None, part: Part | None, settings: Settings
) -> Change[operation.Queued]:
    request, prompt = submission.request, submission.prompt
    begins_turn = request.operation_type != "steer_turn"
    sandbox = (request.sandbox or settings.default_sandbox) if begins_turn else "respect_existing"
    return operation.submit(
        operation_id=new_id(operation.ID_PREFIX, now),
        operation_type=request.operation_type,
        client_request_id=request.client_request_id,
        payload_hash=submission.payload_hash,
        prompt_hash=prompt.prompt_hash if request.is_prompt else None,
        inputs_hash=prompt.inputs_hash,
        prompt_print=prompt.print_as_json() if request.is_prompt else None,
        dedup_policy=request.dedup_policy if request.is_prompt else None,
        repeats_operation_id=finished.operation_id if finished else None,
        message=request.message,
        input_items=[image.as_json() for image in submission.images] or None,
        output_schema=request.output_schema,
        runs_turn=request.runs_turn,
        title=request.title,
        project_id=submission.location.project_id,
        project_path=str(submission.location.project),
        cwd=str(submission.location.cwd),
        model=(request.model or settings.default_model) if begins_turn else None,
        effort=(request.effort or settings.default_effort) if begins_turn else None,
        collaboration_mode=request.collaboration_mode if request.runs_turn else None,
        sandbox=effective_sandbox(sandbox, request.collaboration_mode),
        requested_sandbox=sandbox if request.collaboration_mode == "plan" else None,
        approval_policy=(
            (request.approval_policy or settings.default_approval_policy)
            if begins_turn
            else "respect_existing"
        ),
        timeout_seconds=request.timeout_seconds,
        thread_id=finished.thread_id if finished else request.thread_id,
        source_thread_id=request.source_thread_id,
        expected_turn_id=request.expected_turn_id,
        workflow_id=part.workflow_id if part else None,
        workflow_role=part.role if part else None,
        recovery_policy=request.recovery_policy,
        max_continuations=request.max_continuations,
        agent_id=request.agent_id or "",
        resource_keys=[*request.resource_keys],
        priority=request.priority,
        estimated_cost_class=request.estimated_cost_class,
        ranked_at=rank(now, request.priority, settings),
    )


def acknowledge(
    moment: Moment, row: operation.Operation, request: TaskRequest, *, idempotent: bool
) -> Acknowledgement:
    """Return how a task stands now that it is stored; `idempotent` says that it was before."""
    step = next_step(moment, row)
    acknowledgement: Acknowledgement = {
        "operationId": row.operation_id,
        "operationType": row.operation_type,
        "status": row.status,
        "projectId": row.project_id,
        "idempotent": idempotent,
        "createdAt": timestamp(row.created_at),
        "nextRecommendedAction": step["nextRecommendedAction"],
        "recommendedPollAfterSeconds": step["recommendedPollAfterSeconds"],
        "pollRecommended": step["pollRecommended"],
    }
    if row.client_request_id is not None:
        acknowledgement["clientRequestId"] = row.client_request_id
    if row.thread_id is not None:
        acknowledgement["threadId"] = row.thread_id
    if row.workflow_id is not None:
        acknowledgement["workflowId"] = row.workflow_id
    if isinstance(row, operation.Queued):
        acknowledgement["queuedReason"] = queued_reason(moment, row)
    add_sandboxes(acknowledgement, row)
    if request.warnings:
        acknowledgement["warnings"] = [*request.warnings]
    return acknowledgement
