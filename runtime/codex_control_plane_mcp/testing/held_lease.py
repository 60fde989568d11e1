"""The executor lease in the hand of a test."""

import os

from codex_control_plane_mcp.process_identity import ProcessIdentity
from codex_control_plane_mcp.store import Fence, LeaseKeeper, Store


def hold_lease(
    store: Store, *, worker_id: str = "wrk_test", seconds: float = 15
) -> tuple[LeaseKeeper, Fence]:
    """Take the lease of `store` for as many `seconds` of its clock; nobody renews it.

    Raises AssertionError if somebody else holds it.
    """
    keeper = LeaseKeeper(
        store,
        worker_id=worker_id,
        identity=ProcessIdentity(os.getpid(), "now"),
        hostname="here",
        lease_seconds=seconds,
    )
    lease = keeper.acquire()
    assert lease is not None
    return keeper, lease.fence
