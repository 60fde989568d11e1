"""A queue to play with, under a lease that no test outlives."""

import os
from collections.abc import Callable

import pytest

from codex_control_plane_contract.settings import Settings
from codex_control_plane_mcp.process_identity import ProcessIdentity
from codex_control_plane_mcp.store import Fence, LeaseKeeper, Store
from codex_control_plane_mcp.testing.played_queue import PlayedQueue


@pytest.fixture
def fence(store: Store) -> Fence:
    """A lease of ten years: these tests let days pass."""
    keeper = LeaseKeeper(
        store,
        worker_id="wrk_test",
        identity=ProcessIdentity(os.getpid(), "now"),
        hostname="here",
        lease_seconds=315_360_000,
    )
    lease = keeper.acquire()
    assert lease is not None
    return lease.fence


@pytest.fixture
def queue_with(store: Store, fence: Fence) -> Callable[[Settings], PlayedQueue]:
    """Makes a queue with these settings."""
    return lambda settings: PlayedQueue(store, fence, settings)


@pytest.fixture
def queue(queue_with: Callable[[Settings], PlayedQueue]) -> PlayedQueue:
    """A queue with the settings as they come."""
    return queue_with(Settings())
