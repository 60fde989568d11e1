"""What a plan workflow makes of a turn that completed: its plan, something to review, or another plan."""

from typing import Protocol

from codex_control_plane_contract.change import Change
from codex_control_plane_contract.lifecycles import operation, plan_workflow
from codex_control_plane_contract.records import TurnPlanRow


class Plans(Protocol):
    """Reads of what turns planned."""

    def plan_of(self, turn_id: str) -> TurnPlanRow | None:
        """Return what a turn planned, or None."""
        ...


def when_plan_completed(
    row: plan_workflow.PlanWorkflow, followed: operation.Completed, reads: Plans
) -> Change[plan_workflow.PlanReady] | Change[plan_workflow.PlanNeedsReview]:
    """Offer a valid plan; hold whatever else the turn ended with (contract §9: only that can be approved)."""
    assert isinstance(row, plan_workflow.InPlanning), "offer_plan is a transition of these states alone"
    plan = reads.plan_of(followed.turn_id)
    if plan is not None and plan.quality == "valid_plan" and plan.plan_hash is not None:
        return row.offer_plan(
            plan_turn_id=followed.turn_id, plan_hash=plan.plan_hash, plan_quality=plan.quality
        )
    return row.hold_plan(
        plan_turn_id=followed.turn_id,
        plan_hash=plan.plan_hash if plan else None,
        plan_quality=plan.quality if plan else "unknown",
    )


def when_discussion_completed(
    row: plan_workflow.PlanWorkflow, followed: operation.Completed, reads: Plans
) -> Change[plan_workflow.PlanCandidateFound] | None:
    """Find a candidate in a valid plan that is another one than the plan that counts."""
    assert isinstance(row, plan_workflow.Planned), "find_candidate is a transition of these states alone"
    plan = reads.plan_of(followed.turn_id)
    if plan is None or plan.quality != "valid_plan" or plan.plan_hash == row.plan_hash:
        return None
    return row.find_candidate(candidate_turn_id=followed.turn_id)
