"""`codex_get_operation_status`: a task as it stands, or as soon as it changes (contract §3, §4 Operation)."""

from collections.abc import Sequence
from dataclasses import dataclass

from codex_control_plane_contract.arguments import GetOperationStatusArguments
from codex_control_plane_contract.errors import CodexOperationNotFound
from codex_control_plane_contract.lifecycles import operation
from codex_control_plane_contract.types import Operation
from codex_control_plane_mcp.handlers.context import Context
from codex_control_plane_mcp.handlers.moment import look
from codex_control_plane_mcp.handlers.operation_view import present_operation
from codex_control_plane_mcp.handlers.waiting import first_found, on_thread
from codex_control_plane_mcp.store.reading import Reader


async def get_operation_status(context: Context, arguments: GetOperationStatusArguments) -> Operation:
    """Return a task; with `wait_seconds` once its state or its questions change, it ends, or the time is up.

    Progress alone wakes nobody: it comes many times a second. Raises CODEX_OPERATION_NOT_FOUND.
    """
    if arguments.wait_seconds:
        await _await_change(context, arguments.operation_id, arguments.wait_seconds)
    return await on_thread(lambda: _present(context, arguments))


def known_operation(reader: Reader, operation_id: str) -> operation.Operation:
    """Return the operation. Raises CODEX_OPERATION_NOT_FOUND."""
    row = reader.operation(operation_id)
    if row is None:
        raise CodexOperationNotFound(
            "No such operation on record. Use the operationId that codex_submit_task returned.",
            operationId=operation_id,
        )
    return row


@dataclass(frozen=True, slots=True)
class _Mark:
    """What a waiting caller cares about: the operation's revision, its questions, whether it has ended."""

    revision: int
    questions: Sequence[tuple[str, str]]
    ended: bool


async def _await_change(context: Context, operation_id: str, seconds: float) -> None:
    with context.store.bells.listen() as listener:
        before = await on_thread(lambda: _mark(context, operation_id))

        def change() -> _Mark | None:
            now = _mark(context, operation_id)
            return now if now.ended or now != before else None

        await first_found(change, listener, seconds)


def _mark(context: Context, operation_id: str) -> _Mark:
    with context.store.read() as reader:
        row = known_operation(reader, operation_id)
        questions = reader.open_interactions(row.turn_id) if row.turn_id is not None else []
        return _Mark(
            row.revision,
            tuple((question.interaction_id, question.state) for question in questions),
            row.facts.terminal,
        )


def _present(context: Context, arguments: GetOperationStatusArguments) -> Operation:
    with look(context) as moment:
        row = known_operation(moment.reader, arguments.operation_id)
        return present_operation(moment, row, arguments)
