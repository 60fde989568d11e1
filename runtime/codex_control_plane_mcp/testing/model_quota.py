"""The usage limit of the account behind the scripted model, refused as OpenAI's backend refuses it."""

import math
import time
from collections.abc import Mapping
from typing import Final, TypeAlias

Refusal: TypeAlias = tuple[Mapping[str, object], Mapping[str, str]]
"""Body and headers of a response of status 429."""

_WINDOW_MINUTES: Final = 300


class ModelQuota:
    """What is left for every request, whatever its prompt; unlimited at first.

    `refusals` counts the requests that it turned away; `resets_at` (seconds since the epoch) is what it told
    them, None where it told nothing.
    """

    def __init__(self) -> None:
        self.refusals = 0
        self.resets_at: int | None = None
        self._seconds: float | None = None
        self._exhausted = False

    def exhaust(self, seconds: float | None = None) -> None:
        """Refuse from now on.

        Reset so many seconds, rounded up to a full one, after the first request that is refused; without
        `seconds` no refusal names a time and only `restore` ends it.
        """
        self.resets_at, self._seconds, self._exhausted = None, seconds, True

    def restore(self) -> None:
        """Refuse nothing any more."""
        self._exhausted = False

    def refusal(self) -> Refusal | None:
        """Return the refusal of a request, or None where it may pass."""
        now = time.time()
        if self._exhausted and self._seconds is not None and self.resets_at is None:
            self.resets_at = math.ceil(now + self._seconds)
        if not self._exhausted or (self.resets_at is not None and now >= self.resets_at):
            return None
        self.refusals += 1
        error: dict[str, object] = {
            "type": "usage_limit_reached",
            "message": "The usage limit has been reached",
            "plan_type": "plus",
        }
        if self.resets_at is None:
            return {"error": error}, {}
        error |= {"resets_at": self.resets_at, "resets_in_seconds": self.resets_at - int(now)}
        return {"error": error}, {
            "x-codex-primary-used-percent": "100",
            "x-codex-primary-window-minutes": str(_WINDOW_MINUTES),
            "x-codex-primary-reset-at": str(self.resets_at),
        }
