"""A trap at a fail point: the first time that its process passes there, something goes wrong."""

import asyncio
import os
import signal
import sqlite3
import threading
from collections.abc import Awaitable
from pathlib import Path
from typing import Final, Literal, TypeAlias, assert_never

from codex_control_plane_contract.fail_points import FailPoint
from codex_control_plane_mcp.codex.errors import CallUnanswered

Action: TypeAlias = Literal["exit", "stop", "raise", "delay"]
"""The process ends itself; holds still until it is killed; meets a fault; gets a reply late."""

EXIT_CODE: Final = 86
"""The exit code of a process that ended itself."""

RELEASE: Final = signal.SIGUSR1
"""The signal after which a reply that was held arrives."""


class Trap:
    """Springs once, when ``point`` is passed, and says so through the named pipe ``wire`` before it acts."""

    def __init__(self, point: FailPoint, action: Action, wire: Path) -> None:
        self._point: FailPoint = point
        self._action: Action = action
        self._wire = wire
        self._springing = threading.Lock()

    def __call__(self, passed: str) -> Awaitable[None] | None:
        """Act if it is the point; what is returned holds the reply back until RELEASE."""
        if passed != self._point or not self._springing.acquire(blocking=False):
            return None
        self._wire.write_text(f"{passed}\n")
        return self._act()

    def _act(self) -> Awaitable[None] | None:
        match self._action:
            case "exit":
                os._exit(EXIT_CODE)
            case "stop":
                threading.Event().wait()
            case "raise":
                raise fault_at(self._point)
            case "delay":
                return _released()
            case _:
                assert_never(self._action)
        return None


def fault_at(point: FailPoint) -> Exception:
    """Return what goes wrong at this point: a commit that fails, or a reply that says not what was done."""
    if point.startswith("codex."):
        return CallUnanswered("the reply was lost")
    lost = point.endswith(".reply_lost")
    fault = sqlite3.OperationalError("disk I/O error" if lost else "database is locked")
    fault.sqlite_errorcode = sqlite3.SQLITE_IOERR if lost else sqlite3.SQLITE_BUSY
    return fault


async def _released() -> None:
    released = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(RELEASE, released.set)
    await released.wait()
