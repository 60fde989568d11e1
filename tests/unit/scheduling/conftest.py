"""A queue to play with, under a lease that no test outlives."""

from collections.abc import Callable

import pytest

from codex_control_plane_contract.settings import Settings
from codex_control_plane_mcp.store import Fence, Store
from codex_control_plane_mcp.testing.held_lease import hold_lease
from codex_control_plane_mcp.testing.played_queue import PlayedQueue


@pytest.fixture
def fence(store: Store) -> Fence:
    """A lease of ten years: these tests let days pass."""
    _, held = hold_lease(store, seconds=315_360_000)
    return held


@pytest.fixture
def queue_with(store: Store, fence: Fence) -> Callable[[Settings], PlayedQueue]:
    """Makes a queue with these settings."""
    return lambda settings: PlayedQueue(store, fence, settings)


@pytest.fixture
def queue(queue_with: Callable[[Settings], PlayedQueue]) -> PlayedQueue:
    """A queue with the settings as they come."""
    return queue_with(Settings())
