"""Who a process is: a process id alone is given to another process sooner or later.

Together with the moment at which the process started, it is unique for as long as it matters: the start is
measured from boot and stored with the id of that boot (Linux), or is the wall-clock time that `ps` shows.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_BOOT_ID: Final = _PROC / "sys/kernel/random/boot_id"
_START_FIELD: Final = 22 - 3
"""`starttime` is field 22 of `/proc/PID/stat` (proc_pid_stat(5)), counted here from field 3, the state."""

_THREADS_FIELD: Final = 20 - 3
"""`num_threads`: a killed process shows as a zombie while its other threads still hold files and sockets."""

_DEAD_STATES: Final = frozenset("ZXx")
_PS_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.005


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process of this machine; `started` is opaque and only good for comparison."""

    pid: int
    started: str


def identify(pid: int) -> ProcessIdentity | None:
    """Return who runs as `pid` now; None if nobody does, and for a zombie, which has ended already."""
    started = _started_by_proc(pid) if sys.platform == "linux" else _started_by_ps(pid)
    return None if started is None else ProcessIdentity(pid, started)


def is_alive(identity: ProcessIdentity) -> bool:
    """Return whether that very process still runs."""
    return identify(identity.pid) == identity


def end(identity: ProcessIdentity, within: float) -> bool:
    """End that very process with SIGKILL; return whether it has ended within so many seconds, or before.

    One that is stopped ends, too, and does nothing more.
    """
    deadline = time.monotonic() + within
    while is_alive(identity):
        if time.monotonic() >= deadline:
            return False
        with suppress(ProcessLookupError):
            os.kill(identity.pid, signal.SIGKILL)
        time.sleep(_POLL_SECONDS)
    return True


def _started_by_proc(pid: int) -> str | None:
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name in parentheses and may itself hold blanks and parentheses.
    fields = stat.rpartition(")")[2].split()
    if fields[0] in _DEAD_STATES and int(fields[_THREADS_FIELD]) <= 1:
        return None
    return f"{_BOOT_ID.read_text(encoding='ascii').strip()}/{fields[_START_FIELD]}"


def _started_by_ps(pid: int) -> str | None:
    """Ask `ps`, the only way without a C extension on systems that have no `/proc`."""
    shown = subprocess.run(
        ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        check=False,
        env={"LC_ALL": "C", "TZ": "UTC"},
        text=True,
        timeout=_PS_SECONDS,
    )
    state, _, started = shown.stdout.strip().partition(" ")
    return started.strip() if started and state[0] not in _DEAD_STATES else None
