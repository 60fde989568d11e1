"""`codex_list_pending_interactions` and `codex_answer_pending_interaction` (contract §10)."""

from typing import Final

from codex_control_plane_contract.arguments import (
    AnswerPendingInteractionArguments,
    ListPendingInteractionsArguments,
)
from codex_control_plane_contract.errors import (
    CodexPendingInteractionNotFound,
    CodexPendingInteractionUnavailable,
)
from codex_control_plane_contract.lifecycles import interaction
from codex_control_plane_contract.types import Answered, InteractionList
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp import answers, questions
from codex_control_plane_mcp.handlers.context import Context
from codex_control_plane_mcp.handlers.interaction_view import answer_recorded, present_interaction
from codex_control_plane_mcp.handlers.known_workflows import any_workflow
from codex_control_plane_mcp.handlers.moment import Moment, look
from codex_control_plane_mcp.handlers.next_steps import SOON, next_step
from codex_control_plane_mcp.handlers.status import known_operation
from codex_control_plane_mcp.handlers.times import timestamp
from codex_control_plane_mcp.handlers.waiting import first_found, on_thread
from codex_control_plane_mcp.sealing import sealed
from codex_control_plane_mcp.store.reading import Reader

CONFIRMATION_SECONDS: Final = 10.0
"""How long an answer waits for Codex's word; after it the caller is told that the answer is on its way."""


async def list_pending_interactions(
    context: Context, arguments: ListPendingInteractionsArguments
) -> InteractionList:
    """Return the questions with the status asked for that match every filter, oldest first.

    Raises CODEX_OPERATION_NOT_FOUND for an unknown `operation_id`; an unknown thread or turn has none.
    """
    return await on_thread(lambda: _list(context, arguments))


async def answer_pending_interaction(
    context: Context, arguments: AnswerPendingInteractionArguments
) -> Answered:
    """Store an answer, wait a moment for Codex to confirm it, and return how far it is.

    Raises INVALID_ARGUMENT for an answer that does not fit, CODEX_PENDING_INTERACTION_NOT_FOUND, and
    CODEX_PENDING_INTERACTION_UNAVAILABLE for a question that is answered already, or void.
    """
    interaction_id = arguments.interaction_id
    with context.store.bells.listen() as listener:
        command_id = await on_thread(lambda: _record(context, arguments))
        context.summon()
        await first_found(lambda: _outcome(context, interaction_id), listener, CONFIRMATION_SECONDS)
    return await on_thread(lambda: _present(context, interaction_id, command_id))


def _list(context: Context, arguments: ListPendingInteractionsArguments) -> InteractionList:
    states = [state for state, facts in interaction.FACTS.items() if facts.status == arguments.status]
    with look(context) as moment:
        if arguments.operation_id is not None:
            known_operation(moment.reader, arguments.operation_id)
        if arguments.workflow_id is not None:
            any_workflow(moment.reader, arguments.workflow_id)
        rows = moment.reader.interactions(
            states=states,
            operation_id=arguments.operation_id,
            workflow_id=arguments.workflow_id,
            thread_id=arguments.thread_id,
            turn_id=arguments.turn_id,
            # One more than asked for tells whether there are more.
            limit=arguments.limit + 1,
        )
    shown = [present_interaction(row) for row in rows[: arguments.limit]]
    result: InteractionList = {"interactions": shown, "count": len(shown)}
    if len(rows) > arguments.limit:
        result["truncated"] = True
    return result


def _record(context: Context, arguments: AnswerPendingInteractionArguments) -> str | None:
    """Store the answer; return the id of the command that delivers it."""
    store = context.store
    with store.read() as reader:
        question = _open_question(reader, arguments.interaction_id)
    # Composed outside the transaction: sealing writes a file, and checking an elicitation loads a library.
    response = _compose(question, arguments, context)
    with store.transaction(context.actor_id) as (transaction, reader):
        question = _open_question(reader, arguments.interaction_id)
        transaction.apply(question.answer(response=response))
        command = reader.open_command_of(arguments.interaction_id, "deliver_answer")
    return command.worker_command_id if command is not None else None


def _compose(
    question: interaction.Pending, arguments: AnswerPendingInteractionArguments, context: Context
) -> JsonObject:
    asked = questions.asked_of(question)
    response = answers.compose(asked, arguments)
    return sealed(response, context.store.path.parent) if questions.is_secret(asked) else response


def _known_question(reader: Reader, interaction_id: str) -> interaction.Interaction:
    row = reader.interaction(interaction_id)
    if row is None:
        raise CodexPendingInteractionNotFound(
            "No such interaction on record. Call codex_list_pending_interactions.",
            interactionId=interaction_id,
        )
    return row


def _open_question(reader: Reader, interaction_id: str) -> interaction.Pending:
    row = _known_question(reader, interaction_id)
    if isinstance(row, interaction.Pending):
        return row
    if row.resolved_at is None:
        raise CodexPendingInteractionUnavailable(
            "This question has an answer already, which is on its way to Codex. Poll the operation.",
            status=row.status,
            answeredAt=timestamp(row.updated_at),
            operationId=row.operation_id,
        )
    raise CodexPendingInteractionUnavailable(
        f"This question is closed ({row.status}). {row.reason or 'Codex has taken its answer.'}",
        status=row.status,
        resolvedAt=timestamp(row.resolved_at),
        operationId=row.operation_id,
    )


def _outcome(context: Context, interaction_id: str) -> interaction.Interaction | None:
    """Return the question once it has ended."""
    with context.store.read() as reader:
        row = _known_question(reader, interaction_id)
    return row if row.facts.terminal else None


def _present(context: Context, interaction_id: str, command_id: str | None) -> Answered:
    with look(context) as moment:
        return _answered(moment, _known_question(moment.reader, interaction_id), command_id)


def _answered(moment: Moment, row: interaction.Interaction, command_id: str | None) -> Answered:
    task = known_operation(moment.reader, row.operation_id)
    step = next_step(moment, task) if row.facts.terminal else SOON
    result: Answered = {
        "interactionId": row.interaction_id,
        "operationId": row.operation_id,
        "status": row.status,
        "answerRecorded": answer_recorded(row),
        "operationStatus": task.status,
        "nextRecommendedAction": step["nextRecommendedAction"],
        "recommendedPollAfterSeconds": step["recommendedPollAfterSeconds"],
        "pollRecommended": step["pollRecommended"],
    }
    if command_id is not None:
        result["commandId"] = command_id
    if row.reason is not None:
        result["reason"] = row.reason
    return result
