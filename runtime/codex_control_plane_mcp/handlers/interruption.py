"""`codex_interrupt_turn`: the wish to stop a task is stored and carried out (contract §3, §19.7)."""

from codex_control_plane_contract.arguments import InterruptTurnArguments
from codex_control_plane_contract.errors import CodexTurnNotFound, InvalidArgument
from codex_control_plane_contract.lifecycles import operation, plan_workflow, review_workflow, turn
from codex_control_plane_contract.types import Interrupted, Next
from codex_control_plane_mcp.handlers.context import Context
from codex_control_plane_mcp.handlers.known_workflows import AnyWorkflow, any_workflow, current_operation_id
from codex_control_plane_mcp.handlers.moment import Moment, look
from codex_control_plane_mcp.handlers.next_steps import next_step
from codex_control_plane_mcp.handlers.review_workflow_view import next_step_of_review
from codex_control_plane_mcp.handlers.status import known_operation
from codex_control_plane_mcp.handlers.times import timestamp
from codex_control_plane_mcp.handlers.waiting import first_found, on_thread
from codex_control_plane_mcp.handlers.workflow_view import next_step_of
from codex_control_plane_mcp.store.reading import Reader
from codex_control_plane_mcp.store.transaction import Transaction


async def interrupt_turn(context: Context, arguments: InterruptTurnArguments) -> Interrupted:
    """Cancel a queued task at once; of another, store the wish and wait up to `timeout_seconds` for the end.

    Raises INVALID_ARGUMENT for a task that has ended and for arguments that name none,
    CODEX_OPERATION_NOT_FOUND and CODEX_TURN_NOT_FOUND.
    """
    _refuse_misfits(arguments)
    with context.store.bells.listen() as listener:
        row, command_id = await on_thread(lambda: _request(context, arguments))
        if not row.facts.terminal:
            context.summon()
            await first_found(lambda: _end(context, row.operation_id), listener, arguments.timeout_seconds)
    return await on_thread(lambda: _present(context, row.operation_id, command_id, arguments.workflow_id))


def _refuse_misfits(arguments: InterruptTurnArguments) -> None:
    turn_named = arguments.thread_id is not None or arguments.turn_id is not None
    one_named = [name for name in ("operation_id", "workflow_id") if getattr(arguments, name) is not None]
    if one_named:
        if turn_named or len(one_named) > 1:
            raise InvalidArgument(
                "Give one of operation_id, workflow_id, or thread_id with turn_id.", path=one_named[0]
            )
    elif not turn_named:
        raise InvalidArgument(
            "Give operation_id, workflow_id, or thread_id and turn_id.", path="operation_id"
        )
    elif arguments.thread_id is None:
        raise InvalidArgument("turn_id needs the thread_id of its turn.", path="thread_id")
    elif arguments.turn_id is None:
        raise InvalidArgument("thread_id needs the turn_id that is to be stopped.", path="turn_id")


def _request(context: Context, arguments: InterruptTurnArguments) -> tuple[operation.Operation, str | None]:
    """Store the wish; return the task, ended if that was all, and the command that carries it out, if any."""
    with context.store.transaction(context.actor_id) as (transaction, reader):
        if arguments.workflow_id is not None:
            workflow = any_workflow(reader, arguments.workflow_id)
            if isinstance(workflow, plan_workflow.Planned):
                return _drop_plan(transaction, reader, workflow), None
        row = _named_operation(reader, arguments)
        if isinstance(row, operation.Ended):
            raise _ended(row)
        if isinstance(row, operation.Queued | operation.WaitingForQuota):
            return _stop(transaction, reader, row), None
        return _ask_to_stop(transaction, row)


def _stop(
    transaction: Transaction, reader: Reader, row: operation.Queued | operation.WaitingForQuota
) -> operation.Operation:
    """End a task of which no turn runs: interrupted if Codex has had one of it, cancelled if not."""
    last = reader.turn(row.continues_turn_id) if row.continues_turn_id is not None else None
    if last is not None:
        return transaction.apply(
            row.stop(thread_id=last.thread_id, turn_id=last.turn_id),
            by="client",
            evidence=f"its last turn, {last.turn_id}, is {last.state}",
        )
    assert isinstance(row, operation.Queued), "a task waits for quota after a turn"
    return transaction.apply(row.cancel())


