"""The goal of a workflow and that of its thread, compared: is what Codex shows still what was written?"""

from typing import Final, Literal, Protocol, TypeAlias

from codex_control_plane_contract.lifecycles.goal import GoalRow
from codex_control_plane_contract.values import JsonObject

OBJECTIVE_CHARS: Final = 4_000
"""The longest objective that Codex takes."""

# A goal that is active, or was until its limit, has been set to work by somebody: we only write paused ones.
# Codex's own model may have called one complete or blocked.
_QUIET: Final = frozenset({"paused", "complete", "blocked"})

Status: TypeAlias = Literal["paused", "complete"]
"""What is written; never active, which makes Codex start turns by itself."""


class ShownGoal(Protocol):
    """What Codex shows of the goal of a thread."""

    def get(self, name: str, /) -> object:
        """Return a field, None where it is absent."""
        ...


def written(objective: str) -> str:
    """Return an objective as it is written, and as Codex then shows it."""
    return objective.strip()[:OBJECTIVE_CHARS].strip()


def completed_objective(row: GoalRow) -> str:
    """Return what the goal is to say once it is complete, as it is written."""
    return written(row.completion_objective or row.objective)


def is_ours(row: GoalRow, shown: ShownGoal) -> bool:
    """Return whether the thread shows the goal that was written for the workflow, untouched by a person."""
    same = shown.get("objective") == written(row.objective) and shown.get("tokenBudget") == row.token_budget
    return same and shown.get("status") in _QUIET


def is_complete(row: GoalRow, shown: ShownGoal) -> bool:
    """Return whether the thread shows the goal as it is to be at the end of ``set_complete``."""
    return shown.get("objective") == completed_objective(row) and shown.get("status") == "complete"


def as_shown(shown: ShownGoal) -> JsonObject:
    """Return the fields of a shown goal that are kept."""
    kept = {name: shown.get(name) for name in ("objective", "status", "tokenBudget")}
    return {name: value for name, value in kept.items() if isinstance(value, str | int)}
