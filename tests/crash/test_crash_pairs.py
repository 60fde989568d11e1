"""Two crashes in a row: the worker that takes over dies as well (`make crash-pairs`)."""

import os
import random
from collections.abc import Iterator

import pytest

from codex_control_plane_contract.fail_points import FAIL_POINTS, FailPoint
from codex_control_plane_mcp.testing.crashes.stage import Stage
from codex_control_plane_mcp.testing.crashes.stories import STORIES, STORY_OF, subject
from codex_control_plane_mcp.testing.crashes.stories.story import Story

pytestmark = [pytest.mark.crash_pairs, pytest.mark.anyio]

SAMPLE = 60
"""How many pairs are played unless PAIRS=all asks for every one."""

RECOVERY = (
    "attempt.doubt",
    "attempt.void",
    "codex.thread/resume",
    "codex.thread/turns/list",
    "operation.requeue",
)
"""What a worker passes that takes over, whatever the story."""

Pair = tuple[FailPoint, FailPoint]


def pairs() -> list[Pair]:
    """Return the pairs to play; a sample is the same for everybody."""
    every = [pair for story in STORIES for pair in pairs_of(story)]
    if os.environ.get("PAIRS") == "all":
        return every
    return random.Random(0).sample(every, SAMPLE)  # noqa: S311 -- a sample, no secret


def pairs_of(story: Story) -> Iterator[Pair]:
    """Yield the deaths of a worker in a story, each with each later one that may follow."""
    if story.trap_in != "worker":
        return
    deaths: list[FailPoint] = [point for point in FAIL_POINTS if not point.endswith(("_lost", "_late"))]
    for first in deaths:
        if subject(first) in story.subjects:
            for second in deaths:
                if subject(second) in (*story.subjects, *RECOVERY):
                    yield first, second


@pytest.mark.parametrize(("first", "second"), pairs())
async def test_a_second_crash_changes_nothing(stage: Stage, first: FailPoint, second: FailPoint) -> None:
    """Recovery can die at any point, and the next recovery makes the same of it."""
    await stage.begin(first, "exit", then=second)
    await STORY_OF[subject(first)].tell(stage)
    await stage.conclude()
