"""Opening the state file: private, on a local disk, in write-ahead mode, of a known version."""

import os
import sqlite3
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from codex_control_plane_contract.errors import CodexStateUnusable
from codex_control_plane_contract.values import Value
from codex_control_plane_mcp.store.faults import explained
from codex_control_plane_mcp.store.migrations import migrate

# Locks and shared memory of SQLite's write-ahead mode do not work across machines.
NETWORK_FILE_SYSTEMS = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "afs",
        "ncpfs",
        "9p",
        "fuse.sshfs",
        "ceph",
        "glusterfs",
        "lustre",
    }
)


def row_of(cursor: sqlite3.Cursor, values: tuple[Value, ...]) -> Mapping[str, Value]:
    """Return a row as a mapping of column to value; a ``row_factory``."""
    return {column[0]: value for column, value in zip(cursor.description, values, strict=True)}


def connect(path: Path, *, busy_seconds: float) -> sqlite3.Connection:
    """Return a connection to an existing file, in autocommit mode, for one thread at a time."""
    with explained(path):
        connection = sqlite3.connect(
            path, timeout=busy_seconds, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        connection.row_factory = row_of
        # FULL: an acknowledged submission survives a power cut (docs/architecture.md, The store).
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection


def prepare(path: Path, *, busy_seconds: float) -> None:
    """Make the state file ready: its directory 0700, itself 0600, write-ahead mode, newest schema.

    Raises CODEX_STATE_UNUSABLE for a file that is corrupt, newer than this program, read-only or on a
    network file system, and leaves such a file as it is; CODEX_STATE_BUSY when it stays locked.
    """
    _private_directory(path.parent)
    _refuse_network(path.parent)
    _private_file(path)
    connection = connect(path, busy_seconds=busy_seconds)
    try:
        with explained(path):
            migrate(connection, path)
    finally:
        connection.close()


def _private_directory(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if stat.S_IMODE(directory.stat().st_mode) & 0o077:
            directory.chmod(0o700)
    except OSError as fault:
        raise CodexStateUnusable(
            f"The state directory cannot be made private: {fault.strerror}. "
            "Point CODEX_MCP_STATE_DB to a directory that this user owns.",
            reason=str(fault.errno),
        ) from fault


def _private_file(path: Path) -> None:
    """Create the file with mode 0600 before SQLite would create it with the umask's."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)
    except OSError as fault:
        raise CodexStateUnusable(
            f"The state file {path.name} cannot be opened for writing: {fault.strerror}. "
            "Make it and its directory writable for this user.",
            reason=str(fault.errno),
        ) from fault


def _refuse_network(directory: Path) -> None:
    kind = file_system(directory)
    if kind in NETWORK_FILE_SYSTEMS:
        raise CodexStateUnusable(
            f"The state directory is on a network file system ({kind}), where locks cannot be trusted. "
            "Point CODEX_MCP_STATE_DB to a local disk.",
            reason=kind,
        )


def file_system(directory: Path, mounts: Path = Path("/proc/self/mounts")) -> str:
    """Return the type of the file system that holds ``directory``; empty where the platform does not say."""
    if sys.platform != "linux":
        return ""
    real = directory.resolve()
    best, kind = "", ""
    for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
        _, point, this_kind, *_ = line.split(" ")
        point = point.encode().decode("unicode_escape")
        if len(point) >= len(best) and real.is_relative_to(point):
            best, kind = point, this_kind
    return kind
