"""Who listens at a unix socket: the kernel knows the process, whatever a file says."""

import socket
import struct
import sys
from pathlib import Path
from typing import Final

from codex_control_plane_mcp.codex.connection import reachable_path

_CONNECT_SECONDS: Final = 2.0
_SOL_LOCAL: Final = 0
_LOCAL_PEERPID: Final = 2
"""Option of macOS that CPython does not name; see `sys/un.h`."""


def listener_pid(socket_path: Path) -> int | None:
    """Return the id of the process that accepts connections at `socket_path`, or None when nobody does.

    Blocks for two seconds at the most, when the listener is too busy to accept.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(_CONNECT_SECONDS)
        try:
            client.connect(str(reachable_path(socket_path)))
        except OSError:
            return None
        return _peer_pid(client)


def _peer_pid(client: socket.socket) -> int:
    if sys.platform == "darwin":
        return int(client.getsockopt(_SOL_LOCAL, _LOCAL_PEERPID))
    credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, _user, _group = struct.unpack("3i", credentials)
    return int(pid)
