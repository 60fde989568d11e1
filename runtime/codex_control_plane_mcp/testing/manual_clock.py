"""A clock that stands still until a test moves it."""

NOON = 1_767_268_800_000
"""Noon of 2026-01-01 UTC, in milliseconds since the epoch."""


class ManualClock:
    """The store's clock in the hands of a test."""

    def __init__(self, now: int = NOON) -> None:
        self._now = now

    def now(self) -> int:
        """Return milliseconds since the epoch, UTC."""
        return self._now

    def advance(self, milliseconds: int) -> None:
        """Let time pass; backwards, with a negative number."""
        self._now += milliseconds
