"""A worker process: registers, competes for the lease, executes while it holds it, leaves when idle."""

import asyncio
import contextlib
import logging
import os
import socket
import time
from dataclasses import dataclass
from functools import partial
from typing import Literal

from codex_control_plane_contract.contract import CONTRACT_HASH
from codex_control_plane_contract.errors import ControlPlaneError
from codex_control_plane_contract.lifecycles import worker
from codex_control_plane_contract.settings import Settings
from codex_control_plane_mcp.process_identity import ProcessIdentity, identify, is_alive
from codex_control_plane_mcp.store import Fence, FenceLost, LeaseKeeper, Listener, Store
from codex_control_plane_mcp.store.identifiers import new_id
from codex_control_plane_mcp.version import program_version
from codex_control_plane_mcp.worker.executor import Executor
from codex_control_plane_mcp.worker.ledger import Ledger

_LOG = logging.getLogger(__name__)
_DRAIN_SECONDS = 5.0

Reason = Literal["signal", "handover", "idle"]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the store says: whether this worker's place is asked for, and whether a worker is needed."""

    handover: bool
    wanted: bool


class Worker:
    """One worker; :meth:`run` is its life."""

    def __init__(
        self, store: Store, settings: Settings, *, observe: bool = False, heartbeat_seconds: float = 15.0
    ) -> None:
        self._store = store
        self._settings = settings
        self._observe = observe or settings.execution_mode == "observe"
        self._heartbeat_seconds = heartbeat_seconds
        self._identity = _own_identity()
        self._worker_id = new_id(worker.ID_PREFIX, store.clock.now())
        self._bell = asyncio.Event()
        self._attention = asyncio.Event()
        self._stopping = False
        self._last_busy = time.monotonic()
        self._executor: Executor | None = None
        self._keeper = LeaseKeeper(
            store,
            worker_id=self._worker_id,
            identity=self._identity,
            hostname=socket.gethostname(),
            lease_seconds=settings.lease_seconds,
        )

    def stop(self) -> None:
        """Ask it to end in order; the turns of Codex go on without it. To be called from the event loop."""
        self._stopping = True
        self._bell.set()
        self._attention.set()

    async def run(self) -> None:
        """Live until stopped, or idle for as long as the settings say."""
        await asyncio.to_thread(self._register)
        loop = asyncio.get_running_loop()
        with self._store.bells.listen() as listener:
            loop.add_reader(listener.fileno(), self._rung, listener)
            heart = asyncio.create_task(self._beat(), name="heartbeat")
            try:
                reason = await self._live()
            finally:
                loop.remove_reader(listener.fileno())
                heart.cancel()
                await asyncio.gather(heart, return_exceptions=True)
        await asyncio.to_thread(self._change, "stop", reason)

    async def _live(self) -> Reason:
        while True:
            self._bell.clear()
            try:
                reason = await self._reason_to_leave()
                if reason is not None:
                    return reason
                if not self._observe and await self._execute_if_free():
                    continue
            except ControlPlaneError as fault:
                # The store is locked, full or away; whoever can use it first takes the lease.
                _LOG.warning("the store cannot be used now: %s", fault)
            await _wait(self._bell, self._settings.lease_seconds / 2)

    async def _execute_if_free(self) -> bool:
        """Execute for as long as possible if the lease is free; return whether it was."""
        if not await asyncio.to_thread(self._keeper.succeed):
            return False
        await self._execute()
        return True

    async def _execute(self) -> None:
        """Execute until stopped, idle, or the lease is lost."""
        lease = self._keeper.lease
        if lease is None:
            return
        self._keeper.start(on_lost=partial(self._lose_from_thread, asyncio.get_running_loop()))
        try:
            await asyncio.to_thread(self._change, "execute", "")
            await asyncio.to_thread(self._bury)
            await self._work(lease.fence)
        finally:
            await asyncio.to_thread(self._keeper.release)

    async def _work(self, fence: Fence) -> None:
        ledger = Ledger(self._store, self._keeper, fence)
        executor = self._executor = Executor(ledger, self._settings, self._store.path.parent)
        running = asyncio.create_task(executor.run(), name="executor")
        try:
            await self._watch(running, executor)
        finally:
            self._executor = None
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await executor.close()
            await asyncio.to_thread(ledger.close)

    async def _watch(self, running: asyncio.Task[None], executor: Executor) -> None:
        """Return when the executor must end; unless the lease is gone, calls under way arrive first."""
        running.add_done_callback(lambda _: self._attention.set())
        while not running.done():
            self._attention.clear()
            if self._keeper.lease is None and not self._stopping:
                _LOG.warning("the executor lease is lost")
                await asyncio.to_thread(self._change, "yield_lease", "")
                return
            reason = await self._reason_to_leave()
            if reason is not None:
                await self._cease(running, executor, reason)
                return
            await _wait(self._attention, self._seconds_to_idle())
        fault = running.exception()
        if fault is not None and not isinstance(fault, FenceLost):
            raise fault

    async def _cease(self, running: asyncio.Task[None], executor: Executor, reason: Reason) -> None:
        """Take up nothing more; an idle worker ends the app-server, any other lets calls under way arrive."""
        if reason != "idle":
            await asyncio.to_thread(self._change, "drain", "")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        if reason == "idle":
            await executor.stop_app_server()
        else:
            await executor.drain(_DRAIN_SECONDS)

    async def _reason_to_leave(self) -> Reason | None:
        """Return why this worker should end now, or None.

        Idle is: nothing to do, and no server alive, for the idle time.
        """
        if self._stopping:
            return "signal"
        outlook = await asyncio.to_thread(self._look)
        if outlook.handover:
            return "handover"
        if (self._executor is not None and self._executor.busy) or outlook.wanted:
            self._last_busy = time.monotonic()
        idle = time.monotonic() - self._last_busy >= self._settings.worker_idle_seconds
        return "idle" if idle else None

    def _look(self) -> Outlook:
        with self._store.read() as reader:
            work, workers, own = reader.open_work(), reader.live_workers(), reader.worker(self._worker_id)
        to_do = any(work[each] for each in ("queued", "in_hand", "commands", "goals", "waiting_for_quota"))
        return Outlook(
            handover=own is not None and own.handover_requested_at is not None,
            wanted=bool(to_do or self._store.bells.listening() - {row.pid for row in workers}),
        )

    def _seconds_to_idle(self) -> float:
        # A server that goes away rings no bell; so it is looked for now and then.
        return min(max(self._last_busy + self._settings.worker_idle_seconds - time.monotonic(), 0.05), 60.0)

    def _rung(self, listener: Listener) -> None:
        listener.drain()
        self._bell.set()
        self._attention.set()
        if self._executor is not None:
            self._executor.wake()

    def _lose_from_thread(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.call_soon_threadsafe(self._attention.set)

    async def _beat(self) -> None:
        """Say now and then that this worker lives (contract §4 workerState)."""
        while True:
            await asyncio.sleep(self._heartbeat_seconds)
            # A beat that the store has no room for is made good by the next one.
            with contextlib.suppress(ControlPlaneError):
                await asyncio.to_thread(self._touch)

    def _touch(self) -> None:
        with self._store.transaction(self._worker_id) as (transaction, reader):
            row = reader.worker(self._worker_id)
            if row is not None:
                transaction.touch(row.heartbeat())

    def _register(self) -> None:
        with self._store.transaction(self._worker_id) as (transaction, _):
            transaction.apply(
                worker.register(
                    worker_id=self._worker_id,
                    pid=self._identity.pid,
                    process_started=self._identity.started,
                    hostname=socket.gethostname(),
                    version=program_version(),
                    contract_hash=CONTRACT_HASH,
                    execution_mode="worker" if self._settings.execution_mode == "worker" else "inline",
                )
            )

    def _change(self, event: Literal["execute", "yield_lease", "drain", "stop"], reason: str) -> None:
        """Record a change of this worker's own state; one that is already so is absorbed."""
        with self._store.transaction(self._worker_id) as (transaction, reader):
            row = reader.worker(self._worker_id)
            if event == "execute" and isinstance(row, worker.Standby):
                transaction.apply(row.execute())
            elif event == "yield_lease" and isinstance(row, worker.Executing):
                transaction.apply(row.yield_lease())
            elif event == "drain" and isinstance(row, worker.Executing):
                transaction.apply(row.drain())
            elif event == "stop" and isinstance(row, worker.Live):
                transaction.apply(row.stop(stop_reason=reason))

    def _bury(self) -> None:
        """Record the workers of this host whose process is gone."""

        def dead(row: worker.Live) -> bool:
            return row.hostname == socket.gethostname() and not is_alive(
                ProcessIdentity(row.pid, row.process_started)
            )

        with self._store.transaction(self._worker_id) as (transaction, reader):
            for row in reader.live_workers():
                if dead(row):
                    transaction.apply(
                        row.lose(stop_reason="its process is gone"), by="worker", evidence="the pid is dead"
                    )


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Return when the event is set, or after so many seconds."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


def _own_identity() -> ProcessIdentity:
    identity = identify(os.getpid())
    assert identity is not None
    return identity
