"""The goal that a workflow is started with (contract §3 codex_start_plan_workflow, §9 Goal)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Self

from codex_control_plane_contract.arguments import StartPlanWorkflowArguments
from codex_control_plane_contract.change import Change
from codex_control_plane_contract.errors import InvalidArgument
from codex_control_plane_contract.lifecycles import goal
from codex_control_plane_mcp.goals import OBJECTIVE_CHARS
from codex_control_plane_mcp.handlers.task_request import refuse_unstorable
from codex_control_plane_mcp.store.identifiers import new_id


@dataclass(frozen=True, slots=True)
class GoalRequest:
    """A goal, and what becomes of it at the end of its workflow."""

    objective: str
    token_budget: int | None
    completion_action: goal.CompletionAction
    completion_objective: str | None

    @classmethod
    def of(cls, arguments: StartPlanWorkflowArguments) -> Self | None:
        """Return the goal, or None without one. Raises INVALID_ARGUMENT for what does not fit together."""
        if arguments.goal is None:
            _refuse_without_goal(arguments)
            return None
        if arguments.goal_completion_objective is not None and (
            arguments.goal_completion_action != "set_complete"
        ):
            raise InvalidArgument(
                "goal_completion_objective fits goal_completion_action set_complete only.",
                path="goal_completion_objective",
            )
        texts = {
            "goal": arguments.goal,
            "goal_completion_objective": arguments.goal_completion_objective,
        }
        refuse_unstorable(texts)
        return cls(
            arguments.goal,
            arguments.goal_token_budget,
            arguments.goal_completion_action,
            arguments.goal_completion_objective,
        )

    @property
    def warnings(self) -> Sequence[str]:
        """What is understood otherwise than it is written."""
        texts = {"goal": self.objective, "goal_completion_objective": self.completion_objective or ""}
        return [
            f"{name} has {len(text):,} characters; Codex keeps the first {OBJECTIVE_CHARS:,} of them."
            for name, text in texts.items()
            if len(text.strip()) > OBJECTIVE_CHARS
        ]

    def as_payload(self) -> dict[str, object]:
        """Return what of it makes a request another one."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def configuration(self, workflow_id: str, now: int) -> Change[goal.PendingThread]:
        """Return the creation of the goal of a workflow."""
        return goal.configure(
            goal_id=new_id(goal.ID_PREFIX, now),
            workflow_id=workflow_id,
            objective=self.objective,
            token_budget=self.token_budget,
            completion_action=self.completion_action,
            completion_objective=self.completion_objective,
        )


def _refuse_without_goal(arguments: StartPlanWorkflowArguments) -> None:
    given = {
        "goal_token_budget": arguments.goal_token_budget is not None,
        "goal_completion_action": arguments.goal_completion_action != "clear",
        "goal_completion_objective": arguments.goal_completion_objective is not None,
    }
    for name in (name for name, is_given in given.items() if is_given):
        raise InvalidArgument(f"{name} fits a workflow with a goal only.", path=name)
