"""The end of a process that is not our child, awaited by a test."""

import os
import select


def ends(pid: int, within: float = 20.0) -> bool:
    """Return whether the process has ended, waiting `within` seconds for it; a zombie has. Linux only."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], within)[0])
    finally:
        os.close(descriptor)
