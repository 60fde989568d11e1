"""The executor lease: at most one worker executes, and it knows when it no longer does."""

import contextlib
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from codex_control_plane_contract.errors import CodexStateBusy
from codex_control_plane_contract.lifecycles import operation
from codex_control_plane_mcp.process_identity import ProcessIdentity, identify, is_alive
from codex_control_plane_mcp.store import Fence, FenceLost, LeaseKeeper, Store
from codex_control_plane_mcp.store import lease as lease_module
from codex_control_plane_mcp.store.lease import Lease
from codex_control_plane_mcp.testing.manual_clock import NOON, ManualClock
from codex_control_plane_mcp.testing.python_child import PythonChild
from codex_control_plane_mcp.testing.sample_rows import SampleRows

SHORT = 0.3
"""Seconds, for a lease that is to be lost."""

LONGER = 1.2
"""Seconds, for a lease that a busy machine must not lose."""

NOBODY = Fence("nobody", 0)

HOLD = """
import os, sys, threading
from pathlib import Path
from codex_control_plane_contract.lifecycles import operation
from codex_control_plane_mcp.process_identity import identify
from codex_control_plane_mcp.store import FenceLost, LeaseKeeper, Store

store = Store.open(Path(sys.argv[1]))
keeper = LeaseKeeper(
    store, worker_id="wrk_child", identity=identify(os.getpid()), hostname="here",
    lease_seconds=float(sys.argv[2]))
lease = keeper.acquire()
lost = threading.Event()
keeper.start(on_lost=lost.set)
with store.read() as reader:
    row = reader.operation(sys.argv[3])
assert keeper.lease is not None
print("about to commit")
sys.stdin.readline()
print("certain" if keeper.lease is not None else "not certain")
try:
    with store.transaction("wrk_child", lease.fence) as (transaction, _):
        transaction.apply(row.claim(worker_id="wrk_child"))
    print("committed")
except FenceLost:
    print("fence lost")
print("told" if lost.wait(20) else "not told")
"""


def keeper_of(store: Store, worker_id: str, lease_seconds: float = 15.0) -> LeaseKeeper:
    """Return a keeper for one worker."""
    return LeaseKeeper(
        store,
        worker_id=worker_id,
        identity=ProcessIdentity(os.getpid(), "now"),
        hostname="here",
        lease_seconds=lease_seconds,
    )


def until(condition: Callable[[], object]) -> None:
    """Wait for something that time alone brings about."""
    deadline = time.monotonic() + 20.0
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)


