"""A session and the followers of its threads: what every task of the worker talks to Codex through."""

from dataclasses import dataclass

from codex_control_plane_mcp.worker.following import Following
from codex_control_plane_mcp.worker.session import Session
from codex_control_plane_mcp.worker.silence import Silences


@dataclass(frozen=True, slots=True)
class Link:
    """An open session with its followers, and what they last heard."""

    session: Session
    following: Following
    silences: Silences
