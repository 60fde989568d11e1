"""Every message between worker and Codex, with everything that can happen to it, against a real Codex."""

from collections.abc import Callable
from typing import Final

import pytest

from codex_control_plane_mcp.testing.faults.fault import ACTIONS, Action, Fault, Script, Subject, Weather
from codex_control_plane_mcp.testing.faults.stage import FaultStage
from codex_control_plane_mcp.testing.faults.stories import NEVER_PASSES, STORY_OF, SUBJECTS, run_many_tasks

pytestmark = pytest.mark.anyio

WITHOUT_A_KEY: Final = pytest.mark.xfail(
    strict=True,
    reason="Codex has no key for a prompt: sent twice, it is there twice (decision 0015).",
)


PROMPTS: Final = tuple(Subject("request", method) for method in ("turn/start", "turn/steer", "review/start"))
"""The calls that carry a prompt."""


def marks(subject: Subject, action: Action) -> pytest.MarkDecorator | tuple[()]:
    """Return what is known of a cell in which not everything holds."""
    return WITHOUT_A_KEY if subject in PROMPTS and action == "duplicate" else ()


CELLS: Final = [
    pytest.param(
        subject, action, id=f"{subject.kind}-{subject.method}-{action}", marks=marks(subject, action)
    )
    for subject in SUBJECTS
    if subject.method in STORY_OF
    for action in ACTIONS
]
"""Each message that passes, with each action."""

IN_BAD_WEATHER: Final[tuple[Action, ...]] = (
    "drop",
    "truncate",
    "delay",
    "reorder",
    "cut_before",
    "cut_after",
)
"""What may happen to any message: all but `duplicate`, for which a prompt has no key."""

SEEDS: Final = range(12)


@pytest.mark.faults
@pytest.mark.parametrize(("subject", "action"), CELLS)
async def test_every_task_ends_as_it_should(
    stage: FaultStage, subject: Subject, action: Action, record_property: Callable[[str, object], None]
) -> None:
    """Whatever happens to a message, nothing is lost, nothing stays open, and no prompt runs twice."""
    record_property("message", f"{subject} {action}")
    await stage.expose(Script((Fault(subject, action),)))
    await STORY_OF[subject.method](stage)
    await stage.conclude()


@pytest.mark.faults
@pytest.mark.parametrize("seed", SEEDS)
async def test_many_faults_at_once_change_nothing(
    stage: FaultStage, seed: int, record_property: Callable[[str, object], None]
) -> None:
    """One message of twenty meets a fault, while six tasks run; the seed brings the same ones again."""
    record_property("message", f"seed {seed}")
    await stage.expose(Script(weather=Weather(seed, 0.05, IN_BAD_WEATHER)))
    await run_many_tasks(stage)
    await stage.conclude()


def test_every_message_of_the_spec_is_in_the_matrix_or_never_passes() -> None:
    """A new method, notification or question has no story yet, and this says so."""
    assert {subject.method for subject in SUBJECTS} == {*STORY_OF, *NEVER_PASSES}
    assert not STORY_OF.keys() & NEVER_PASSES.keys()
