"""`codex_get_turn_status`: one turn that carries, or carried, a task (contract §3, §4 Turn)."""

from codex_control_plane_contract.arguments import GetTurnStatusArguments
from codex_control_plane_contract.errors import CodexTurnNotFound
from codex_control_plane_contract.lifecycles import interaction, turn
from codex_control_plane_contract.types import Turn
from codex_control_plane_mcp.handlers.context import Context
from codex_control_plane_mcp.handlers.excerpts import excerpt
from codex_control_plane_mcp.handlers.interaction_view import summarise_interaction
from codex_control_plane_mcp.handlers.moment import Moment, look
from codex_control_plane_mcp.handlers.operation_view import redacted
from codex_control_plane_mcp.handlers.plan_view import LISTED_PLANS, present_plan, summarise_plan
from codex_control_plane_mcp.handlers.progress_view import present_event
from codex_control_plane_mcp.handlers.times import timestamp
from codex_control_plane_mcp.handlers.turn_view import present_evidence, present_message, present_usage
from codex_control_plane_mcp.handlers.waiting import on_thread


async def get_turn_status(context: Context, arguments: GetTurnStatusArguments) -> Turn:
    """Return a turn as it stands. Raises CODEX_TURN_NOT_FOUND for one that carried no task of this store."""
    return await on_thread(lambda: _present(context, arguments))


def _present(context: Context, arguments: GetTurnStatusArguments) -> Turn:
    with look(context) as moment:
        row = moment.reader.turn(arguments.turn_id)
        if row is None or arguments.thread_id not in (None, row.thread_id):
            raise CodexTurnNotFound(
                "No such turn on record. Take threadId and turnId from codex_get_operation_status.",
                threadId=arguments.thread_id,
                turnId=arguments.turn_id,
            )
        view = _standing(row)
        _add_end(view, row, arguments)
        _add_plans(view, moment, row, arguments)
        _add_words(view, moment, row, arguments)
    return view


def _standing(row: turn.Turn) -> Turn:
    return {
        "threadId": row.thread_id,
        "turnId": row.turn_id,
        "operationId": row.operation_id,
        "status": row.status,
        "completionObserved": row.facts.terminal,
        "startedAt": timestamp(row.created_at),
        "updatedAt": timestamp(row.latest_progress_at or row.updated_at),
        "nextRecommendedAction": row.facts.next_action,
        "recommendedPollAfterSeconds": row.facts.poll_after_seconds,
        "pollRecommended": row.facts.poll_after_seconds > 0,
    }


def _add_end(view: Turn, row: turn.Turn, arguments: GetTurnStatusArguments) -> None:
    if row.last_error is not None:
        view["lastError"] = redacted(row.last_error)
    if (usage := present_usage(row)) is not None:
        view["tokenUsage"] = usage
    if not isinstance(row, turn.Ended):
        return
    view["terminalEvidence"] = present_evidence(row)
    view["completedAt"] = timestamp(row.completed_at)
    if row.final_message is not None:
        view["finalMessage"] = excerpt(row.final_message, arguments.message_max_chars).text


def _add_plans(view: Turn, moment: Moment, row: turn.Turn, arguments: GetTurnStatusArguments) -> None:
    if plans := moment.reader.plans_of_turn(row.turn_id, limit=LISTED_PLANS):
        view["plans"] = [summarise_plan(each) for each in plans]
        view["latestPlan"] = present_plan(plans[-1], arguments.message_max_chars)


def _add_words(view: Turn, moment: Moment, row: turn.Turn, arguments: GetTurnStatusArguments) -> None:
    """Add what Codex said, did and asks in the turn; the last message of one that ended is `finalMessage`."""
    messages = moment.reader.messages_of_turn(row.turn_id, limit=arguments.last_messages)
    if isinstance(row, turn.Active) and messages:
        view["latestMessages"] = [
            present_message(each.at, each.text, arguments.message_max_chars) for each in messages
        ]
    if events := moment.reader.progress_of_turn(row.turn_id, limit=arguments.progress_events):
        view["progressEvents"] = [present_event(each, arguments.progress_max_chars) for each in events]
    questions = [
        each for each in moment.reader.open_interactions(row.turn_id) if isinstance(each, interaction.Pending)
    ]
    if questions:
        view["pendingInteractions"] = [summarise_interaction(each) for each in questions]
