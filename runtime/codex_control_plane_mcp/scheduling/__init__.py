"""Scheduling: which queued task may start now, and why each other one waits (contract §8).

One rule, asked inside the transaction that claims, and by every tool that shows the queue. It reads the store
and keeps nothing: slots and locks are what the active tasks stand for, so neither can leak.
"""

from codex_control_plane_mcp.scheduling.paths import lock_paths, normalised_keys
from codex_control_plane_mcp.scheduling.schedule import Schedule
from codex_control_plane_mcp.scheduling.standing import rank

__all__ = ["Schedule", "lock_paths", "normalised_keys", "rank"]
