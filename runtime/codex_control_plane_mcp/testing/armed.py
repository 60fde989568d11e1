"""A worker, a server or a command of an operator with a trap at one fail point.

``python -m codex_control_plane_mcp.testing.armed POINT ACTION WIRE worker|server|admin [ARGUMENT …]``;
the point ``none`` sets no trap.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from codex_control_plane_contract.fail_points import FAIL_POINTS
from codex_control_plane_mcp.cli.__main__ import main as administer
from codex_control_plane_mcp.fail_points import COURSE
from codex_control_plane_mcp.server.__main__ import main as serve
from codex_control_plane_mcp.store.clock import SystemClock
from codex_control_plane_mcp.testing.trap import Action, Trap
from codex_control_plane_mcp.worker.__main__ import main as work


class LaterClock:
    """The time of the system, and some milliseconds more."""

    def __init__(self, milliseconds: int) -> None:
        self._system = SystemClock()
        self._milliseconds = milliseconds

    def now(self) -> int:
        """Return milliseconds since the epoch, UTC."""
        return self._system.now() + self._milliseconds


def main(arguments: Sequence[str] | None = None) -> int:
    """Set the trap, then be what the arguments say; return its exit code."""
    parser = argparse.ArgumentParser(prog="armed", description="A process with a trap at one fail point.")
    parser.add_argument("point", choices=("none", *FAIL_POINTS), metavar="POINT")
    parser.add_argument("action", choices=("none", *get_args(Action)), metavar="ACTION")
    parser.add_argument("wire", type=Path, metavar="WIRE", help="the named pipe that hears of it")
    parser.add_argument("role", choices=("worker", "server", "admin"))
    parser.add_argument("--later", type=int, default=0, help="milliseconds that its clock is ahead")
    options, rest = parser.parse_known_args(arguments)
    if options.point != "none":
        COURSE.trap = Trap(options.point, options.action, options.wire)
    if options.role == "worker":
        return work(rest, clock=LaterClock(options.later))
    if options.role == "server":
        return serve(rest, clock=LaterClock(options.later))
    return administer(rest)


if __name__ == "__main__":
    sys.exit(main())
