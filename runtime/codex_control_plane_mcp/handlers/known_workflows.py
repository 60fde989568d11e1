"""Workflows of any kind, by their ids."""

from typing import TypeAlias

from codex_control_plane_contract.errors import CodexWorkflowNotFound
from codex_control_plane_contract.lifecycles import plan_workflow, review_workflow
from codex_control_plane_mcp.store.reading import Reader

AnyWorkflow: TypeAlias = plan_workflow.PlanWorkflow | review_workflow.ReviewWorkflow
"""What `codex_get_workflow_status` shows and `codex_interrupt_turn` stops."""


def any_workflow(reader: Reader, workflow_id: str) -> AnyWorkflow:
    """Return the workflow. Raises CODEX_WORKFLOW_NOT_FOUND."""
    row = reader.plan_workflow(workflow_id) or reader.review_workflow(workflow_id)
    if row is None:
        raise CodexWorkflowNotFound(
            "No such workflow on record. Use the workflowId that codex_start_plan_workflow or "
            "codex_start_review_workflow returned.",
            workflowId=workflow_id,
        )
    return row


def current_operation_id(row: AnyWorkflow) -> str:
    """Return the task that carries a workflow now: the review, the execution, or before that the plan."""
    if isinstance(row, review_workflow.ReviewWorkflow):
        return row.review_operation_id
    return row.execution_operation_id or row.plan_operation_id
