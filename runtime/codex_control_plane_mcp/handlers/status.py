"""`codex_get_operation_status`: a task as it stands, or as soon as it changes (contract §3, §4 Operation)."""

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
    """Return a task; with `wait_seconds` once it or its questions change, it ends, or the time is up.

    What changed since the result that held `state_cursor` counts too. Progress alone wakes nobody: it comes
    many times a second. Raises CODEX_OPERATION_NOT_FOUND.
    """
    if arguments.wait_seconds:
        await _await_change(context, arguments)
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


async def _await_change(context: Context, arguments: GetOperationStatusArguments) -> None:
    with context.store.bells.listen() as listener:
        standing, _ = await on_thread(lambda: _standing(context, arguments.operation_id))
        before = standing if arguments.state_cursor is None else arguments.state_cursor

        def change() -> bool | None:
            cursor, ended = _standing(context, arguments.operation_id)
            return True if ended or cursor > before else None

        await first_found(change, listener, arguments.wait_seconds)


def _standing(context: Context, operation_id: str) -> tuple[int, bool]:
    """Return the state cursor of an operation, and whether it has ended."""
    with context.store.read() as reader:
        row = known_operation(reader, operation_id)
        return reader.state_cursor(operation_id), row.facts.terminal


def _present(context: Context, arguments: GetOperationStatusArguments) -> Operation:
    with look(context) as moment:
        row = known_operation(moment.reader, arguments.operation_id)
        return present_operation(moment, row, arguments)