def _drop_plan(
    transaction: Transaction, reader: Reader, workflow: plan_workflow.Planned
) -> operation.Operation:
    """Stop a workflow whose plan is not wanted; return the task that made it, which has ended."""
    transaction.apply(workflow.stop(), by="client", evidence="codex_interrupt_turn")
    planner = reader.operation(workflow.plan_operation_id)
    assert planner is not None, "the schema keeps the task of a workflow"
    return planner


def _ask_to_stop(
    transaction: Transaction, row: operation.Starting | operation.Steering | operation.InTurn
) -> tuple[operation.Operation, str]:
    """Store the wish once; an order that was given up is given again."""
    if row.interrupt_requested_at is None:
        transaction.apply(row.request_interrupt())
    return row, transaction.enqueue("interrupt_turn", row.operation_id, by="client")


def _named_operation(reader: Reader, arguments: InterruptTurnArguments) -> operation.Operation:
    if arguments.operation_id is not None:
        return known_operation(reader, arguments.operation_id)
    if arguments.workflow_id is not None:
        workflow = any_workflow(reader, arguments.workflow_id)
        return known_operation(reader, current_operation_id(workflow))
    row = reader.operation_of_turn(arguments.thread_id or "", arguments.turn_id or "")
    if row is None:
        earlier = reader.turn(arguments.turn_id or "")
        if isinstance(earlier, turn.Ended) and earlier.thread_id == arguments.thread_id:
            raise _over(earlier)
        raise CodexTurnNotFound(
            "No such turn on record. Take threadId and turnId from codex_get_operation_status.",
            threadId=arguments.thread_id,
            turnId=arguments.turn_id,
        )
    return row


def _over(earlier: turn.Ended) -> InvalidArgument:
    """Return the refusal for a turn after which its task has begun another one."""
    at = timestamp(earlier.completed_at)
    return InvalidArgument(
        f"Turn {earlier.turn_id} has already ended ({earlier.status}, {at}). "
        f"Its task goes on in another turn; to stop it, give operation_id {earlier.operation_id}.",
        path="turn_id",
        status=earlier.status,
        completedAt=at,
        operationId=earlier.operation_id,
    )


def _ended(row: operation.Ended) -> InvalidArgument:
    at = timestamp(row.completed_at)
    return InvalidArgument(
        f"Operation {row.operation_id} has already ended ({row.status}, {at}); there is nothing to stop.",
        path="operation_id",
        status=row.status,
        completedAt=at,
    )


def _end(context: Context, operation_id: str) -> operation.Operation | None:
    """Return the task once it has ended."""
    with context.store.read() as reader:
        row = known_operation(reader, operation_id)
    return row if row.facts.terminal else None


def _present(
    context: Context, operation_id: str, command_id: str | None, workflow_id: str | None
) -> Interrupted:
    with look(context) as moment:
        row = known_operation(moment.reader, operation_id)
        workflow = any_workflow(moment.reader, workflow_id) if workflow_id is not None else None
        step = _next_step_of(moment, workflow) if workflow is not None else next_step(moment, row)
    result: Interrupted = {
        "operationId": row.operation_id,
        "status": row.status,
        "interruptRequested": True,
        "nextRecommendedAction": step["nextRecommendedAction"],
        "recommendedPollAfterSeconds": step["recommendedPollAfterSeconds"],
        "pollRecommended": step["pollRecommended"],
    }
    if workflow is not None:
        result["workflowId"] = workflow.row_id
        result["workflowPhase"] = workflow.status
    if row.thread_id is not None:
        result["threadId"] = row.thread_id
    if row.turn_id is not None:
        result["turnId"] = row.turn_id
    if command_id is not None:
        result["commandId"] = command_id
    return result


def _next_step_of(moment: Moment, workflow: AnyWorkflow) -> Next:
    if isinstance(workflow, review_workflow.ReviewWorkflow):
        return next_step_of_review(moment, workflow)
    return next_step_of(moment, workflow)
