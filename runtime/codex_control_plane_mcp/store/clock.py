"""The store's clock: the only source of time for anything that is stored."""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time; injectable, so that tests can move it."""

    def now(self) -> int:
        """Return milliseconds since the epoch, UTC."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> int:
        """Return milliseconds since the epoch, UTC."""
        return time.time_ns() // 1_000_000
