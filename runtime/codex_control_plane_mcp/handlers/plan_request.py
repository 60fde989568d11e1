"""What is to be planned, checked and in one form (contract §3 codex_start_plan_workflow, §9)."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from codex_control_plane_contract.arguments import StartPlanWorkflowArguments, SubmitTaskArguments
from codex_control_plane_contract.settings import Settings
from codex_control_plane_mcp.handlers.goal_request import GoalRequest
from codex_control_plane_mcp.handlers.task_request import TaskRequest, refuse_unstorable

Sandbox: TypeAlias = Literal["read-only", "workspace-write", "danger-full-access"]


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What a caller wants planned; `sandbox` is what it asked for, or what the settings say."""

    task: TaskRequest
    client_request_id: str | None
    sandbox: Sandbox
    goal: GoalRequest | None

    @classmethod
    def of(cls, arguments: StartPlanWorkflowArguments, settings: Settings) -> "PlanRequest":
        """Return the request. Raises INVALID_ARGUMENT."""
        task = TaskRequest.of(
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
        refuse_unstorable({"client_request_id": arguments.client_request_id})
        sandbox = arguments.sandbox or settings.default_sandbox
        return cls(task, arguments.client_request_id, sandbox, GoalRequest.of(arguments))

    @property
    def payload_hash(self) -> str:
        """The SHA-256 that tells whether a key names the same workflow again: the task's, and its goal."""
        if self.goal is None:
            return self.task.payload_hash
        payload = {"task": self.task.payload_hash, "goal": self.goal.as_payload()}
        return hashlib.sha256(json.dumps(payload, sort_keys=True).encode("ascii")).hexdigest()

    @property
    def warnings(self) -> Sequence[str]:
        """What is understood otherwise than it is written."""
        return [*self.task.warnings, *(self.goal.warnings if self.goal else ())]
