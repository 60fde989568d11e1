"""Who comes next: the project that has waited longest, in it the agent, of its tasks the first by rank.

Priority is time: a head start for what is urgent, the same handicap for what is not. Waiting is time too, so
it outweighs any priority, and nobody is overtaken for ever (docs/decisions/0030).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from codex_control_plane_contract.lifecycles.operation import Priority
from codex_control_plane_contract.settings import Settings
from codex_control_plane_mcp.store import Lane

_HEAD_STARTS: Final[dict[Priority, int]] = {"high": 1, "normal": 0, "low": -1}


def rank(submitted_at: int, priority: Priority, settings: Settings) -> int:
    """Return the rank of a task (milliseconds): when it was submitted, less its head start."""
    return submitted_at - _head_start(priority, settings)


@dataclass(frozen=True, slots=True)
class Standing:
    """The waiting tasks of one project: its lanes, and since when each agent in it has waited for a turn."""

    project_id: str
    since: int
    lanes: Sequence[Lane]
    agents: dict[str, int]


def in_order(lanes: Iterable[Lane], settings: Settings) -> list[Standing]:
    """Return the projects, the one that has waited longest first; `lanes` come project by project."""
    standings = [
        _standing(project_id, [*of_project], settings)
        for project_id, of_project in groupby(lanes, lambda lane: lane.project_id)
    ]
    return sorted(standings, key=lambda standing: (standing.since, standing.project_id))


def _standing(project_id: str, lanes: Sequence[Lane], settings: Settings) -> Standing:
    agents: dict[str, int] = {}
    for lane in sorted(lanes, key=_rank):
        # The first by rank speaks for its agent.
        agents.setdefault(lane.agent_id, _since(lane, lane.agent_started_at, settings))
    first = min(lanes, key=_rank)
    return Standing(project_id, _since(first, first.project_started_at, settings), lanes, agents)


def _since(lane: Lane, started_at: int | None, settings: Settings) -> int:
    """Return since when somebody has waited whose first task heads the lane, its head start included."""
    return max(lane.ranked_at, (started_at or 0) - _head_start(lane.priority, settings))


def _rank(lane: Lane) -> int:
    return lane.ranked_at


def _head_start(priority: Priority, settings: Settings) -> int:
    return _HEAD_STARTS[priority] * settings.priority_head_start_seconds * 1000
