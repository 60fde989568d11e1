"""What a story is: it says where the process with the trap lives, and does not know when it dies."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from codex_control_plane_mcp.testing.crashes.stage import Stage

Tell: TypeAlias = Callable[[Stage], Awaitable[None]]

Place: TypeAlias = Literal["worker", "server", "operator"]
"""The process with the trap; an operator's is the command that decides."""

AN_HOUR_MS: Final = 3600 * 1000
"""After this time a question has been declined, and a usage limit of a story is reset."""

LONGEST_WAIT: Final = 120
"""How long a call may wait, in seconds, for what a worker that dies on the way has to do."""


@dataclass(frozen=True, slots=True)
class Story:
    """How it is told, and the subjects (``lifecycle.event``, ``codex.method``) whose points it passes."""

    tell: Tell
    subjects: tuple[str, ...]
    trap_in: Place = "worker"
