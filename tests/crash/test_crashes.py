"""Each fail point once for each way in which it can break, with real processes and a real Codex."""

from collections.abc import Callable
from typing import Final

import pytest

from codex_control_plane_contract.fail_points import FAIL_POINTS, FailPoint
from codex_control_plane_mcp.testing.crashes.stage import Stage
from codex_control_plane_mcp.testing.crashes.stories import STORY_OF, subject
from codex_control_plane_mcp.testing.trap import Action

pytestmark = pytest.mark.anyio


def faults(point: FailPoint) -> tuple[Action, ...]:
    """Return how it can break there: a reply is lost or late, a commit fails, the process ends."""
    match point.rpartition(".")[2]:
        case "reply_lost":
            return ("raise",)
        case "reply_late":
            return ("delay",)
        case "before_commit":
            return "exit", "stop", "raise"
        case _:
            return "exit", "stop"


CASES: Final = [(point, action) for point in FAIL_POINTS for action in faults(point)]
"""Each point with each of its faults."""


@pytest.mark.crash
@pytest.mark.parametrize(("point", "action"), CASES)
async def test_nothing_is_lost_and_nothing_runs_twice(
    stage: Stage, point: FailPoint, action: Action, record_property: Callable[[str, object], None]
) -> None:
    """Whatever breaks here, every task ends as it should, and its prompt reaches the model at most once."""
    record_property("point", point)
    await stage.begin(point, action)
    await STORY_OF[subject(point)].tell(stage)
    await stage.conclude()


def test_every_emitted_point_is_broken() -> None:
    """A new event or method has no story yet, and this says so."""
    assert {subject(point) for point in FAIL_POINTS} == {*STORY_OF}
