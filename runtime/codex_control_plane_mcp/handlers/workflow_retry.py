"""`retry_workflow_with_runtime_policy`: an ended plan workflow is begun anew (contract §9, §14).

The new workflow is the request of the old one with another sandbox or approval policy, under every check that
a new request meets. It plans again: what the old one has changed is part of what it finds (decision 0095).
"""

from dataclasses import dataclass, replace
from typing import Self, TypeAlias, cast

from codex_control_plane_contract.arguments import RepairIssueArguments, StartPlanWorkflowArguments
from codex_control_plane_contract.errors import IdempotencyConflict, InvalidArgument
from codex_control_plane_contract.lifecycles import goal, operation, plan_workflow
from codex_control_plane_contract.settings import Settings
from codex_control_plane_contract.types import RepairRun
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.handlers.admission import Submission, prepare, refuse_active_duplicate
from codex_control_plane_mcp.handlers.context import Context
from codex_control_plane_mcp.handlers.known_workflows import any_workflow
from codex_control_plane_mcp.handlers.loop_guard import Budget
from codex_control_plane_mcp.handlers.moment import Moment, look
from codex_control_plane_mcp.handlers.plan_request import PlanRequest
from codex_control_plane_mcp.handlers.plan_workflows import (
    Place,
    acknowledge_workflow,
    begin,
    known_plan_workflow,
)
from codex_control_plane_mcp.handlers.task_request import refuse_unstorable
from codex_control_plane_mcp.store.reading import Reader

_Unfinished: TypeAlias = (
    plan_workflow.Failed | plan_workflow.Stopped | plan_workflow.OrphanedAfterAppServerExit
)


@dataclass(frozen=True, slots=True)
class _Retry:
    """A workflow that ended unfinished, the request that takes its place, and what has taken it already."""

    row: _Unfinished
    planner: operation.Operation
    request: PlanRequest
    successor: plan_workflow.PlanWorkflow | None
    budget: Budget

    @classmethod
    def of(cls, reader: Reader, now: int, settings: Settings, arguments: RepairIssueArguments) -> Self:
        """Return how a retry stands now.

        Raises INVALID_ARGUMENT, CODEX_WORKFLOW_NOT_FOUND, and IDEMPOTENCY_CONFLICT for a workflow that was
        begun anew with another policy, or a key that names another workflow.
        """
        row = _unfinished(reader, arguments.workflow_id)
        planner = reader.operation(row.plan_operation_id)
        assert planner is not None, "the schema keeps the tasks of a workflow"
        kept = reader.goal_of_workflow(row.plan_workflow_id)
        request = PlanRequest.of(_asked_again(row, planner, kept, arguments), settings)
        successor = _successor(reader, row, request)
        first = row.retry_of_workflow_id or row.plan_workflow_id
        return cls(row, planner, request, successor, Budget.of(reader, now, arguments.action, first))

    @property
    def before(self) -> JsonObject:
        """The workflow as it ended."""
        return {
            "workflowId": self.row.plan_workflow_id,
            "phase": self.row.status,
            "sandbox": self.row.requested_sandbox,
            "approvalPolicy": self.planner.approval_policy,
        }

    @property
    def after(self) -> JsonObject:
        """The workflow that takes its place, or would."""
        named: JsonObject = {"workflowId": self.successor.plan_workflow_id} if self.successor else {}
        return {
            **named,
            "phase": self.successor.status if self.successor else "planning",
            "sandbox": self.request.sandbox,
            "approvalPolicy": self.request.task.approval_policy,
        }

    @property
    def remaining_issues(self) -> list[str]:
        """What is wrong as long as nothing has taken its place."""
        if self.successor is not None:
            return []
        return [
            f"Workflow {self.row.plan_workflow_id} is {self.row.status}, and nothing has taken its place."
        ]


def retry_workflow(context: Context, arguments: RepairIssueArguments) -> RepairRun:
    """Begin a workflow anew, or with `dry_run` say what would be begun; twice, it is the same new workflow.

    Raises INVALID_ARGUMENT, also where the budget is spent, CODEX_WORKFLOW_NOT_FOUND, IDEMPOTENCY_CONFLICT,
    CODEX_PROJECT_NOT_FOUND and CODEX_DUPLICATE_PROMPT_ACTIVE. A dry run raises what the repair would meet,
    but for a spent budget, which it shows.
    """
    refuse_unstorable({"reason": arguments.reason})
    with look(context) as moment:
        retry = _Retry.of(moment.reader, moment.now, moment.settings, arguments)
    run_id = None
    if retry.successor is None:
        submission = prepare(context, retry.request.task)
        if arguments.dry_run:
            with look(context) as moment:
                refuse_active_duplicate(moment.reader, submission)
        else:
            run_id = _store(context, arguments, submission)
    with look(context) as moment:
        return _present(moment, arguments, run_id)


