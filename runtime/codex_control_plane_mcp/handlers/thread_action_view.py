"""Actions on threads as clients see them (contract §3 Threads, §11)."""

from collections.abc import Sequence
from typing import cast

from codex_control_plane_contract.lifecycles import thread_action
from codex_control_plane_contract.records import JournalRow
from codex_control_plane_contract.types import Next, ThreadAction
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.handlers.operation_view import redacted
from codex_control_plane_mcp.handlers.times import timestamp


def present_action(row: thread_action.ThreadAction, journal: Sequence[JournalRow] | None) -> ThreadAction:
    """Return an action, with its changes if the journal is given."""
    step = next_step_of(row)
    view: ThreadAction = {
        "actionId": row.thread_action_id,
        "kind": row.kind,
        "threadId": row.thread_id,
        "status": row.status,
        "createdAt": timestamp(row.created_at),
        "nextRecommendedAction": step["nextRecommendedAction"],
        "recommendedPollAfterSeconds": step["recommendedPollAfterSeconds"],
        "pollRecommended": step["pollRecommended"],
    }
    if row.turn_id is not None:
        view["turnId"] = row.turn_id
    if row.started_at is not None:
        view["startedAt"] = timestamp(row.started_at)
    if row.completed_at is not None:
        view["completedAt"] = timestamp(row.completed_at)
    if row.terminal_evidence is not None:
        view["terminalEvidence"] = row.terminal_evidence
    if row.last_error is not None:
        view["lastError"] = cast("JsonObject", redacted(row.last_error))
    if journal is not None:
        view["events"] = [
            {"event": each.event, "status": each.target, "at": timestamp(each.at)} for each in journal
        ]
    return view


def next_step_of(row: thread_action.ThreadAction) -> Next:
    """Return what to do next about an action, and when to look again."""
    return {
        "nextRecommendedAction": row.facts.next_action,
        "recommendedPollAfterSeconds": row.facts.poll_after_seconds,
        "pollRecommended": row.facts.poll_after_seconds > 0,
    }
