"""Plans: found among the items of a turn, known by a hash of the whole, and judged by their form."""

import pytest

from codex_control_plane_contract.records import TurnPlanQuality
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.plans import Proposal, proposals

PLAN = "# Faster tests\n\n1. Measure.\n2. Cache.\n"


def quality(markdown: str) -> TurnPlanQuality:
    """Return what a plan item with this text is taken for."""
    return Proposal(markdown, "plan_item").quality


@pytest.mark.parametrize(
    "other",
    [
        PLAN.replace("\n", "\r\n"),
        f"\n\n{PLAN}\n\n",
        PLAN.replace("1. Measure.", "1. Measure.  "),
    ],
)
def test_what_no_reader_sees_does_not_change_the_hash(other: str) -> None:
    """Line ends, trailing blanks and outer blank lines are no part of a plan."""
    assert Proposal(other, "plan_item").plan_hash == Proposal(PLAN, "proposed_plan_block").plan_hash


def test_composed_characters_are_the_same_characters() -> None:
    """Codex and an editor may compose an umlaut differently."""
    assert (
        Proposal("- pru\u0308fen", "plan_item").plan_hash == Proposal("- pr\u00fcfen", "plan_item").plan_hash
    )


@pytest.mark.parametrize(
    "other", [PLAN.replace("Cache", "Drop"), PLAN + "3. Go.", PLAN.replace("1. ", "  1. ")]
)
def test_any_other_difference_changes_the_hash(other: str) -> None:
    """The last word of a long plan counts as much as the first, and so does how steps are nested."""
    assert Proposal(other, "plan_item").plan_hash != Proposal(PLAN, "plan_item").plan_hash


@pytest.mark.parametrize(
    "markdown",
    [
        PLAN,
        "- One step.",
        "## Summary\nRename the table, then the class.",
        "**Approach**\nRename the table.",
        "# Plan\n\n1. Ask?\n2. Then do it.",
        "# Plan\n- Do it.\n## Open questions\nNone.",
        "# Plan\n- Do it.\n## Open questions\n- Whether to log is settled: no.",
        "# Plan\n- Do it.\n## Blockers\n- none",
        "# FAQ\n- Write the page.\n## Questions page\nWhat is it? Say it.",
        "# Plan\n- Do it.\n```\n# Open questions\nReally?\n```\n- Done.",
    ],
)
def test_a_plan_with_a_step_is_valid(markdown: str) -> None:
    """A list, or text beneath a heading; sections that say nothing do not count."""
    assert quality(markdown) == "valid_plan"


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("", "unknown"),
        (" \n\t\n", "unknown"),
        ("# Plan\n- One\n- Two ...", "partial"),
        ("# Plan\n\nThe steps are:", "partial"),
        ("# Plan\n- Run\n```sh\nmake", "partial"),
        ("# Plan\n- Do it.\n## Blockers\n- No access to the database.", "blocker"),
        ("I cannot proceed without the schema.\n\n- Send it.", "blocker"),
        ("# Plan\n- Do it.\n## Open questions\n- Which database?", "question"),
        ("# Plan\n- Do it.\n\nShall I also rename the table?", "question"),
        ("Which database is meant\uff1f", "question"),
        ("Rename the table.", "needs_review"),
        ("# Rename the table", "needs_review"),
    ],
)
def test_a_plan_that_is_no_valid_one_says_what_it_is(markdown: str, expected: TurnPlanQuality) -> None:
    """The first rule that holds decides."""
    assert quality(markdown) == expected


def test_a_plan_item_is_a_plan() -> None:
    """Codex gives it as an item of its own."""
    assert proposals([{"type": "plan", "id": "t-plan", "text": PLAN}]) == [Proposal(PLAN, "plan_item")]


def test_a_block_in_a_message_is_a_plan() -> None:
    """Outside of plan mode Codex leaves the marks in the message; of several blocks the last one counts."""
    text = f"<proposed_plan>\nold\n</proposed_plan>\nBetter:\n<proposed_plan>\n{PLAN}</proposed_plan>\nWell?"
    (proposal,) = proposals([{"type": "agentMessage", "id": "m", "text": text}])
    assert (proposal.source, proposal.plan_hash) == (
        "proposed_plan_block",
        Proposal(PLAN, "plan_item").plan_hash,
    )


def test_a_block_that_is_not_closed_is_partial() -> None:
    """The message broke off, or the model forgot the mark; nobody can tell."""
    (proposal,) = proposals([{"type": "agentMessage", "text": f"<proposed_plan>\n{PLAN}"}])
    assert proposal.quality == "partial"


@pytest.mark.parametrize(
    "item",
    [
        {"type": "agentMessage", "text": "Write `<proposed_plan>` around it."},
        {"type": "userMessage", "text": f"<proposed_plan>\n{PLAN}</proposed_plan>"},
        {"type": "reasoning", "summary": ["plan"]},
        {"type": "plan"},
    ],
)
def test_nothing_else_is_a_plan(item: JsonObject) -> None:
    """A mark within a sentence is none, and neither are words of the person."""
    assert proposals([item]) == []