def _store(context: Context, arguments: RepairIssueArguments, submission: Submission) -> str | None:
    """Store the new workflow; return the id of the repair, or None where another call was faster."""
    with context.store.transaction(context.actor_id) as (transaction, reader):
        retry = _Retry.of(reader, transaction.now, context.settings, arguments)
        if retry.successor is not None:
            return None
        budget = retry.budget
        budget.refuse_if_spent()
        place = Place(retry.row.plan_workflow_id, budget.scope_id, arguments.reason)
        begin(transaction, reader, retry.request, submission, context.settings, place=place)
        return transaction.add_repair_run(budget.action, budget.scope_id, arguments.reason)


def _present(moment: Moment, arguments: RepairIssueArguments, run_id: str | None) -> RepairRun:
    retry = _Retry.of(moment.reader, moment.now, moment.settings, arguments)
    run: RepairRun = {
        "action": arguments.action,
        "dryRun": arguments.dry_run,
        "changed": run_id is not None,
        "before": retry.before,
        "after": retry.after,
        "remainingIssues": retry.remaining_issues,
        "loopGuard": retry.budget.present(),
    }
    if run_id is not None:
        run["repairRunId"] = run_id
    if retry.successor is not None:
        result = acknowledge_workflow(moment, retry.successor, idempotent=run_id is None)
        run["result"] = cast("JsonObject", result)
    if retry.request.warnings:
        run["warnings"] = [*retry.request.warnings]
    return run


def _unfinished(reader: Reader, workflow_id: str | None) -> _Unfinished:
    """Return the workflow, which has ended without being carried out.

    Raises INVALID_ARGUMENT and CODEX_WORKFLOW_NOT_FOUND.
    """
    if workflow_id is None:
        raise InvalidArgument("retry_workflow_with_runtime_policy needs workflow_id.", path="workflow_id")
    row = any_workflow(reader, workflow_id)
    if isinstance(row, _Unfinished):
        return row
    if not isinstance(row, plan_workflow.PlanWorkflow):
        raise InvalidArgument(
            "This workflow is a code review; begin another with codex_start_review_workflow.",
            path="workflow_id",
            phase=row.status,
        )
    if isinstance(row, plan_workflow.Completed):
        raise InvalidArgument(
            "This workflow is completed; for more work start another one, or send a message on its thread.",
            path="workflow_id",
            phase=row.status,
        )
    raise InvalidArgument(
        f"This workflow is {row.status}. Only one that has ended is begun anew; stop it with "
        "codex_interrupt_turn and its workflow_id.",
        path="workflow_id",
        phase=row.status,
    )


def _asked_again(
    row: _Unfinished, planner: operation.Operation, kept: goal.Goal | None, arguments: RepairIssueArguments
) -> StartPlanWorkflowArguments:
    """Return the request that the workflow was started with, under the policy that is asked for now."""
    policy = arguments.approval_policy or planner.approval_policy
    assert policy != "respect_existing", "a new thread has no policy to respect"
    asked = StartPlanWorkflowArguments(
        project_id=row.project_id,
        message=planner.message,
        title=planner.title,
        cwd=planner.cwd,
        model=planner.model,
        effort=planner.effort,
        sandbox=arguments.sandbox or row.requested_sandbox,
        approval_policy=policy,
        client_request_id=arguments.client_request_id,
        agent_id=planner.agent_id or None,
        resource_keys=[str(key) for key in planner.resource_keys] or None,
        priority=planner.priority,
        timeout_seconds=planner.timeout_seconds,
        recovery_policy=planner.recovery_policy,
        max_continuations=planner.max_continuations,
    )
    if kept is None:
        return asked
    return replace(
        asked,
        goal=kept.objective,
        goal_token_budget=kept.token_budget,
        goal_completion_action=kept.completion_action,
        goal_completion_objective=kept.completion_objective,
    )


def _successor(reader: Reader, row: _Unfinished, request: PlanRequest) -> plan_workflow.PlanWorkflow | None:
    """Return the workflow that has taken the place of another, or None. Raises IDEMPOTENCY_CONFLICT."""
    successor = reader.successor_of_plan_workflow(row.plan_workflow_id)
    named = known_plan_workflow(reader, request)
    if named is not None and named != successor:
        raise IdempotencyConflict(
            f"This client_request_id names another workflow, {named.plan_workflow_id}. Use a new one.",
            workflowId=named.plan_workflow_id,
        )
    if successor is not None and successor.payload_hash != request.payload_hash:
        raise IdempotencyConflict(
            f"{row.plan_workflow_id} was begun anew as {successor.plan_workflow_id}, with another policy. "
            "Go on with that one; when it has ended, it can be retried in turn.",
            workflowId=successor.plan_workflow_id,
        )
    return successor
