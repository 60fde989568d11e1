"""Chaos: a short run of what `make chaos` does at length."""

import pytest

from codex_control_plane_mcp.testing.chaos import Plan, run
from codex_control_plane_mcp.testing.chaos.errands import draw
from composition.transactions import unmodelled

pytestmark = [pytest.mark.live, pytest.mark.anyio]


async def test_nothing_is_lost_doubled_or_stuck_whatever_dies() -> None:
    """Every task ends or says what ended it, no prompt runs twice, and each commit has been verified."""
    outcome = await run(Plan(errands=20, seed=20), audit=unmodelled)
    assert outcome.reckoning.complaints == (), outcome.line
    assert sum(outcome.kills.values()) > 0


def test_a_seed_gives_the_same_errands_again() -> None:
    """A run that found something can be repeated."""
    assert [*draw(50, 7)] == [*draw(50, 7)]
    assert [*draw(50, 7)] != [*draw(50, 8)]
