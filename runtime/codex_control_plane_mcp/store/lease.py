"""The executor lease: one worker executes; its fence is checked by every commit that it makes.

The lease is renewed from its own thread on its own connection, so that a busy event loop cannot lose it, and
with a monotonic local deadline, so that a process that was stopped for a while knows before it acts again
(docs/architecture.md, The lease).
"""

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from codex_control_plane_contract.errors import CodexStateBusy, CodexStateUnusable
from codex_control_plane_contract.records import ExecutorLeaseRow
from codex_control_plane_mcp.process_identity import ProcessIdentity, end, is_alive
from codex_control_plane_mcp.store.clock import Clock
from codex_control_plane_mcp.store.database import connect
from codex_control_plane_mcp.store.faults import explained
from codex_control_plane_mcp.store.statements import named_statements
from codex_control_plane_mcp.store.store import Store
from codex_control_plane_mcp.store.transaction import Fence

_LOG = logging.getLogger(__name__)
_ENDS_SECONDS = 5.0
_LEASE = named_statements("lease.sql")


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to execute: the fence, and the monotonic time (seconds) until which it is certain."""

    fence: Fence
    certain_until: float


class LeaseKeeper:
    """Takes, renews and gives back the executor lease for one worker."""

    def __init__(
        self, store: Store, *, worker_id: str, identity: ProcessIdentity, hostname: str, lease_seconds: float
    ) -> None:
        self._store = store
        self._clock: Clock = store.clock
        self._worker_id = worker_id
        self._identity = identity
        self._hostname = hostname
        self._seconds = lease_seconds
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._lease: Lease | None = None
        self._fence: Fence | None = None

    @property
    def lease(self) -> Lease | None:
        """The lease while it is certain, else None."""
        lease = self._lease
        return lease if lease is not None and time.monotonic() < lease.certain_until else None

    def succeed(self) -> bool:
        """Take the lease if nobody alive holds it; return whether it was taken.

        A holder whose process is dead loses it at once. One of this host that let it fall due is ended
        first, for it was stopped, perhaps right before it writes to Codex what its successor would find
        missing and write as well. While the lease still names it, whoever comes next would end it, too
        (docs/decisions/0050).
        """
        with self._store.read() as reader:
            lease = reader.lease()
        holder = self._holder(lease)
        if holder is None:
            return self.acquire() is not None
        if is_alive(holder):
            if lease.expires_at > self._clock.now():
                return False
            if not end(holder, _ENDS_SECONDS):
                _LOG.warning("worker process %d let its lease fall due and cannot be ended", holder.pid)
                return False
        return self.acquire(lease.fence) is not None

    def _holder(self, lease: ExecutorLeaseRow) -> ProcessIdentity | None:
        """Return the process that has the lease, if it is another one, and of this host."""
        if lease.holder in (None, self._worker_id) or lease.hostname != self._hostname:
            return None
        if lease.pid is None or lease.process_started is None:
            return None
        return ProcessIdentity(lease.pid, lease.process_started)

    def acquire(self, dead_fence: int | None = None) -> Lease | None:
        """Take the lease if it is free, due, or under ``dead_fence``, whose holder is dead; else None."""
        with self._connected() as connection, explained(self._store.path):
            started = time.monotonic()
            now = self._clock.now()
            row = connection.execute(
                _LEASE["acquire"],
                {
                    "holder": self._worker_id,
                    "now": now,
                    "expires_at": now + int(self._seconds * 1000),
                    "pid": self._identity.pid,
                    "process_started": self._identity.started,
                    "hostname": self._hostname,
                    "dead_fence": dead_fence if dead_fence is not None else -1,
                },
            ).fetchall()
        if not row:
            return None
        self._fence = Fence(self._worker_id, int(row[0]["fence"]))
        self._lease = Lease(self._fence, started + self._seconds)
        return self._lease

    def start(self, *, on_lost: Callable[[], None]) -> None:
        """Renew from a thread until :meth:`release`; ``on_lost`` is called from it when the lease is gone."""
        self._stop.clear()
        self._thread = threading.Thread(
            target=self._keep, args=(on_lost,), name="executor-lease", daemon=True
        )
        self._thread.start()

    def release(self) -> None:
        """Stop renewing and give the lease back at once, also one that fell due and that nobody has taken."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._lease = None
        fence, self._fence = self._fence, None
        if fence is not None:
            with self._connected() as connection, explained(self._store.path):
                connection.execute(_LEASE["release"], {"holder": fence.holder, "fence": fence.number})
            self._store.bells.ring()

    def _keep(self, on_lost: Callable[[], None]) -> None:
        while not self._stop.wait(self._seconds / 3):
            if not self._kept():
                self._lease = None
                on_lost()
                return

    def _kept(self) -> bool:
        """Renew; return whether the lease is still ours."""
        try:
            return self._renew()
        except (CodexStateBusy, CodexStateUnusable):
            # A lock or a full disk may pass: another try comes with the next round, until the deadline.
            return self.lease is not None

    def _renew(self) -> bool:
        lease = self._lease
        if lease is None:
            return False
        started = time.monotonic()
        now = self._clock.now()
        with self._connected() as connection, explained(self._store.path):
            row = connection.execute(
                _LEASE["renew"],
                {
                    "holder": lease.fence.holder,
                    "fence": lease.fence.number,
                    "now": now,
                    "expires_at": now + int(self._seconds * 1000),
                },
            ).fetchone()
        if row is None:
            return False
        self._lease = Lease(lease.fence, started + self._seconds)
        return True

    def _connected(self) -> contextlib.closing[sqlite3.Connection]:
        return contextlib.closing(connect(self._store.path, busy_seconds=self._seconds / 3))
