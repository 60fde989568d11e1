"""`codex_submit_task`: once a task is stored it is never lost and never run twice (contract §7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from codex_control_plane_contract.arguments import SubmitTaskArguments
from codex_control_plane_contract.change import Change
from codex_control_plane_contract.errors import IdempotencyConflict, InvalidArgument
from codex_control_plane_contract.lifecycles import operation
from codex_control_plane_contract.settings import Settings
from codex_control_plane_contract.types import Acknowledgement
from codex_control_plane_mcp.handlers.context import Context
from codex_control_plane_mcp.handlers.input_items import inputs_hash, look_at_images
from codex_control_plane_mcp.handlers.moment import Moment, look
from codex_control_plane_mcp.handlers.next_steps import next_step, queued_reason
from codex_control_plane_mcp.handlers.prompt_guard import Prompt, refuse_duplicate
from codex_control_plane_mcp.handlers.task_request import TaskRequest
from codex_control_plane_mcp.handlers.times import timestamp
from codex_control_plane_mcp.handlers.waiting import on_thread
from codex_control_plane_mcp.images import Image
from codex_control_plane_mcp.projects import Location, Territory
from codex_control_plane_mcp.scheduling import rank
from codex_control_plane_mcp.store.identifiers import new_id
from codex_control_plane_mcp.store.prompts import KnownPrompt
from codex_control_plane_mcp.store.reading import Reader
from codex_control_plane_mcp.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Submission:
    """A request with what was found out about it before the transaction."""

    request: TaskRequest
    location: Location
    images: Sequence[Image]
    prompt: Prompt


async def submit_task(context: Context, arguments: SubmitTaskArguments) -> Acknowledgement:
    """Store a task and return at once; a known key with the same request names the first task.

    Raises INVALID_ARGUMENT, CODEX_PROJECT_NOT_FOUND, CODEX_DUPLICATE_PROMPT_ACTIVE, and IDEMPOTENCY_CONFLICT
    for a known key with another request.
    """
    acknowledgement = await on_thread(lambda: _submit(context, arguments))
    context.summon()
    return acknowledgement


def _submit(context: Context, arguments: SubmitTaskArguments) -> Acknowledgement:
    request = TaskRequest.of(arguments)
    # A first look, so that a repetition is answered even if its directory is gone by now.
    with look(context) as moment:
        known = _known(moment.reader, request)
        if known is not None:
            return _acknowledge(moment, known, request, idempotent=True)
    territory = _territory(context, request)
    location = _locate(context, request, territory)
    images = look_at_images(request.input_items, location.cwd, territory, context.settings)
    prompt = Prompt.of(request.message, inputs_hash(images, request.output_schema))
    with context.store.transaction(context.actor_id) as (transaction, reader):
        known = _known(reader, request)
        row = known or _admit(
            transaction, reader, Submission(request, location, images, prompt), context.settings
        )
    with look(context) as moment:
        return _acknowledge(moment, row, request, idempotent=known is not None)


def _admit(
    transaction: Transaction, reader: Reader, submission: Submission, settings: Settings
) -> operation.Queued:
    """Store a task that nothing like it stands in the way of. Raises CODEX_DUPLICATE_PROMPT_ACTIVE."""
    request, prompt = submission.request, submission.prompt
    project_id = submission.location.project_id
    if request.guarded:
        refuse_duplicate(reader, prompt, project_id, request.resource_keys)
    finished = None
    if request.operation_type == "start_chat" and request.allow_historical_continuation:
        finished = reader.finished_prompt(
            project_id, prompt_hash=prompt.prompt_hash, inputs_hash=prompt.inputs_hash
        )
    return transaction.apply(_creation(transaction.now, submission, finished, settings))


def _known(reader: Reader, request: TaskRequest) -> operation.Operation | None:
    """Return the task that the request's key names, if any. Raises IDEMPOTENCY_CONFLICT."""
    if request.client_request_id is None:
        return None
    row = reader.operation_by_key(request.client_request_id)
    if row is not None and row.payload_hash != request.payload_hash:
        raise IdempotencyConflict(
            f"This client_request_id names another request, operation {row.operation_id}. Use a new one.",
            operationId=row.operation_id,
            createdAt=timestamp(row.created_at),
        )
    return row


def _territory(context: Context, request: TaskRequest) -> Territory:
    with context.store.read() as reader:
        used = reader.directories_of_project(request.project_id.lower()) if request.project_id else []
    return Territory(context.settings.allowed_roots, context.settings.projects_root, used)


def _locate(context: Context, request: TaskRequest, territory: Territory) -> Location:
    """Return where the task works: as asked, else where the thread worked last."""
    if request.cwd is not None or request.project_id is not None:
        return territory.locate(cwd=request.cwd, project_id=request.project_id)
    thread_id = request.thread_id or request.source_thread_id
    with context.store.read() as reader:
        earlier = reader.latest_operation_of_thread(thread_id) if thread_id else None
    if earlier is None:
        raise InvalidArgument("This thread is not known here; say where, by cwd or project_id.", path="cwd")
    # The allowed roots may have changed since.
    return Location(
        earlier.project_id, Path(earlier.project_path), territory.directory(earlier.cwd, argument="cwd")
    )


def _creation(
    now: int, submission: Submission, finished: KnownPrompt | None, settings: Settings
) -> Change[operation.Queued]:
    request, prompt = submission.request, submission.prompt
    begins_turn = request.operation_type != "steer_turn"
    return operation.submit(
        operation_id=new_id(operation.ID_PREFIX, now),
        operation_type=request.operation_type,
        client_request_id=request.client_request_id,
        payload_hash=request.payload_hash,
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
        sandbox=(request.sandbox or settings.default_sandbox) if begins_turn else "respect_existing",
        approval_policy=(
            (request.approval_policy or settings.default_approval_policy)
            if begins_turn
            else "respect_existing"
        ),
        timeout_seconds=request.timeout_seconds,
        thread_id=finished.thread_id if finished else request.thread_id,
        source_thread_id=request.source_thread_id,
        expected_turn_id=request.expected_turn_id,
        recovery_policy=request.recovery_policy,
        max_continuations=request.max_continuations,
        agent_id=request.agent_id or "",
        resource_keys=[*request.resource_keys],
        priority=request.priority,
        estimated_cost_class=request.estimated_cost_class,
        ranked_at=rank(now, request.priority, settings),
    )


def _acknowledge(
    moment: Moment, row: operation.Operation, request: TaskRequest, *, idempotent: bool
) -> Acknowledgement:
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
    if isinstance(row, operation.Queued):
        acknowledgement["queuedReason"] = queued_reason(moment, row)
    if request.warnings:
        acknowledgement["warnings"] = [*request.warnings]
    return acknowledgement
