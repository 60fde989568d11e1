"""The end of a process that is not our child, awaited by a test or by the demo."""

import os
import select
import sys
import time
from typing import Final

from codex_control_plane_mcp.process_identity import identify

_POLL_SECONDS: Final = 0.02


def ends(pid: int, within: float = 20.0) -> bool:
    """Return whether the process has ended, waiting `within` seconds for it; a zombie has."""
    if sys.platform == "linux":
        return _ends_by_descriptor(pid, within)
    deadline = time.monotonic() + within
    while identify(pid) is not None:
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


if sys.platform == "linux":

    def _ends_by_descriptor(pid: int, within: float) -> bool:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return True
        try:
            return bool(select.select([descriptor], [], [], within)[0])
        finally:
            os.close(descriptor)
