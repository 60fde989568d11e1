"""Workers that were started from here: the last start, and the last one that ended with an error.

Two small files beside the state file, so that all servers of a user see the same: `worker-start.json` keeps
them from starting one worker each, and `worker-failure.json` lets `codex_health_summary` say why none runs.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Generator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, cast

from codex_control_plane_contract.values import JsonValue
from codex_control_plane_mcp.process_identity import ProcessIdentity, is_alive
from codex_control_plane_mcp.redaction import redact

LOG: Final = "worker.log"
"""What the worker writes to stdout and stderr, beside the state file."""

_START: Final = "worker-start.json"
_LOCK: Final = "worker-start.lock"
_FAILURE: Final = "worker-failure.json"
_TAIL: Final = 4096


@dataclass(frozen=True, slots=True)
class WorkerStart:
    """The last start of a worker: who, when (milliseconds since the epoch), how many before it in a row."""

    pid: int
    started: str
    at: int
    attempt: int

    @property
    def alive(self) -> bool:
        """Whether that worker still runs."""
        return is_alive(ProcessIdentity(self.pid, self.started))


@dataclass(frozen=True, slots=True)
class WorkerFailure:
    """A worker that ended with an error: exit code (negative: the signal), when, the end of its output."""

    pid: int
    exit_code: int
    at: int
    output: str


class WorkerStarts:
    """The record of the starts in one state directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @property
    def log(self) -> Path:
        """The file that takes a worker's output."""
        return self._directory / LOG

    @contextlib.contextmanager
    def exclusively(self) -> Generator[bool]:
        """Hold the right to start a worker during the block; give False if another process has it.

        Raises OSError.
        """
        descriptor = os.open(self._directory / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)

    def last(self) -> WorkerStart | None:
        """Return the last start, or None if there was none since a worker took the lease."""
        match self._read(_START):
            case {"pid": int(pid), "started": str(started), "at": int(at), "attempt": int(attempt)}:
                return WorkerStart(pid, started, at, attempt)
            case _:
                return None

    def record(self, start: WorkerStart) -> None:
        """Remember a start. Raises OSError."""
        self._write(_START, start)

    def record_failure(self, pid: int, exit_code: int, at: int) -> None:
        """Remember that a worker ended with an error, with the end of what it wrote. Raises OSError."""
        self._write(_FAILURE, WorkerFailure(pid, exit_code, at, self._output()))

    def failure(self) -> WorkerFailure | None:
        """Return how the last worker ended if that was with an error; None once a worker took the lease.

        A worker that took it is noticed by `settle` only, so look at the lease first.
        """
        match self._read(_FAILURE):
            case {"pid": int(pid), "exit_code": int(exit_code), "at": int(at), "output": str(output)}:
                return WorkerFailure(pid, exit_code, at, output)
            case _:
                return None

    def settle(self) -> None:
        """Forget starts and failures: a worker holds the lease. Raises OSError."""
        for name in (_START, _FAILURE):
            (self._directory / name).unlink(missing_ok=True)

    def _output(self) -> str:
        with contextlib.suppress(FileNotFoundError), self.log.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(0, size - _TAIL))
            return redact(log.read().decode(errors="replace")).strip()
        return ""

    def _read(self, name: str) -> JsonValue:
        try:
            return cast("JsonValue", json.loads((self._directory / name).read_text(encoding="utf-8")))
        except (OSError, ValueError):
            # Missing, unreadable or damaged all mean that nothing is known; the next start writes it anew.
            return None

    def _write(self, name: str, record: WorkerStart | WorkerFailure) -> None:
        """Replace the file in one step, so that no reader sees half of it."""
        draft = self._directory / f".{name}.{os.getpid()}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(record), file)
        draft.replace(self._directory / name)