@contextlib.contextmanager
def locked(path: Path) -> Generator[None, None, None]:
    """Let somebody else hold the write lock."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")
    finally:
        connection.close()


@pytest.fixture
def real_store(tmp_path: Path) -> Iterator[Store]:
    """A store on the clock of this machine."""
    with Store.open(tmp_path / "real" / "state.sqlite") as store:
        yield store


def test_one_of_two_gets_it(store: Store) -> None:
    """While one worker holds the lease, another does not get it."""
    one, two = keeper_of(store, "wrk_1"), keeper_of(store, "wrk_2")
    lease = one.acquire()
    assert lease is not None
    assert one.lease == lease
    assert two.acquire() is None
    assert two.lease is None
    assert one.acquire() is None
    with store.read() as reader:
        row = reader.lease()
    assert (row.holder, row.fence, row.expires_at) == ("wrk_1", 1, NOON + 15_000)
    assert (row.pid, row.process_started, row.hostname) == (os.getpid(), "now", "here")


def test_one_of_many_gets_it_at_once(store: Store) -> None:
    """Of many that try at the same moment, one wins."""
    start = threading.Barrier(8)
    won: list[str] = []

    def compete(name: str) -> None:
        keeper = keeper_of(store, name)
        start.wait()
        if keeper.acquire() is not None:
            won.append(name)

    threads = [threading.Thread(target=compete, args=(f"wrk_{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


class Watching(LeaseKeeper):
    """A keeper that looks, whenever it is about to take the lease, whether a process is alive."""

    def watch(self, process: ProcessIdentity) -> list[bool]:
        """Return the list to which each look is added."""
        self._process, self._looks = process, list[bool]()
        return self._looks

    def acquire(self, dead_fence: int | None = None) -> Lease | None:
        """Look, then acquire."""
        self._looks.append(is_alive(self._process))
        return super().acquire(dead_fence)


def test_who_let_the_lease_fall_due_is_ended_before_it_changes_hands(real_store: Store) -> None:
    """A stopped holder has ended when its lease is taken: a successor that dies then leaves none behind."""
    row = SampleRows(real_store, NOBODY).row("operation", "queued")
    own = ProcessIdentity(os.getpid(), "now")
    successor = Watching(real_store, worker_id="wrk_2", identity=own, hostname="here", lease_seconds=LONGER)
    with PythonChild(HOLD, real_store.path, LONGER, row.row_id) as child:
        child.hear()
        stopped = identify(child.pid)
        assert stopped is not None
        looks = successor.watch(stopped)
        child.send_signal(signal.SIGSTOP)
        until(successor.succeed)
    assert looks == [False]


def test_who_cannot_be_ended_keeps_its_lease(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A holder that is alive after all may still write to Codex; so nobody takes its place."""
    own = identify(os.getpid())
    assert own is not None
    LeaseKeeper(store, worker_id="wrk_1", identity=own, hostname="here", lease_seconds=15.0).acquire()
    clock.advance(15_000)

    def survives(_process: ProcessIdentity, _seconds: float) -> bool:
        return False

    monkeypatch.setattr(lease_module, "end", survives)
    assert not keeper_of(store, "wrk_2").succeed()
    with store.read() as reader:
        assert reader.lease().holder == "wrk_1"


def test_a_due_lease_is_taken_over(store: Store, clock: ManualClock) -> None:
    """Who takes it gets a higher fence, and the former holder commits nothing more."""
    former = keeper_of(store, "wrk_1").acquire()
    assert former is not None
    clock.advance(14_999)
    assert keeper_of(store, "wrk_2").acquire() is None
    clock.advance(1)
    latter = keeper_of(store, "wrk_2").acquire()
    assert latter is not None
    assert latter.fence.number == former.fence.number + 1
    row = SampleRows(store, latter.fence).row("operation", "queued")
    assert isinstance(row, operation.Queued)
    with pytest.raises(FenceLost), store.transaction("wrk_1", former.fence) as (transaction, _):
        transaction.apply(row.claim(worker_id="wrk_1"))
    with store.transaction("wrk_2", latter.fence) as (transaction, _):
        transaction.apply(row.claim(worker_id="wrk_2"))


def test_the_lease_of_the_dead_is_taken_at_once(store: Store) -> None:
    """A fence whose holder is known to be dead need not fall due; any other fence is not touched."""
    assert keeper_of(store, "wrk_1").acquire() is not None
    two = keeper_of(store, "wrk_2")
    assert two.acquire(dead_fence=7) is None
    lease = two.acquire(dead_fence=1)
    assert lease is not None
    assert lease.fence.number == 2


def test_two_that_find_the_same_dead_holder(store: Store) -> None:
    """The second finds another fence than the one that it knew to be dead."""
    assert keeper_of(store, "wrk_1").acquire() is not None
    assert keeper_of(store, "wrk_2").acquire(dead_fence=1) is not None
    assert keeper_of(store, "wrk_3").acquire(dead_fence=1) is None


def test_what_is_given_back_is_free(store: Store) -> None:
    """A release rings, ends the right to commit, and lets the next one in with a higher fence."""
    one = keeper_of(store, "wrk_1")
    lease = one.acquire()
    assert lease is not None
    with store.bells.listen() as listener:
        one.release()
        assert listener.drain()
    assert one.lease is None
    with pytest.raises(FenceLost):
        SampleRows(store, lease.fence).row("attempt", "prepared")
    following = keeper_of(store, "wrk_2").acquire()
    assert following is not None
    assert following.fence.number == 2


