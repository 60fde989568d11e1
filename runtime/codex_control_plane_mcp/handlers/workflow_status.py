"""`codex_get_workflow_status`: a workflow as it stands, or as soon as it changes (contract §4 Workflow)."""

from codex_control_plane_contract.arguments import GetWorkflowStatusArguments
from codex_control_plane_contract.lifecycles import goal, review_workflow
from codex_control_plane_contract.types import Workflow
from codex_control_plane_mcp.handlers.context import Context
from codex_control_plane_mcp.handlers.known_workflows import any_workflow
from codex_control_plane_mcp.handlers.moment import look
from codex_control_plane_mcp.handlers.review_workflow_view import present_review_workflow
from codex_control_plane_mcp.handlers.waiting import first_found, on_thread
from codex_control_plane_mcp.handlers.workflow_view import present_plan_workflow


async def get_workflow_status(context: Context, arguments: GetWorkflowStatusArguments) -> Workflow:
    """Return a workflow; with `wait_seconds` once it, its tasks or their questions change, or the time is up.

    What changed since the result that held `state_cursor` counts too. Nothing depends on this call: the phase
    is stored. Raises CODEX_WORKFLOW_NOT_FOUND.
    """
    if arguments.wait_seconds:
        await _await_change(context, arguments)
    return await on_thread(lambda: _present(context, arguments))


async def _await_change(context: Context, arguments: GetWorkflowStatusArguments) -> None:
    with context.store.bells.listen() as listener:
        standing, _ = await on_thread(lambda: _standing(context, arguments.workflow_id))
        before = standing if arguments.state_cursor is None else arguments.state_cursor

        def change() -> bool | None:
            cursor, ended = _standing(context, arguments.workflow_id)
            return True if ended or cursor > before else None

        await first_found(change, listener, arguments.wait_seconds)


def _standing(context: Context, workflow_id: str) -> tuple[int, bool]:
    """Return the state cursor of a workflow, and whether it has ended, and its goal with it."""
    with context.store.read() as reader:
        row = any_workflow(reader, workflow_id)
        kept = isinstance(reader.goal_of_workflow(workflow_id), goal.Open)
        return reader.workflow_cursor(workflow_id), row.facts.terminal and not kept


def _present(context: Context, arguments: GetWorkflowStatusArguments) -> Workflow:
    with look(context) as moment:
        row = any_workflow(moment.reader, arguments.workflow_id)
        if isinstance(row, review_workflow.ReviewWorkflow):
            return present_review_workflow(moment, row, arguments)
        return present_plan_workflow(moment, row, arguments)
