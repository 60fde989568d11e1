"""The durable store: one SQLite file, one way to change state.

Opens with :class:`Store`; everything that changes goes through :meth:`Store.transaction`
(docs/architecture.md, One way to change state). Knows neither Codex nor MCP.
"""

from codex_control_plane_mcp.store.bells import Bells, Listener
from codex_control_plane_mcp.store.clock import Clock, SystemClock
from codex_control_plane_mcp.store.contenders import Contender, Lane
from codex_control_plane_mcp.store.faults import STATE_FAULTS
from codex_control_plane_mcp.store.lease import Lease, LeaseKeeper
from codex_control_plane_mcp.store.reading import Reader
from codex_control_plane_mcp.store.store import Store
from codex_control_plane_mcp.store.transaction import Fence, FenceLost, Stale, Transaction

__all__ = [
    "STATE_FAULTS",
    "Bells",
    "Clock",
    "Contender",
    "Fence",
    "FenceLost",
    "Lane",
    "Lease",
    "LeaseKeeper",
    "Listener",
    "Reader",
    "Stale",
    "Store",
    "SystemClock",
    "Transaction",
]
