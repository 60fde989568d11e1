"""Where a goal stands: its row, and what its workflow has come to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self, TypeAlias

from codex_control_plane_contract.lifecycles import goal
from codex_control_plane_contract.values import Value

Wish: TypeAlias = Literal["keep", "clear", "set_complete", "leave"]
"""What is to become of a goal now."""


@dataclass(frozen=True, slots=True)
class GoalStanding:
    """A goal that has not ended, the thread of its workflow, and how that has ended, if it has."""

    row: goal.Open
    thread_id: str | None
    ended_as: str | None

    @classmethod
    def read(cls, row: Mapping[str, Value]) -> Self:
        """Return a row of `goal_standings`."""
        found = goal.read(row)
        assert isinstance(found, goal.Open), "the statement looks for these"
        thread_id = found.thread_id or row["workflow_thread_id"]
        ended_as = row["workflow_state"] if row["workflow_ended_at"] is not None else None
        return cls(found, _text(thread_id), _text(ended_as))

    @property
    def is_due(self) -> bool:
        """Whether Codex is to be called: to write it, or because its workflow has ended."""
        return self.thread_id is not None and (
            self.ended_as is not None or isinstance(self.row, goal.PendingThread)
        )

    @property
    def is_void(self) -> bool:
        """Whether its workflow ended before there was a thread to write it on."""
        return self.thread_id is None and self.ended_as is not None

    @property
    def wish(self) -> Wish:
        """What is to become of it; it is called complete only where the work was done."""
        if self.ended_as is None:
            return "keep"
        if self.row.completion_action == "set_complete" and self.ended_as != "completed":
            return "leave"
        return self.row.completion_action


def _text(value: Value) -> str | None:
    return value if isinstance(value, str) else None
