"""Stored times as clients see them (contract §2)."""

from datetime import UTC, datetime


def timestamp(milliseconds: int) -> str:
    """Return milliseconds since the epoch as RFC 3339, UTC, with milliseconds: `2026-11-22T12:00:00.000Z`."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


def seconds_between(earlier: int, later: int) -> float:
    """Return the seconds between two times in milliseconds, to a tenth; 0 where the clock was set back."""
    return max(0, round((later - earlier) / 1000, 1))