def test_a_late_release_takes_nothing_away(store: Store, clock: ManualClock) -> None:
    """Who lost the lease to another cannot give it back."""
    one, two = keeper_of(store, "wrk_1"), keeper_of(store, "wrk_2")
    one.acquire()
    clock.advance(15_000)
    two.acquire()
    one.release()
    with store.read() as reader:
        assert reader.lease().holder == "wrk_2"


def test_its_thread_keeps_it(real_store: Store) -> None:
    """Renewed from its thread, the lease outlasts its time, and commits go through."""
    keeper = keeper_of(real_store, "wrk_1", LONGER)
    first = keeper.acquire()
    assert first is not None
    keeper.start(on_lost=lambda: pytest.fail("lost"))
    until(lambda: time.monotonic() > first.certain_until)
    assert keeper.lease is not None
    assert keeper.lease.fence == first.fence
    assert keeper_of(real_store, "wrk_2").acquire() is None
    SampleRows(real_store, first.fence).row("attempt", "prepared")
    keeper.release()
    assert "executor-lease" not in {thread.name for thread in threading.enumerate()}


def test_a_lost_lease_is_told(store: Store, clock: ManualClock) -> None:
    """The holder hears from its thread that another has the lease."""
    keeper = keeper_of(store, "wrk_1", SHORT)
    keeper.acquire()
    clock.advance(1000)
    assert keeper_of(store, "wrk_2").acquire() is not None
    lost = threading.Event()
    keeper.start(on_lost=lost.set)
    assert lost.wait(20)
    assert keeper.lease is None
    keeper.release()


def test_a_stuck_renewal_ends_the_certainty(real_store: Store) -> None:
    """Once the deadline has passed without a renewal the lease is not certain, and the holder is told."""
    keeper = keeper_of(real_store, "wrk_1", SHORT)
    keeper.acquire()
    lost = threading.Event()
    with locked(real_store.path):
        keeper.start(on_lost=lost.set)
        until(lambda: keeper.lease is None)
        assert lost.wait(20)
    keeper.release()


def test_a_short_lock_does_no_harm(real_store: Store) -> None:
    """A renewal that met a lock is tried again and keeps the lease."""
    keeper = keeper_of(real_store, "wrk_1", LONGER)
    first = keeper.acquire()
    assert first is not None
    with locked(real_store.path):
        keeper.start(on_lost=lambda: pytest.fail("lost"))
        until(lambda: time.monotonic() > first.certain_until - LONGER / 2)
    until(lambda: time.monotonic() > first.certain_until)
    assert keeper.lease is not None
    keeper.release()


def test_a_locked_store_gives_no_lease(store: Store) -> None:
    """Trying to take the lease of a store that stays locked is busy, not a fault of ours."""
    with locked(store.path), pytest.raises(CodexStateBusy):
        keeper_of(store, "wrk_1", SHORT).acquire()


def test_a_worker_that_was_stopped_commits_nothing(real_store: Store) -> None:
    """A process that slept through the end of its lease, and then goes on to commit, is refused and told."""
    row = SampleRows(real_store, NOBODY).row("operation", "queued")
    with PythonChild(HOLD, real_store.path, LONGER, row.row_id) as child:
        assert child.hear() == "about to commit"
        child.send_signal(signal.SIGSTOP)
        keeper = keeper_of(real_store, "wrk_2")
        until(keeper.acquire)
        child.say("go on")
        child.send_signal(signal.SIGCONT)
        assert [child.hear() for _ in range(3)] == ["not certain", "fence lost", "told"]
    with real_store.read() as reader:
        assert reader.operation(row.row_id) == row
        assert reader.lease().holder == "wrk_2"


def test_a_killed_holder_is_replaced_at_once(real_store: Store) -> None:
    """The lease of a worker that was killed passes on without waiting for its end."""
    row = SampleRows(real_store, NOBODY).row("operation", "queued")
    with PythonChild(HOLD, real_store.path, 600, row.row_id) as child:
        child.hear()
        child.kill()
    with real_store.read() as reader:
        held = reader.lease()
    assert (held.pid, held.holder) == (child.pid, "wrk_child")
    lease = keeper_of(real_store, "wrk_2").acquire(held.fence)
    assert lease is not None
    assert lease.fence.number == held.fence + 1
