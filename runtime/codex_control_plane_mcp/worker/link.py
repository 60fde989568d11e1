"""A session and the followers of its threads: what every task of the worker talks to Codex through."""

from dataclasses import dataclass

from codex_control_plane_mcp.worker.following import Following
from codex_control_plane_mcp.worker.session import Session


@dataclass(frozen=True, slots=True)
class Link:
    """An open session with its followers."""

    session: Session
    following: Following
