"""Stories: what a person and an operator do, so that a process passes the points of certain events and calls.

One module a subject, each with its ``STORIES``; here is what all of them together reach.
"""

from collections.abc import Mapping
from typing import Final

from codex_control_plane_contract.fail_points import FailPoint
from codex_control_plane_mcp.testing.crashes.stories import (
    branches,
    goals,
    losses,
    operators,
    plans,
    questions,
    quota,
    reviews,
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
    *goals.STORIES,
    *operators.STORIES,
    *plans.STORIES,
    *reviews.STORIES,
)
"""Every story."""

STORY_OF: Final[Mapping[str, Story]] = {subject: story for story in STORIES for subject in story.subjects}
"""The story that passes the points of a subject."""


def subject(point: FailPoint) -> str:
    """Return what a point is about: an event, a method, or the store."""
    return point.rpartition(".")[0]
