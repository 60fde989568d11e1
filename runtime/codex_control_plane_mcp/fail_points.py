"""Where a process can be made to break off: the emitted fail points, passed by the store and the calls.

In production nothing is set here, and passing a point is one comparison. The testing kit sets a trap, which
ends the process, holds it or loses a reply at one of the points (docs/architecture.md, Fail points).
"""

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

Trap: TypeAlias = Callable[[str], Awaitable[None] | None]
"""Takes the name of a point that is passed; what it returns is awaited, where the point can wait."""


class Course:
    """The course that a process takes through its fail points."""

    __slots__ = ("trap",)

    def __init__(self) -> None:
        self.trap: Trap | None = None

    def before_begin(self) -> None:
        """Pass the point before a transaction begins."""
        if self.trap is not None:
            self.trap("store.before_begin")

    def change(self, name: str, phase: str) -> None:
        """Pass a phase of a change of state, which is named ``lifecycle.event``."""
        if self.trap is not None:
            self.trap(f"{name}.{phase}")

    async def call(self, method: str, phase: str) -> None:
        """Pass a phase of a call to Codex, or of an ``answer`` to it."""
        if self.trap is not None and (held := self.trap(f"codex.{method}.{phase}")) is not None:
            await held


COURSE: Final = Course()
"""The course of this process."""
