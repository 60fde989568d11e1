"""A child process that belongs to nobody's terminal and outlives the process that started it."""

import asyncio
import os
import re
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

LOG_LIMIT: Final = 5_000_000
"""Bytes after which a log is emptied at the next start."""

_TAIL: Final = 4096
_KILL_SECONDS: Final = 5.0
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")


class DetachedChild:
    """A child in its own session, with its output in a log and a thread that reaps it.

    The thread keeps the child from staying a zombie while we live; afterwards init reaps it.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path, log_start: int) -> None:
        self._process = process
        self._log = log
        self._log_start = log_start
        self._reaper = threading.Thread(target=process.wait, name=f"reap-{process.pid}", daemon=True)
        self._reaper.start()

    @classmethod
    def spawn(
        cls, command: Sequence[str], environment: Mapping[str, str], directory: Path, log: Path
    ) -> Self:
        """Start `command` in `directory`, its output appended to `log`. Raises OSError."""
        output = _open_log(log)
        try:
            start = os.fstat(output).st_size
            process = subprocess.Popen(
                command,
                cwd=directory,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        finally:
            os.close(output)
        return cls(process, log, start)

    @property
    def pid(self) -> int:
        """The process id, which is that of the session and the process group too."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, the negated signal that ended it, or None while it runs."""
        return self._process.returncode

    def log_tail(self) -> str:
        """Return the end of what this child wrote, without colours."""
        with self._log.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(self._log_start, size - _TAIL))
            return _COLOUR.sub("", log.read().decode(errors="replace")).strip()

    async def kill(self) -> None:
        """End the child and the processes of its group at once; returns when the child has been reaped."""
        if self.exit_code is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        await self.wait_reaped(_KILL_SECONDS)

    async def wait_reaped(self, seconds: float) -> int | None:
        """Return the exit code once the child has ended and is no zombie, None after `seconds`."""
        await asyncio.to_thread(self._reaper.join, seconds)
        return self.exit_code


def _open_log(log: Path) -> int:
    """Return a descriptor that appends to `log`, readable by its owner only, emptied when it grew large."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    if os.fstat(descriptor).st_size > LOG_LIMIT:
        os.ftruncate(descriptor, 0)
    return descriptor
