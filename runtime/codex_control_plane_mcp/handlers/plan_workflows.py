"""`codex_start_plan_workflow`: a workflow and its first task, in one transaction (contract §9)."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from codex_control_plane_contract.arguments import StartPlanWorkflowArguments, SubmitTaskArguments
from codex_control_plane_contract.lifecycles import plan_workflow
from codex_control_plane_contract.settings import Settings
from codex_control_plane_contract.types import WorkflowAcknowledgement
from codex_control_plane_mcp.handlers.admission import Part, Submission, admit, prepare
from codex_control_plane_mcp.handlers.context import Context
from codex_control_plane_mcp.handlers.goal_request import GoalRequest
from codex_control_plane_mcp.handlers.moment import Moment, look
from codex_control_plane_mcp.handlers.request_keys import refuse_other_request
from codex_control_plane_mcp.handlers.task_request import TaskRequest
from codex_control_plane_mcp.handlers.times import timestamp
from codex_control_plane_mcp.handlers.waiting import on_thread
from codex_control_plane_mcp.handlers.workflow_view import next_step_of
from codex_control_plane_mcp.store.identifiers import new_id
from codex_control_plane_mcp.store.reading import Reader
from codex_control_plane_mcp.store.transaction import Transaction

_Sandbox: TypeAlias = Literal["read-only", "workspace-write", "danger-full-access"]

PLAN_SANDBOX: Final = "workspace-write"
"""What a plan turn needs at least: Codex plans with commands that a read-only sandbox does not let run."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a caller wants planned; `sandbox` is what it asked for, or what the settings say."""

    request: TaskRequest
    client_request_id: str | None
    sandbox: _Sandbox
    goal: GoalRequest | None

    @classmethod
    def of(cls, arguments: StartPlanWorkflowArguments, settings: Settings) -> "_Wish":
        """Return the wish. Raises INVALID_ARGUMENT."""
        request = TaskRequest.of(
            SubmitTaskArguments(
                operation_type="start_chat",
                collaboration_mode="plan",
                project_id=arguments.project_id,
                message=arguments.message,
                title=arguments.title,
                cwd=arguments.cwd,
                model=arguments.model,
                effort=arguments.effort,
                sandbox=arguments.sandbox,
                approval_policy=arguments.approval_policy,
                agent_id=arguments.agent_id,
                resource_keys=arguments.resource_keys,
                priority=arguments.priority,
                timeout_seconds=arguments.timeout_seconds,
                recovery_policy=arguments.recovery_policy,
                max_continuations=arguments.max_continuations,
            )
        )
        sandbox = arguments.sandbox or settings.default_sandbox
        return cls(request, arguments.client_request_id, sandbox, GoalRequest.of(arguments))

    @property
    def payload_hash(self) -> str:
        """The SHA-256 that tells whether a key names the same workflow again: the task's, and its goal."""
        if self.goal is None:
            return self.request.payload_hash
        payload = {"task": self.request.payload_hash, "goal": self.goal.as_payload()}
        return hashlib.sha256(json.dumps(payload, sort_keys=True).encode("ascii")).hexdigest()

    @property
    def warnings(self) -> Sequence[str]:
        """What is understood otherwise than it is written."""
        return [*self.request.warnings, *(self.goal.warnings if self.goal else ())]

    @property
    def effective_sandbox(self) -> plan_workflow.EffectiveSandbox:
        """The sandbox of the plan turn: read-only is raised."""
        return PLAN_SANDBOX if self.sandbox == "read-only" else self.sandbox


async def start_plan_workflow(
    context: Context, arguments: StartPlanWorkflowArguments
) -> WorkflowAcknowledgement:
    """Store a workflow with its first task and return at once; a known key names the first workflow.

    Raises INVALID_ARGUMENT, CODEX_PROJECT_NOT_FOUND, CODEX_DUPLICATE_PROMPT_ACTIVE, and IDEMPOTENCY_CONFLICT
    for a known key with another request.
    """
    acknowledgement = await on_thread(lambda: _start(context, arguments))
    context.summon()
    return acknowledgement


def acknowledge_workflow(
    moment: Moment, row: plan_workflow.PlanWorkflow, *, idempotent: bool, warnings: Sequence[str] = ()
) -> WorkflowAcknowledgement:
    """Return how a workflow stands now; `idempotent` says that nothing new was stored."""
    step = next_step_of(moment, row)
    acknowledgement: WorkflowAcknowledgement = {
        "workflowId": row.plan_workflow_id,
        "workflowKind": "plan_then_execute",
        "phase": row.status,
        "status": row.status,
        "projectId": row.project_id,
        "planOperationId": row.plan_operation_id,
        "requestedSandbox": row.requested_sandbox,
        "effectiveSandbox": row.effective_sandbox,
        "runtimePolicyAdjusted": row.requested_sandbox != row.effective_sandbox,
        "idempotent": idempotent,
        "createdAt": timestamp(row.created_at),
        "nextRecommendedAction": step["nextRecommendedAction"],
        "recommendedPollAfterSeconds": step["recommendedPollAfterSeconds"],
        "pollRecommended": step["pollRecommended"],
    }
    if row.client_request_id is not None:
        acknowledgement["clientRequestId"] = row.client_request_id
    if row.plan_turn_id is not None:
        acknowledgement["planTurnId"] = row.plan_turn_id
    if row.plan_hash is not None:
        acknowledgement["planHash"] = row.plan_hash
    if warnings:
        acknowledgement["warnings"] = [*warnings]
    return acknowledgement


def _start(context: Context, arguments: StartPlanWorkflowArguments) -> WorkflowAcknowledgement:
    wish = _Wish.of(arguments, context.settings)
    warnings = wish.warnings
    # A first look, so that a repetition is answered even if its directory is gone by now.
    with look(context) as moment:
        known = _known(moment.reader, wish)
        if known is not None:
            return acknowledge_workflow(moment, known, idempotent=True, warnings=warnings)
    submission = prepare(context, replace(wish.request, sandbox=wish.effective_sandbox))
    with context.store.transaction(context.actor_id) as (transaction, reader):
        known = _known(reader, wish)
        row = known or _begin(transaction, reader, wish, submission, context.settings)
    with look(context) as moment:
        return acknowledge_workflow(moment, row, idempotent=known is not None, warnings=warnings)


def _known(reader: Reader, wish: _Wish) -> plan_workflow.PlanWorkflow | None:
    """Return the workflow that the caller's key names, or None. Raises IDEMPOTENCY_CONFLICT."""
    if wish.client_request_id is None:
        return None
    row = reader.plan_workflow_by_key(wish.client_request_id)
    refuse_other_request(row, wish.payload_hash, "workflow")
    return row


def _begin(
    transaction: Transaction, reader: Reader, wish: _Wish, submission: Submission, settings: Settings
) -> plan_workflow.Planning:
    """Store the task and the workflow, which name each other, and its goal, if it has one."""
    workflow_id = new_id(plan_workflow.ID_PREFIX, transaction.now)
    task = admit(transaction, reader, submission, settings, Part(workflow_id, "plan"))
    workflow = transaction.apply(
        plan_workflow.start(
            plan_workflow_id=workflow_id,
            client_request_id=wish.client_request_id,
            payload_hash=wish.payload_hash,
            project_id=task.project_id,
            plan_operation_id=task.operation_id,
            requested_sandbox=wish.sandbox,
            effective_sandbox=wish.effective_sandbox,
        )
    )
    if wish.goal is not None:
        transaction.apply(wish.goal.configuration(workflow_id, transaction.now))
    return workflow
