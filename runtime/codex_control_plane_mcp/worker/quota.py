"""The usage limit: when Codex says that it is reset, and how long a task waits for that.

Codex tells of the reset in two places (docs/decisions/0011). ``account/rateLimits/updated`` comes before the
end of the turn and names the second; Codex keeps it nowhere that a client can read. The message of the turn's
error stays in the thread's history and names the minute, in the local time of the app-server.
"""

import re
import time
from dataclasses import dataclass
from typing import Final, Self

from codex_control_plane_contract.settings import Settings
from codex_control_plane_contract.types import Error
from codex_control_plane_contract.values import JsonObject, JsonValue

USAGE_LIMIT: Final = "usageLimitExceeded"
"""The ``codexErrorInfo`` of a turn that the usage limit ended."""

_WINDOWS: Final = ("primary", "secondary")
_EXHAUSTED_PERCENT: Final = 100
_MINUTE_MS: Final = 60_000
# The longest window of the backend is a month; a time further off is a misunderstanding.
_LONGEST_MS: Final = 40 * 24 * 3_600_000
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_AGAIN: Final = re.compile(
    r"try again at (?:(?P<month>[A-Z][a-z]{2}) (?P<day>\d{1,2})(?:st|nd|rd|th), (?P<year>\d{4}) )?"
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2}) (?P<half>AM|PM)"
)


class UsageLimits:
    """The windows of the usage limits as one connection has heard of them."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str], JsonObject] = {}

    def note(self, snapshot: JsonObject) -> None:
        """Take in the ``rateLimits`` of an update; what it leaves out stays as it was (Codex's own rule)."""
        for name in _WINDOWS:
            window = snapshot.get(name)
            if isinstance(window, dict):
                self._windows[str(snapshot.get("limitId")), name] = window

    def resets_at(self, now: int) -> int | None:
        """Return when the last exhausted window is reset (milliseconds), or None if no such time is ahead."""
        resets = [_reset_of(window) for window in self._windows.values() if _is_exhausted(window)]
        return max((at for at in resets if at is not None and at > now), default=None)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a task waits at the usage limit where nobody says when it is reset (spec/config.yaml)."""

    first_ms: int
    ceiling_ms: int
    retries: int

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return what the settings allow."""
        return cls(
            settings.quota_retry_seconds * 1000,
            settings.quota_retry_ceiling_seconds * 1000,
            settings.quota_retries,
        )

    def resumption(self, resets_at: int | None, retries: int, now: int) -> tuple[int, int] | None:
        """Return when to go on and how many blind waits that makes in a row; None when it is to end.

        A reset time that has passed, or that nobody could mean, is none: the model was asked and said no.
        """
        if resets_at is not None and now < resets_at <= now + _LONGEST_MS:
            return resets_at, 0
        if retries >= self.retries:
            return None
        return now + min(self.first_ms << retries, self.ceiling_ms), retries + 1


def is_usage_limit(error: Error | None) -> bool:
    """Return whether the usage limit ended the turn."""
    return error is not None and error["details"].get("codexErrorInfo") == USAGE_LIMIT


def reset_in_words(message: str, failed_at: float | None) -> int | None:
    """Return the reset that Codex's message names (milliseconds), or None.

    ``failed_at`` (seconds since the epoch) is when the turn failed: a time without a date is of that day. The
    seconds are cut off from what Codex says, so the end of the minute counts.
    """
    found = _AGAIN.search(message)
    if found is None or (found["month"] is None and failed_at is None):
        return None
    year, month, day = time.localtime(failed_at)[:3]
    if found["month"] is not None:
        if found["month"] not in _MONTHS:
            return None
        year, month, day = int(found["year"]), _MONTHS.index(found["month"]) + 1, int(found["day"])
    hour = int(found["hour"]) % 12 + (12 if found["half"] == "PM" else 0)
    # The worker shares the zone with the app-server that it starts; -1 lets the zone decide on summer time.
    seconds = time.mktime((year, month, day, hour, int(found["minute"]), 0, 0, 0, -1))
    return int(seconds) * 1000 + _MINUTE_MS


def _is_exhausted(window: JsonObject) -> bool:
    used = _number(window.get("usedPercent"))
    return used is not None and used >= _EXHAUSTED_PERCENT


def _reset_of(window: JsonObject) -> int | None:
    seconds = _number(window.get("resetsAt"))
    return None if seconds is None else int(seconds * 1000)


def _number(value: JsonValue) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
