"""When a turn on which nothing is heard is looked up."""

import pytest

from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.worker.silence import Silences

TURNS = {"turn-1": "thread-1"}


@pytest.fixture
def silences() -> Silences:
    """One turn, watched since second 0; ten seconds are long."""
    watched = Silences(10)
    assert watched.attend(TURNS, 0) == []
    return watched


def test_a_turn_is_looked_up_after_one_period_of_silence(silences: Silences) -> None:
    """Not sooner, and once for each period."""
    assert silences.next_look() == 10
    assert silences.attend(TURNS, 9.9) == []
    assert silences.attend(TURNS, 10) == ["turn-1"]
    assert silences.attend(TURNS, 10) == []


def test_the_pauses_of_a_lasting_silence_double_up_to_eightfold(silences: Silences) -> None:
    """A long silence costs little, and is never without a bound."""
    looks = list[float]()
    for _ in range(6):
        due = silences.next_look()
        assert due is not None
        assert silences.attend(TURNS, due) == ["turn-1"]
        looks.append(due)
    pauses = [later - sooner for sooner, later in zip([0.0, *looks], looks, strict=False)]
    assert pauses == [10, 20, 40, 80, 80, 80]


@pytest.mark.parametrize("params", [{"turnId": "turn-1"}, {"turn": {"id": "turn-1"}}])
def test_a_word_on_the_turn_breaks_its_silence(silences: Silences, params: JsonObject) -> None:
    """The next look is a whole period away, however long it was silent before."""
    silences.attend(TURNS, 10)
    silences.attend(TURNS, 30)
    silences.hear(params, 35)
    assert silences.next_look() == 45


@pytest.mark.parametrize("params", [{"turnId": "turn-2"}, {"turn": None}, {"threadId": "thread-1"}, {}])
def test_a_word_on_something_else_does_not(silences: Silences, params: JsonObject) -> None:
    """Another client may talk on the same thread, once our turn has ended unheard."""
    silences.hear(params, 5)
    assert silences.next_look() == 10


def test_a_thread_at_rest_brings_the_next_look_near(silences: Silences) -> None:
    """Its turn must have ended; threads of others are none of our business."""
    for moment in (10, 30, 70):
        silences.attend(TURNS, moment)
    assert not silences.rest("thread-2", 71)
    assert silences.next_look() == 150
    assert silences.rest("thread-1", 71)
    assert silences.next_look() == 81


def test_a_turn_that_is_over_is_forgotten(silences: Silences) -> None:
    """Nothing is due without a turn, and one that comes back is as good as new."""
    assert silences.attend({}, 100) == []
    assert silences.next_look() is None
    assert silences.attend(TURNS, 100) == []
    assert silences.next_look() == 110
