"""When a usage limit is reset, and how long a task waits where nobody knows."""

import time
from collections.abc import Iterator

import pytest

from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.worker.quota import Patience, UsageLimits, reset_in_words

HOUR_MS = 3_600_000
NOW = 1_795_354_960_000
MESSAGE = "You\u2019ve hit your usage limit. Visit https://chatgpt.com/settings/usage or try again {}."


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The zone in which Codex writes its times."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def snapshot(limit: str | None = "codex", **windows: tuple[int, int] | None) -> JsonObject:
    """Return the `rateLimits` of an update; a window is its used percent and its reset in seconds."""
    shown: JsonObject = {
        name: {"usedPercent": each[0], "windowDurationMins": 300, "resetsAt": each[1]} if each else None
        for name, each in windows.items()
    }
    return {"limitId": limit, **shown}


@pytest.mark.parametrize(
    ("words", "reset"),
    [
        ("at 1:42 PM", 1_795_354_980_000),
        ("at 2:12 PM", 1_795_356_780_000),
        ("at Nov 23rd, 2026 2:42 PM", 1_795_444_980_000),
        ("at Dec 1st, 2026 12:05 AM", 1_796_083_560_000),
        ("later", None),
        ("at Foo 1st, 2026 12:05 AM", None),
    ],
)
def test_a_message_names_the_end_of_a_minute(words: str, reset: int | None) -> None:
    """A time without a date is of the day on which the turn failed."""
    assert reset_in_words(MESSAGE.format(words), NOW / 1000) == reset


def test_a_time_of_an_unknown_day_is_none() -> None:
    """A date is enough by itself."""
    assert reset_in_words(MESSAGE.format("at 1:42 PM"), None) is None
    assert reset_in_words(MESSAGE.format("at Nov 23rd, 2026 2:42 PM"), None) == 1_795_444_980_000


def test_the_last_exhausted_window_counts() -> None:
    """A window with something left keeps nobody waiting."""
    limits = UsageLimits()
    limits.note(snapshot(primary=(100, 1_795_355_000), secondary=(40, 1_795_900_000)))
    assert limits.resets_at(NOW) == 1_795_355_000_000
    limits.note(snapshot("another", primary=(100, 1_795_360_000)))
    assert limits.resets_at(NOW) == 1_795_360_000_000


def test_an_update_keeps_what_it_leaves_out() -> None:
    """Codex sends windows as null where it has not heard of them; a reset that has passed says nothing."""
    limits = UsageLimits()
    limits.note(snapshot(primary=(100, 1_795_355_000)))
    limits.note(snapshot(primary=None, secondary=None))
    assert limits.resets_at(NOW) == 1_795_355_000_000
    assert limits.resets_at(1_795_355_000_000) is None


@pytest.mark.parametrize("window", [{}, {"usedPercent": 100}, {"usedPercent": "100", "resetsAt": True}])
def test_a_window_of_another_shape_is_passed_over(window: JsonObject) -> None:
    """Codex's protocol grows; what is not understood is no time."""
    limits = UsageLimits()
    limits.note({"limitId": None, "primary": window})
    assert limits.resets_at(NOW) is None


def test_a_known_reset_is_waited_for_and_starts_the_count_anew() -> None:
    """However often it was unknown before."""
    assert Patience(1000, 4000, 3).resumption(NOW + 1, 3, NOW) == (NOW + 1, 0)


@pytest.mark.parametrize("reset", [None, NOW, NOW - 1, NOW + 41 * 24 * HOUR_MS])
def test_a_reset_that_cannot_be_is_unknown(reset: int | None) -> None:
    """The model was asked and said no, whatever the time says."""
    assert Patience(1000, 4000, 3).resumption(reset, 0, NOW) == (NOW + 1000, 1)


def test_blind_waits_double_up_to_the_ceiling_and_end() -> None:
    """After the last of them the task fails."""
    patience = Patience(1000, 3000, 3)
    waits = [patience.resumption(None, count, NOW) for count in range(4)]
    assert waits == [(NOW + 1000, 1), (NOW + 2000, 2), (NOW + 3000, 3), None]
