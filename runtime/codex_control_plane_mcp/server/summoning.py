"""Making sure that a worker runs (spec/config.yaml, CODEX_MCP_EXECUTION_MODE=inline).

The worker is started detached, in its own session, and outlives this server. It is not started while one
holds the executor lease, nor while another one is on its way, whichever server started that; one that ends at
once is started again ever more rarely. One of an older version is asked to hand over, and its successor is
started at once. Two at a time are harmless: one executes and the other stands by.
"""

import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from codex_control_plane_contract.errors import ControlPlaneError
from codex_control_plane_contract.records import ExecutorLeaseRow
from codex_control_plane_mcp.process_identity import ProcessIdentity, identify, is_alive
from codex_control_plane_mcp.store.clock import Clock, SystemClock
from codex_control_plane_mcp.worker_starts import WorkerStart, WorkerStarts

_log = logging.getLogger(__name__)

# -P: the worker must not import modules from a directory that happens to be current.
COMMAND: Final = (sys.executable, "-P", "-m", "codex_control_plane_mcp.worker")
"""How a worker is started."""

_LOG_LIMIT: Final = 5_000_000
_SHORTEST_MS: Final = 1_000
_LONGEST_MS: Final = 60_000
_TAKES_LEASE_MS: Final = 10_000


def _nobody() -> bool:
    return False


class Summoner:
    """Starts workers for one server."""

    def __init__(
        self,
        starts: WorkerStarts,
        lease: Callable[[], ExecutorLeaseRow],
        environment: Mapping[str, str],
        *,
        relieve: Callable[[], bool] = _nobody,
        command: Sequence[str] = COMMAND,
        clock: Clock | None = None,
    ) -> None:
        self._starts = starts
        self._lease = lease
        self._environment = environment
        self._relieve = relieve
        self._command = command
        self._clock = clock or SystemClock()
        self._looking = threading.Lock()

    def summon(self) -> None:
        """See to it, on a thread of its own, that a worker runs; returns at once."""
        self._tend(_always)

    def watch(
        self, wanted: Callable[[], bool], *, seconds: float, over: threading.Event | None = None
    ) -> None:
        """Do as `summon` does, now and every `seconds` until `over`, if `wanted` says so on its thread.

        Only the end of a worker that this server has started makes itself known; one that a server of another
        client had started can be killed without a sound, and its turns would be running for ever. So would
        those of a worker that hangs, whoever started it.
        """
        threading.Thread(
            target=self._watch, args=(wanted, seconds, over or threading.Event()), name="watch", daemon=True
        ).start()

    def start_if_absent(self) -> subprocess.Popen[bytes] | None:
        """Start a worker if none is alive or on its way; return its process, which somebody must wait for.

        One that holds the lease counts for none if `relieve`, which asks it to leave, says so.

        Raises OSError, CODEX_STATE_BUSY and CODEX_STATE_UNUSABLE.
        """
        now = self._clock.now()
        if holds(self._lease(), now) and not self._relieve():
            self._starts.settle()
            return None
        with self._starts.exclusively() as alone:
            last = self._starts.last()
            if not alone or (last is not None and _too_soon(last, now)):
                return None
            worker = self._spawn()
            identity = identify(worker.pid)
            attempt = last.attempt + 1 if last else 0
            self._starts.record(WorkerStart(worker.pid, identity.started if identity else "", now, attempt))
        _log.info("started worker process %d", worker.pid)
        return worker

    def _watch(self, wanted: Callable[[], bool], seconds: float, over: threading.Event) -> None:
        self._tend(wanted)
        while not over.wait(seconds):
            self._tend(wanted)

    def _tend(self, wanted: Callable[[], bool]) -> None:
        # Each look has its own thread, since it stays with the worker that it starts.
        threading.Thread(target=self._keep_one, args=(wanted,), name="summon", daemon=True).start()

    def _keep_one(self, wanted: Callable[[], bool]) -> None:
        """Start a worker if need be, reap it, and start another if it ended with an error."""
        while (worker := self._started(wanted)) is not None:
            exit_code = worker.wait()
            if exit_code == 0:
                return
            _log.warning("worker process %d ended with exit code %d", worker.pid, exit_code)
            try:
                self._starts.record_failure(worker.pid, exit_code, self._clock.now())
            except OSError as fault:
                _log.warning("a worker's end could not be recorded: %s", fault)
            last = self._starts.last()
            time.sleep(_wait_ms(last.attempt if last else 0) / 1000)

    def _started(self, wanted: Callable[[], bool]) -> "subprocess.Popen[bytes] | None":
        try:
            # One at a time: the second caller then sees what the first one did.
            with self._looking:
                return self.start_if_absent() if wanted() else None
        except (OSError, ControlPlaneError) as fault:
            _log.warning("no worker could be started: %s", fault)
            return None

    def _spawn(self) -> "subprocess.Popen[bytes]":
        log = os.open(self._starts.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(log).st_size > _LOG_LIMIT:
                os.ftruncate(log, 0)
            return subprocess.Popen(
                self._command,
                # Not the client's directory: a process that lives for hours would pin it.
                cwd=self._starts.log.parent,
                env=dict(self._environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        finally:
            os.close(log)


def _always() -> bool:
    return True


def holds(lease: ExecutorLeaseRow, now: int) -> bool:
    """Return whether a live worker holds the lease at `now` (milliseconds).

    On another host (a container that shares the state directory) only the clock can tell.
    """
    if lease.holder is None or lease.expires_at <= now:
        return False
    if lease.pid is None or lease.process_started is None or lease.hostname != socket.gethostname():
        return True
    return is_alive(ProcessIdentity(lease.pid, lease.process_started))


def _too_soon(last: WorkerStart, now: int) -> bool:
    """Return whether the last start is still good, or too recent to be repeated."""
    age = now - last.at
    # A clock that was set back must not forbid starts for ever.
    if age < 0:
        return False
    return age < max(_wait_ms(last.attempt), _TAKES_LEASE_MS if last.alive else 0)


def _wait_ms(attempt: int) -> int:
    return min(_SHORTEST_MS << min(attempt, 10), _LONGEST_MS)
