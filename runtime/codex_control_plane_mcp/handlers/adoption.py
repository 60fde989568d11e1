"""`codex_adopt_workflow_plan`: a later plan on the thread becomes the one that counts (contract §9)."""

from codex_control_plane_contract.arguments import AdoptWorkflowPlanArguments
from codex_control_plane_contract.errors import CodexTurnNotFound, InvalidArgument
from codex_control_plane_contract.lifecycles import plan_workflow
from codex_control_plane_contract.records import TurnPlanRow
from codex_control_plane_contract.types import WorkflowAcknowledgement
from codex_control_plane_mcp.handlers.approval import known_workflow
from codex_control_plane_mcp.handlers.context import Context
from codex_control_plane_mcp.handlers.moment import look
from codex_control_plane_mcp.handlers.plan_observation import open_candidates
from codex_control_plane_mcp.handlers.plan_workflows import acknowledge_workflow
from codex_control_plane_mcp.handlers.waiting import on_thread
from codex_control_plane_mcp.store.reading import Reader
from codex_control_plane_mcp.store.transaction import Transaction


async def adopt_workflow_plan(
    context: Context, arguments: AdoptWorkflowPlanArguments
) -> WorkflowAcknowledgement:
    """Make a plan of the workflow's thread the one that counts; one that does already is left as it is.

    Raises INVALID_ARGUMENT for a plan that cannot be approved, has another hash or comes too late,
    CODEX_WORKFLOW_NOT_FOUND and CODEX_TURN_NOT_FOUND.
    """
    return await on_thread(lambda: _adopt(context, arguments))


def _adopt(context: Context, arguments: AdoptWorkflowPlanArguments) -> WorkflowAcknowledgement:
    with context.store.transaction(context.actor_id) as (transaction, reader):
        workflow = known_workflow(reader, arguments.workflow_id)
        plan = _named_plan(reader, workflow, arguments)
        counts = _counts_already(reader, workflow, plan)
        row = workflow if counts else _make_it_count(transaction, workflow, plan, arguments.adoption_note)
    with look(context) as moment:
        return acknowledge_workflow(moment, row, idempotent=counts)


def _counts_already(reader: Reader, workflow: plan_workflow.PlanWorkflow, plan: TurnPlanRow) -> bool:
    same = (workflow.plan_turn_id, workflow.plan_hash) == (plan.turn_id, plan.plan_hash)
    waiting = isinstance(workflow, plan_workflow.PlanReady) and not open_candidates(reader, workflow)
    return same and (waiting or workflow.approved_at is not None)


def _make_it_count(
    transaction: Transaction, workflow: plan_workflow.PlanWorkflow, plan: TurnPlanRow, note: str | None
) -> plan_workflow.PlanReady:
    if not isinstance(workflow, plan_workflow.Planned):
        raise InvalidArgument(
            f"This workflow is {workflow.status}; a plan is adopted after the plan turn and before approval.",
            path="workflow_id",
            phase=workflow.status,
        )
    if plan.quality != "valid_plan":
        raise InvalidArgument(
            f"That plan is a {plan.quality}; only a valid_plan can be adopted.",
            path="candidate_turn_id",
            planQuality=plan.quality,
        )
    return transaction.apply(
        workflow.adopt(
            plan_turn_id=plan.turn_id,
            plan_hash=plan.plan_hash,
            plan_quality=plan.quality,
            adoption_note=note,
        )
    )


def _named_plan(
    reader: Reader, workflow: plan_workflow.PlanWorkflow, arguments: AdoptWorkflowPlanArguments
) -> TurnPlanRow:
    plan = reader.plan_of(arguments.candidate_turn_id)
    planner = reader.operation(workflow.plan_operation_id)
    if plan is None or planner is None or plan.thread_id != planner.thread_id:
        raise CodexTurnNotFound(
            "No plan of such a turn is known on the thread of this workflow. Take one of candidatePlans.",
            turnId=arguments.candidate_turn_id,
        )
    if plan.plan_hash != arguments.candidate_plan_hash:
        raise InvalidArgument(
            "The plan of that turn has another hash. Read it again with codex_get_turn_status.",
            path="candidate_plan_hash",
            allowed=[plan.plan_hash],
        )
    return plan
