"""The deadline of an order about a thread: only what Codex was never asked for is given up."""

import os
from functools import partial

from codex_control_plane_contract.lifecycles import thread_action
from codex_control_plane_mcp.process_identity import ProcessIdentity
from codex_control_plane_mcp.store import Fence, LeaseKeeper, Store
from codex_control_plane_mcp.testing.manual_clock import ManualClock
from codex_control_plane_mcp.worker.action_outcomes import record_call
from codex_control_plane_mcp.worker.commands import close_fulfilled

ACTION = "act_1"
EIGHT_DAYS_MS = 8 * 24 * 3600 * 1000


def lease(store: Store, worker_id: str) -> Fence:
    """Return the lease of a new worker."""
    identity = ProcessIdentity(os.getpid(), "now")
    keeper = LeaseKeeper(store, worker_id=worker_id, identity=identity, hostname="here", lease_seconds=15)
    held = keeper.acquire()
    assert held is not None
    return held.fence


def request(store: Store) -> thread_action.Starting:
    """Ask for a compaction."""
    with store.transaction("client") as (transaction, _):
        return transaction.apply(
            thread_action.request(thread_action_id=ACTION, kind="compaction", thread_id="thread-1")
        )


def after_a_week(store: Store, clock: ManualClock) -> tuple[str, bool]:
    """Return the state of the action after the deadline of its order, and whether the order is open."""
    clock.advance(EIGHT_DAYS_MS)
    with store.transaction("wrk_2", lease(store, "wrk_2")) as (transaction, reader):
        close_fulfilled(transaction, reader, worker_id="wrk_2")
    with store.read() as reader:
        row = reader.thread_action(ACTION)
        order = reader.open_command_of(ACTION, "act_on_thread")
    assert row is not None
    return row.state, order is not None


def test_what_codex_was_never_asked_for_is_given_up(store: Store, clock: ManualClock) -> None:
    """The thread is free for tasks again."""
    request(store)
    assert after_a_week(store, clock) == ("failed", False)


def test_what_codex_may_be_at_keeps_its_thread(store: Store, clock: ManualClock) -> None:
    """A task would be steered into the compaction, or be ended by a call that comes late."""
    call = partial(record_call, row=request(store), worker_id="wrk_1", generation=1)
    with store.transaction("wrk_1", lease(store, "wrk_1")) as (transaction, reader):
        call(transaction, reader)
    assert after_a_week(store, clock) == ("starting", True)
