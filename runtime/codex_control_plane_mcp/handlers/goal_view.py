"""The goal of a workflow as clients see it (contract §4 threadGoal)."""

from codex_control_plane_contract.lifecycles import goal
from codex_control_plane_contract.types import ThreadGoal
from codex_control_plane_contract.values import JsonValue
from codex_control_plane_mcp.handlers.excerpts import excerpt
from codex_control_plane_mcp.handlers.moment import Moment
from codex_control_plane_mcp.handlers.operation_view import redacted
from codex_control_plane_mcp.handlers.times import timestamp


def present_goal(moment: Moment, workflow_id: str, limit: int) -> ThreadGoal:
    """Return the goal of a workflow, its texts cut off at ``limit`` characters."""
    row = moment.reader.goal_of_workflow(workflow_id)
    if row is None:
        return {"configured": False, "managed": False, "syncState": "not_configured"}
    view: ThreadGoal = {
        "configured": True,
        "managed": isinstance(row, goal.Open),
        "syncState": "error" if row.state == "given_up" else row.state,
        "completionAction": row.completion_action,
        "desiredObjective": excerpt(row.objective, limit).text,
        "liveRefreshPerformed": False,
    }
    if row.token_budget is not None:
        view["tokenBudget"] = row.token_budget
    if row.shown is not None:
        view["currentGoal"] = {name: _shown(value, limit) for name, value in row.shown.items()}
    if row.synced_at is not None:
        view["lastSyncedAt"] = timestamp(row.synced_at)
    if isinstance(row, goal.Cleared):
        view["clearedAt"] = timestamp(row.ended_at)
    if row.last_error is not None:
        view["lastError"] = redacted(row.last_error)
    if isinstance(row, goal.Unsupported) or row.thread_id is not None:
        view["available"] = not isinstance(row, goal.Unsupported)
    return view


def _shown(value: JsonValue, limit: int) -> JsonValue:
    return excerpt(value, limit).text if isinstance(value, str) else value
