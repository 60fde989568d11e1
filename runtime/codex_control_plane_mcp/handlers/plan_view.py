"""Plans as clients see them: what they are known by, and their text once (contract §4 Turn, Workflow)."""

from typing import Final

from codex_control_plane_contract.records import TurnPlanRow
from codex_control_plane_contract.types import Plan
from codex_control_plane_mcp.handlers.excerpts import excerpt
from codex_control_plane_mcp.handlers.times import timestamp

LISTED_PLANS: Final = 5
"""How many plans of a turn are listed (spec/tools/codex_get_turn_status)."""


def summarise_plan(row: TurnPlanRow) -> Plan:
    """Return a plan without its text."""
    return {
        "turnId": row.turn_id,
        "planHash": row.plan_hash,
        "planQuality": row.quality,
        "quality": row.quality,
        "valid": row.quality == "valid_plan",
        "source": row.source,
        "seenAt": timestamp(row.seen_at),
        "originalChars": len(row.markdown),
    }


def present_plan(row: TurnPlanRow, limit: int) -> Plan:
    """Return a plan with its text, cut off at ``limit`` characters."""
    shown = excerpt(row.markdown, limit)
    plan: Plan = {**summarise_plan(row), "markdown": shown.text}
    if shown.truncated:
        plan["truncated"] = True
    return plan
