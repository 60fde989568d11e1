"""Stories: what a person and an operator do, so that a process passes the points of certain events and calls.

One module a subject, each with its ``STORIES``; here is what all of them together reach.
"""

from collections.abc import Mapping
from typing import Final

from codex_control_plane_contract.fail_points import FAIL_POINTS, FailPoint
from codex_control_plane_mcp.testing.crashes.stories import (
    branches,
    losses,
    questions,
    quota,
    tasks,
    threads,
    workers,
)
from codex_control_plane_mcp.testing.crashes.stories.story import Story

STORIES: Final = (
    *tasks.STORIES,
    *questions.STORIES,
    *losses.STORIES,
    *quota.STORIES,
    *workers.STORIES,
    *threads.STORIES,
    *branches.STORIES,
)
"""Every story."""

STORY_OF: Final[Mapping[str, Story]] = {subject: story for story in STORIES for subject in story.subjects}
"""The story that passes the points of a subject."""

NEVER_RAISED: Final[Mapping[str, str]] = {
    "operation.submit_again": "An operator's command raises it; test_cli_resolve kills that.",
    "operation.declare_lost": "An operator's command raises it; test_cli_resolve kills that.",
    "operation.declare_never_received": "An operator's command raises it; test_cli_resolve kills that.",
    "operation.orphan": "A thread that Codex does not know ends its task as failed or lost.",
    "worker_command.fail": "An order is repeated until its subject ends or its time is over.",
    "worker_command.requeue": "An order belongs to no worker: whoever holds the lease carries it on.",
}
"""Events that the spec allows and no server or worker raises, with the reason; neither can pass them."""


def subject(point: FailPoint) -> str:
    """Return what a point is about: an event, a method, or the store."""
    return point.rpartition(".")[0]


REACHABLE: Final[tuple[FailPoint, ...]] = tuple(
    point for point in FAIL_POINTS if subject(point) not in NEVER_RAISED
)
"""The points that a process can pass."""
