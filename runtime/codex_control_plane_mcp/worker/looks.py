"""Looks: how often one looks for what may take a moment to show, and when one has looked for long enough."""

import asyncio

_FIRST_PAUSE_SECONDS = 0.1


class Looks:
    """Looks in a row: the first at once, each later one after twice the pause, the last when time is up.

    What shows at all mostly shows at once. The longer it does not, the less a further look tells, and each
    costs Codex a thread to load and can be lost on the way. Times are the event loop's seconds.
    """

    def __init__(self, seconds: float) -> None:
        self._deadline = asyncio.get_running_loop().time() + seconds
        self._pause_seconds = _FIRST_PAUSE_SECONDS

    @property
    def are_over(self) -> bool:
        """Whether time is up, so that a look which begins now is the last."""
        return asyncio.get_running_loop().time() >= self._deadline

    async def pause(self) -> None:
        """Return when the next look is due."""
        left = self._deadline - asyncio.get_running_loop().time()
        await asyncio.sleep(min(self._pause_seconds, max(left, 0.0)))
        self._pause_seconds *= 2
