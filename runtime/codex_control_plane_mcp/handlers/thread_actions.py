"""The tools that act on a thread as a whole: archive, put back, compact (contract §3 Threads, §11)."""

from codex_control_plane_contract.arguments import (
    ArchiveThreadArguments,
    GetThreadCompactionStatusArguments,
    StartThreadCompactionArguments,
    UnarchiveThreadArguments,
)
from codex_control_plane_contract.errors import (
    ERRORS,
    CodexBusy,
    CodexProjectNotFound,
    CodexTimeout,
    InvalidArgument,
)
from codex_control_plane_contract.lifecycles import interaction, plan_workflow, thread_action
from codex_control_plane_contract.types import CompactionStarted, ThreadAction, ThreadChanged
from codex_control_plane_mcp.handlers.context import Context
from codex_control_plane_mcp.handlers.moment import look
from codex_control_plane_mcp.handlers.thread_action_view import next_step_of, present_action
from codex_control_plane_mcp.handlers.waiting import first_found, on_thread
from codex_control_plane_mcp.store.identifiers import new_id
from codex_control_plane_mcp.store.reading import Reader


async def archive_thread(context: Context, arguments: ArchiveThreadArguments) -> ThreadChanged:
    """Archive a thread and return once Codex shows that it is.

    Raises CODEX_BUSY while a task is on the thread or waits for it, what Codex says against it, and
    CODEX_TIMEOUT after `timeout_seconds`, while the work goes on.
    """
    row = await _ask(context, "archive", arguments)
    return _changed(row, arguments.timeout_seconds)


async def unarchive_thread(context: Context, arguments: UnarchiveThreadArguments) -> ThreadChanged:
    """Put an archived thread back and return once Codex shows that it is. Raises as `archive_thread`."""
    row = await _ask(context, "unarchive", arguments)
    return _changed(row, arguments.timeout_seconds)


async def start_thread_compaction(
    context: Context, arguments: StartThreadCompactionArguments
) -> CompactionStarted:
    """Ask for a compaction; return once Codex is at it or it has ended, at the latest after the timeout.

    Raises CODEX_BUSY while a task is on the thread, and what Codex says against it.
    """
    row = await _ask(context, "compaction", arguments)
    _raise_fault(row)
    return {
        "actionId": row.thread_action_id,
        "threadId": row.thread_id,
        "status": row.status,
        **next_step_of(row),
    }


async def get_thread_compaction_status(
    context: Context, arguments: GetThreadCompactionStatusArguments
) -> ThreadAction:
    """Return an action on a thread, of whatever kind; with `wait_seconds` once it has ended.

    Raises INVALID_ARGUMENT for an `action_id` that is not on record.
    """
    if arguments.wait_seconds:
        with context.store.bells.listen() as listener:
            await first_found(lambda: _ended(context, arguments.action_id), listener, arguments.wait_seconds)
    return await on_thread(lambda: _present(context, arguments))


async def _ask(
    context: Context,
    kind: thread_action.Kind,
    arguments: ArchiveThreadArguments | UnarchiveThreadArguments | StartThreadCompactionArguments,
) -> thread_action.ThreadAction:
    """Store the wish and return the action: as soon as it has got somewhere, or after the timeout."""
    with context.store.bells.listen() as listener:
        row = await on_thread(lambda: _request(context, kind, arguments.thread_id, arguments.project_id))
        context.summon()
        find = _ended if kind != "compaction" else _begun
        await first_found(lambda: find(context, row.thread_action_id), listener, arguments.timeout_seconds)
    return await on_thread(lambda: _read(context, row.thread_action_id))


def _request(
    context: Context, kind: thread_action.Kind, thread_id: str, project_id: str | None
) -> thread_action.ThreadAction:
    """Store an action; asking twice is asking once. Raises CODEX_BUSY and CODEX_PROJECT_NOT_FOUND."""
    with context.store.transaction(context.actor_id) as (transaction, reader):
        if project_id is not None:
            _refuse_stranger(reader, thread_id, project_id)
        known = reader.open_thread_action(thread_id)
        if known is not None and known.kind == kind:
            return known
        _refuse_busy(reader, thread_id, known)
        if kind == "archive":
            _refuse_awaited(reader, thread_id)
        return transaction.apply(
            thread_action.request(
                thread_action_id=new_id(thread_action.ID_PREFIX, transaction.now),
                kind=kind,
                thread_id=thread_id,
            )
        )


