"""What a lost submission leaves in the history: a prompt its label, a review its place."""

from dataclasses import replace

import pytest

from codex_control_plane_contract import codex
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.worker.endings import review_of
from codex_control_plane_mcp.worker.history import History
from codex_control_plane_mcp.worker.traces import Trace

REVIEW = Trace("review_start", codex.REVIEW_START_LOST, "att_1", "before")
ENTERED: JsonObject = {"type": "enteredReviewMode", "review": "current changes"}


def turn(name: str, *items: JsonObject, root: str | None = None, status: str = "completed") -> codex.Turn:
    """Return a turn as Codex lists it."""
    return {"id": name, "rootTurnId": root or name, "status": status, "items": [*items]}


def history(*newest_first: codex.Turn) -> History:
    """Return a thread with these turns."""
    return History([*newest_first], active=False, asking=False, names_items=True)


BEFORE = turn("before", {"type": "userMessage", "clientId": "att_0"})


def test_a_review_at_work_is_known_by_the_root_of_its_turn() -> None:
    """It is called by the id under which it will end."""
    seen = history(turn("inner", root="review", status="inProgress"), BEFORE)
    assert REVIEW.turn_id(seen) == "review"
    assert seen.runs("review")


def test_a_review_that_has_ended_is_known_by_its_item() -> None:
    """The turn that was at work in it stays interrupted, and is not what it ended as."""
    seen = history(turn("review", ENTERED), turn("inner", root="review", status="interrupted"), BEFORE)
    assert REVIEW.turn_id(seen) == "review"
    found = seen.turn("review")
    assert found is not None
    assert (found["id"], seen.runs("review")) == ("review", False)


def test_an_earlier_review_is_another_one() -> None:
    """Only what stands behind the newest turn of before counts."""
    assert REVIEW.turn_id(history(BEFORE, turn("earlier", ENTERED))) is None
    assert replace(REVIEW, after=None).turn_id(history(BEFORE, turn("earlier", ENTERED))) == "earlier"


def test_of_two_reviews_the_first_is_ours() -> None:
    """A later one is somebody else's: our own is asked for once."""
    assert REVIEW.turn_id(history(turn("second", ENTERED), turn("first", ENTERED), BEFORE)) == "first"


def test_a_prompt_behind_it_is_no_review() -> None:
    """Another client may have said something meanwhile."""
    later = turn("later", {"type": "userMessage", "clientId": None})
    assert REVIEW.turn_id(history(later, BEFORE)) is None


def test_a_prompt_is_known_by_its_label() -> None:
    """Wherever it stands."""
    trace = Trace("turn_start", codex.TURN_START_LOST, "att_0", None)
    assert trace.turn_id(history(turn("later", ENTERED), BEFORE)) == "before"


@pytest.mark.parametrize(
    ("review", "text"),
    [
        ("All is well.", "All is well."),
        ("Reviewer failed to output a response.", None),
        ("  ", None),
        (None, None),
    ],
)
def test_a_report_is_what_the_reviewer_said(review: str | None, text: str | None) -> None:
    """What Codex says in its stead is none."""
    found = review_of([ENTERED, {"type": "exitedReviewMode", "review": review}])
    assert found is not None
    assert found.text == text


def test_a_turn_that_left_no_review_has_no_report() -> None:
    """It is no review, or it has not ended."""
    assert review_of([ENTERED, {"type": "agentMessage", "text": "Hm."}]) is None
