"""What became of a thread after the turn whose plan counts, from what the worker has stored (contract §9)."""

from typing import Final

from codex_control_plane_contract.lifecycles import operation, plan_workflow
from codex_control_plane_contract.records import TurnPlanRow
from codex_control_plane_contract.types import CandidateReport, WorkflowObservation
from codex_control_plane_mcp.handlers.plan_view import summarise_plan
from codex_control_plane_mcp.store.reading import Reader

SHOWN: Final = 5
"""How many candidates are shown (spec/types/workflow.yaml)."""


def open_candidates(reader: Reader, workflow: plan_workflow.PlanWorkflow) -> list[TurnPlanRow]:
    """Return the later valid plans of the thread, the newest of each turn, in order.

    Later is what was seen after the plan that counts and after the last adoption, which decides on all.
    """
    if not isinstance(workflow, plan_workflow.Planned):
        return []
    official = reader.plan_of(workflow.plan_turn_id)
    candidates = reader.latest_plans_of_thread(_thread_id(reader, workflow), limit=SHOWN)
    return [
        plan
        for plan in candidates
        if plan.quality == "valid_plan"
        and plan.plan_hash != workflow.plan_hash
        and (official is None or plan.sequence > official.sequence)
        and (workflow.adopted_at is None or plan.seen_at > workflow.adopted_at)
    ]


def went_on(reader: Reader, workflow: plan_workflow.PlanWorkflow) -> bool:
    """Return whether another turn came after the one whose plan counts, and before the execution."""
    latest = reader.latest_turn_of_thread(
        _thread_id(reader, workflow), besides=workflow.execution_operation_id
    )
    return latest is not None and latest != workflow.plan_turn_id


def observe(reader: Reader, workflow: plan_workflow.PlanWorkflow) -> WorkflowObservation | None:
    """Return how the thread went on; None as long as there is no turn whose plan counts."""
    if workflow.plan_turn_id is None or workflow.plan_quality is None:
        return None
    thread_id = _thread_id(reader, workflow)
    candidates = open_candidates(reader, workflow)
    observation: WorkflowObservation = {
        "officialPlanTurnId": workflow.plan_turn_id,
        "officialPlanQuality": workflow.plan_quality,
        "threadAdvancedAfterOfficialTurn": went_on(reader, workflow),
        "recoverableCandidateFound": bool(candidates),
        "candidatePlans": [summarise_plan(plan) for plan in candidates],
        "candidateReports": _reports(reader, workflow, {plan.turn_id for plan in candidates}),
        "importStatus": "candidate_available" if candidates else "adopted" if workflow.adopted_at else "none",
    }
    latest = reader.latest_turn_of_thread(thread_id, besides=None)
    if latest is not None:
        observation["latestThreadTurnId"] = latest
    execution_id = workflow.execution_operation_id
    execution = reader.operation(execution_id) if execution_id is not None else None
    if execution is not None and execution.turn_id is not None:
        observation["expectedExecutionTurnId"] = execution.turn_id
    return observation


def _reports(reader: Reader, workflow: plan_workflow.PlanWorkflow, shown: set[str]) -> list[CandidateReport]:
    """Return what the later turns of our own said that brought no candidate."""
    reports: list[CandidateReport] = []
    for task in reader.operations_of_workflow(workflow.plan_workflow_id):
        if task.workflow_role != "discussion" or not isinstance(task, operation.Completed):
            continue
        carried = reader.turn(task.turn_id)
        if carried is not None and carried.final_message and task.turn_id not in shown:
            reports.append(
                {
                    "turnId": task.turn_id,
                    "operationId": task.operation_id,
                    "originalChars": len(carried.final_message),
                }
            )
    return reports[-SHOWN:]


def _thread_id(reader: Reader, workflow: plan_workflow.PlanWorkflow) -> str:
    planner = reader.operation(workflow.plan_operation_id)
    assert planner is not None, "the schema keeps the task of a workflow"
    return planner.thread_id or ""
