"""What the scheduler reads of a task: no prompt, which may be large, and nothing that decides nothing."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self, cast

from codex_control_plane_contract.lifecycles.operation import OperationRow, Priority
from codex_control_plane_contract.values import Value


@dataclass(frozen=True, slots=True)
class Contender:
    """A task that waits for a slot or holds one; `agent_id` is blank where no agent was named."""

    operation_id: str
    project_id: str
    project_path: str
    agent_id: str
    thread_id: str | None
    sandbox: str
    resource_keys: Sequence[str]
    ranked_at: int

    @classmethod
    def of(cls, row: OperationRow) -> Self:
        """Return what counts of a whole row."""
        return cls(
            operation_id=row.operation_id,
            project_id=row.project_id,
            project_path=row.project_path,
            agent_id=row.agent_id,
            thread_id=row.thread_id,
            sandbox=row.sandbox,
            resource_keys=[str(key) for key in row.resource_keys],
            ranked_at=row.ranked_at,
        )

    @property
    def writes(self) -> bool:
        """Whether it may change files; what a thread has from earlier may let it."""
        return writes(self.sandbox)


@dataclass(frozen=True, slots=True)
class Lane:
    """The queued tasks of one agent in one project with one sandbox, by the first; milliseconds."""

    project_id: str
    agent_id: str
    sandbox: str
    priority: Priority
    ranked_at: int
    project_started_at: int | None
    agent_started_at: int | None

    @property
    def writes(self) -> bool:
        """Whether its tasks may change files."""
        return writes(self.sandbox)


def writes(sandbox: str) -> bool:
    """Return whether a turn may change files; with respect_existing nobody knows, so it may."""
    return sandbox != "read-only"


def read_contender(row: Mapping[str, Value]) -> Contender:
    """Return the contender of a row of `slot_holders` or `ready_of_lane`."""
    values = {**row, "resource_keys": json.loads(str(row["resource_keys"]))}
    return Contender(**cast("dict[str, object]", values))  # type: ignore[arg-type]  # columns are the fields


def read_lane(row: Mapping[str, Value]) -> Lane:
    """Return the lane of a row of `waiting_lanes`."""
    return Lane(**cast("dict[str, object]", row))  # type: ignore[arg-type]  # columns are the fields