def _refuse_stranger(reader: Reader, thread_id: str, project_id: str) -> None:
    """Refuse a thread that is known in another project; of one that is not known nothing can be said."""
    latest = reader.latest_operation_of_thread(thread_id)
    if latest is not None and latest.project_id != project_id.lower():
        raise CodexProjectNotFound(
            "The thread belongs to another project. Leave project_id out, or give that one.",
            projectId=latest.project_id,
            threadId=thread_id,
        )


def _refuse_busy(reader: Reader, thread_id: str, other: thread_action.Open | None) -> None:
    """Refuse a thread at work: the action would end its turn, and every question of it (contract §11)."""
    if other is not None:
        raise CodexBusy(
            f"Another action is under way on this thread: {other.kind}, {other.thread_action_id}.",
            threadId=thread_id,
            actionId=other.thread_action_id,
            reason="thread_action",
        )
    operation_id = reader.thread_in_use(thread_id)
    if operation_id is None:
        return
    states = [state for state, facts in interaction.FACTS.items() if not facts.terminal]
    asks = reader.interactions(states=states, thread_id=thread_id, limit=1)
    what = "a question that waits for an answer" if asks else "an active turn"
    raise CodexBusy(
        f"The thread has {what}, which this would end. Wait for operation {operation_id}, or stop it.",
        threadId=thread_id,
        operationId=operation_id,
        reason="pending_interaction" if asks else "active_turn",
    )


def _refuse_awaited(reader: Reader, thread_id: str) -> None:
    """Refuse a thread that a task or a plan is to go on in."""
    operation_id = reader.waiting_for_thread(thread_id)
    if operation_id is not None:
        raise CodexBusy(
            f"Operation {operation_id} waits for this thread and would fail. Stop it first.",
            threadId=thread_id,
            operationId=operation_id,
            reason="queued_task",
        )
    workflow = reader.plan_workflow_of_thread(thread_id)
    if isinstance(workflow, plan_workflow.Planned):
        raise CodexBusy(
            f"Workflow {workflow.plan_workflow_id} is {workflow.status}, and its plan is to be carried out "
            "on this thread. Approve it, or stop it with codex_interrupt_turn and its workflow_id.",
            threadId=thread_id,
            workflowId=workflow.plan_workflow_id,
            reason="plan_workflow",
        )


def _changed(row: thread_action.ThreadAction, waited_seconds: int) -> ThreadChanged:
    """Return a thread that is archived, or no longer; raise whatever else became of the action."""
    if isinstance(row, thread_action.Completed):
        return {
            "actionId": row.thread_action_id,
            "threadId": row.thread_id,
            "status": row.status,
            "terminalEvidence": row.terminal_evidence,
        }
    _raise_fault(row)
    raise CodexTimeout(
        f"Not done within {waited_seconds} s; it goes on. Poll codex_get_thread_compaction_status.",
        actionId=row.thread_action_id,
        threadId=row.thread_id,
        status=row.status,
    )


def _raise_fault(row: thread_action.ThreadAction) -> None:
    """Raise what an action failed with; nothing for one that goes on or has done its work."""
    if row.last_error is not None:
        error = row.last_error
        raise ERRORS[error["code"]](
            error["message"], **{**error["details"], "actionId": row.thread_action_id}
        )


def _known(reader: Reader, action_id: str) -> thread_action.ThreadAction:
    row = reader.thread_action(action_id)
    if row is None:
        raise InvalidArgument(
            "No such thread action on record. Use the actionId that the tool returned.", path="action_id"
        )
    return row


def _read(context: Context, action_id: str) -> thread_action.ThreadAction:
    with context.store.read() as reader:
        return _known(reader, action_id)


def _ended(context: Context, action_id: str) -> thread_action.ThreadAction | None:
    row = _read(context, action_id)
    return row if row.facts.terminal else None


def _begun(context: Context, action_id: str) -> thread_action.ThreadAction | None:
    row = _read(context, action_id)
    return None if isinstance(row, thread_action.Starting) else row


def _present(context: Context, arguments: GetThreadCompactionStatusArguments) -> ThreadAction:
    with look(context) as moment:
        row = _known(moment.reader, arguments.action_id)
        journal = (
            moment.reader.journal_of("thread_action", row.thread_action_id)
            if arguments.include_events
            else None
        )
    return present_action(row, journal)
