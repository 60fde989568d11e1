"""`codex_submit_task`: once a task is stored it is never lost and never run twice (contract §7)."""

from codex_control_plane_contract.arguments import SubmitTaskArguments
from codex_control_plane_contract.types import Acknowledgement
from codex_control_plane_mcp.handlers import approval
from codex_control_plane_mcp.handlers.admission import acknowledge, admit, known_task, prepare
from codex_control_plane_mcp.handlers.context import Context
from codex_control_plane_mcp.handlers.moment import look
from codex_control_plane_mcp.handlers.task_request import TaskRequest
from codex_control_plane_mcp.handlers.waiting import on_thread


async def submit_task(context: Context, arguments: SubmitTaskArguments) -> Acknowledgement:
    """Store a task and return at once; a known key with the same request names the first task.

    Raises INVALID_ARGUMENT, CODEX_PROJECT_NOT_FOUND, CODEX_DUPLICATE_PROMPT_ACTIVE, and IDEMPOTENCY_CONFLICT
    for a known key with another request; for execute_plan also CODEX_WORKFLOW_NOT_FOUND and CODEX_BUSY.
    """
    acknowledgement = await on_thread(lambda: _submit(context, arguments))
    context.summon()
    return acknowledgement


def _submit(context: Context, arguments: SubmitTaskArguments) -> Acknowledgement:
    request = TaskRequest.of(arguments)
    # A first look, so that a repetition is answered even if its directory is gone by now.
    with look(context) as moment:
        known = known_task(moment.reader, request)
        if known is not None:
            return acknowledge(moment, known, request, idempotent=True)
    if request.operation_type == "execute_plan":
        return approval.carry_out(context, request)
    submission = prepare(context, request)
    with context.store.transaction(context.actor_id) as (transaction, reader):
        known = known_task(reader, request)
        row = known or admit(transaction, reader, submission, context.settings)
    with look(context) as moment:
        return acknowledge(moment, row, request, idempotent=known is not None)
