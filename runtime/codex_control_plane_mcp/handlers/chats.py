"""`codex_start_chat`, `codex_send_message` and `codex_execute_plan`: thin forms of `codex_submit_task`."""

from typing import TypeAlias

from codex_control_plane_contract.arguments import (
    ExecutePlanArguments,
    SendMessageArguments,
    StartChatArguments,
    SubmitTaskArguments,
)
from codex_control_plane_contract.codex import CONTEXT_PROMPT
from codex_control_plane_contract.types import Acknowledgement, ChatTask
from codex_control_plane_mcp.handlers.context import Context
from codex_control_plane_mcp.handlers.moment import look
from codex_control_plane_mcp.handlers.next_steps import next_step
from codex_control_plane_mcp.handlers.status import known_operation
from codex_control_plane_mcp.handlers.submission import submit_task
from codex_control_plane_mcp.handlers.turn_view import present_message
from codex_control_plane_mcp.handlers.waiting import first_found, on_thread

_ChatArguments: TypeAlias = StartChatArguments | SendMessageArguments | ExecutePlanArguments


async def start_chat(context: Context, arguments: StartChatArguments) -> ChatTask:
    """Submit a prompt for a new thread; return how it stands. Raises as `submit_task` does."""
    task = SubmitTaskArguments(
        operation_type="start_chat",
        project_id=arguments.project_id,
        message=arguments.message,
        title=arguments.title,
        cwd=arguments.cwd,
        model=arguments.model,
        collaboration_mode=arguments.collaboration_mode,
        sandbox=arguments.sandbox,
        approval_policy=arguments.approval_policy,
        timeout_seconds=arguments.timeout_seconds,
    )
    return await _submit(context, task, arguments)


async def send_message(context: Context, arguments: SendMessageArguments) -> ChatTask:
    """Submit a prompt that continues a thread; return how it stands. Raises as `submit_task` does.

    Codex has one way to be told something. A command is a prompt, then, and context is one
    with a word before it.
    """
    message = arguments.message
    if arguments.mode == "append_context":
        message = f"{CONTEXT_PROMPT}\n\n{message}"
    task = SubmitTaskArguments(
        operation_type="send_message",
        chat_id=arguments.chat_id,
        project_id=arguments.project_id,
        message=message,
        collaboration_mode=arguments.collaboration_mode,
        sandbox=arguments.sandbox,
        approval_policy=arguments.approval_policy,
        timeout_seconds=arguments.timeout_seconds,
    )
    return await _submit(context, task, arguments)


async def execute_plan(context: Context, arguments: ExecutePlanArguments) -> ChatTask:
    """Carry out a plan; return how its task stands. Raises as `submit_task` does."""
    task = SubmitTaskArguments(
        operation_type="execute_plan",
        workflow_id=arguments.workflow_id,
        chat_id=arguments.chat_id,
        project_id=arguments.project_id,
        client_request_id=arguments.client_request_id,
        message=arguments.message,
        output_schema=arguments.output_schema,
        sandbox=arguments.sandbox,
        approval_policy=arguments.approval_policy,
        timeout_seconds=arguments.timeout_seconds,
    )
    return await _submit(context, task, arguments)


async def _submit(context: Context, task: SubmitTaskArguments, arguments: _ChatArguments) -> ChatTask:
    with context.store.bells.listen() as listener:
        acknowledged = await submit_task(context, task)
        operation_id = acknowledged["operationId"]
        if arguments.first_message_timeout_seconds:
            await first_found(
                lambda: _heard(context, operation_id), listener, arguments.first_message_timeout_seconds
            )
    return await on_thread(lambda: _present(context, acknowledged, arguments.first_message_max_chars))


def _heard(context: Context, operation_id: str) -> bool | None:
    """Return whether there is no more to wait for: a message, an end, or a question; None before."""
    with context.store.read() as reader:
        row = known_operation(reader, operation_id)
        waits = row.facts.terminal or row.facts.waits_for in ("human", "quota")
        return True if waits or reader.first_message(operation_id) is not None else None


def _present(context: Context, acknowledged: Acknowledgement, limit: int) -> ChatTask:
    with look(context) as moment:
        row = known_operation(moment.reader, acknowledged["operationId"])
        event = moment.reader.first_message(row.operation_id)
        step = next_step(moment, row)
    answer: ChatTask = {
        "operationId": row.operation_id,
        "operationType": row.operation_type,
        "status": row.status,
        "idempotent": acknowledged["idempotent"],
        "nextRecommendedAction": step["nextRecommendedAction"],
        "recommendedPollAfterSeconds": step["recommendedPollAfterSeconds"],
        "pollRecommended": step["pollRecommended"],
    }
    if row.thread_id is not None:
        answer["threadId"] = row.thread_id
    if row.workflow_id is not None:
        answer["workflowId"] = row.workflow_id
    if event is not None:
        answer["firstMessage"] = present_message(event.at, event.text, limit)
    if "warnings" in acknowledged:
        answer["warnings"] = acknowledged["warnings"]
    return answer
