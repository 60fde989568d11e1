"""Every message between worker and Codex, with everything that can happen to it, against a real Codex."""

from typing import Final

import pytest

from codex_control_plane_mcp.testing.faults.fault import ACTIONS, Action, Fault, Subject
from codex_control_plane_mcp.testing.faults.stage import FaultStage
from codex_control_plane_mcp.testing.faults.stories import NEVER_PASSES, STORY_OF, SUBJECTS

pytestmark = pytest.mark.anyio

CELLS: Final = [
    pytest.param(subject, action, id=f"{subject.kind}-{subject.method}-{action}")
    for subject in SUBJECTS
    if subject.method in STORY_OF
    for action in ACTIONS
]
"""Each message that passes, with each action."""


@pytest.mark.faults
@pytest.mark.parametrize(("subject", "action"), CELLS)
async def test_every_task_ends_as_it_should(stage: FaultStage, subject: Subject, action: Action) -> None:
    """Whatever happens to a message, nothing is lost, nothing stays open, and no prompt runs twice."""
    await stage.expose(Fault(subject, action))
    await STORY_OF[subject.method](stage)
    await stage.conclude()


def test_every_message_of_the_spec_is_in_the_matrix_or_never_passes() -> None:
    """A new method, notification or question has no story yet, and this says so."""
    assert {subject.method for subject in SUBJECTS} == {*STORY_OF, *NEVER_PASSES}
    assert not STORY_OF.keys() & NEVER_PASSES.keys()
