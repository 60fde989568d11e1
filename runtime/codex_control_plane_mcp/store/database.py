"""Opening the state file: private, on a local disk, in write-ahead mode, of a known version."""

import contextlib
import errno
import os
import re
import sqlite3
import stat
import sys
from collections.abc import Generator, Mapping
from pathlib import Path

from codex_control_plane_contract.errors import CodexStateUnusable
from codex_control_plane_contract.values import Value
from codex_control_plane_mcp.store.faults import explained
from codex_control_plane_mcp.store.migrations import migrate, require_newest

MOUNTS = Path("/proc/self/mounts")

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
        try:
            # FULL: an acknowledged submission survives a power cut (docs/architecture.md, The store).
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
        except sqlite3.Error:
            connection.close()
            raise
        return connection


def connect_read_only(path: Path, *, busy_seconds: float) -> sqlite3.Connection:
    """Return a connection that can change nothing, to a file that other processes may be using.

    Raises CODEX_STATE_UNUSABLE for a file that is missing, damaged, or not of this program's schema.
    """
    if not path.exists():
        raise CodexStateUnusable(
            f"There is no state file at {path}. The first server or worker with these settings creates it; "
            "or point CODEX_MCP_STATE_DB to another file."
        )
    with explained(path):
        # The URI, because only it can say that the file must not be created.
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=busy_seconds, isolation_level=None
        )
        connection.row_factory = row_of
        try:
            require_newest(connection, path)
        except BaseException:
            connection.close()
            raise
        return connection


def prepare(path: Path, *, busy_seconds: float, mounts: Path = MOUNTS) -> None:
    """Make the state file ready: its directory 0700, itself 0600, write-ahead mode, newest schema.

    Raises CODEX_STATE_UNUSABLE for a file that is corrupt, newer than this program, read-only or on a
    network file system, and leaves such a file as it is; CODEX_STATE_BUSY when it stays locked.
    ``mounts`` lists the mounted file systems, as `/proc/self/mounts` does.
    """
    _refuse_network(path.parent, mounts)
    _private_directory(path.parent)
    with _refusing(f"The state file {path.name} cannot be used", "Make it a file that this user may write."):
        _create(path)
        _require_writable(path)
    with contextlib.closing(connect(path, busy_seconds=busy_seconds)) as connection, explained(path):
        migrate(connection, path)
    # Only now is it known to be ours.
    with _refusing(f"The state file {path.name} cannot be made private", "Make this user its owner."):
        path.chmod(0o600)


@contextlib.contextmanager
def _refusing(what: str, remedy: str) -> Generator[None, None, None]:
    """Turn a fault of the operating system inside the block into ``CODEX_STATE_UNUSABLE``."""
    try:
        yield
    except OSError as fault:
        raise CodexStateUnusable(f"{what}: {fault.strerror}. {remedy}", reason=str(fault.errno)) from fault


def _private_directory(directory: Path) -> None:
    remedy = "Point CODEX_MCP_STATE_DB to a directory that this user owns."
    with _refusing("The state directory cannot be made private", remedy):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = stat.S_IMODE(directory.stat().st_mode)
        if mode & stat.S_ISVTX:
            # Such as /tmp, which the superuser must not take away from everybody else.
            raise PermissionError(errno.EPERM, "it is shared by all users")
        if mode & 0o077:
            directory.chmod(0o700)


def _create(path: Path) -> None:
    """Create the file with mode 0600 before SQLite would create it with the umask's.

    One that exists is not opened: closing it would drop the locks of this process's other connections to it
    (https://www.sqlite.org/howtocorrupt.html, 2.2).
    """
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)


def _require_writable(path: Path) -> None:
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")
    if not os.access(path, os.R_OK | os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _refuse_network(directory: Path, mounts: Path) -> None:
    kind = file_system(directory, mounts)
    if kind in NETWORK_FILE_SYSTEMS:
        raise CodexStateUnusable(
            f"The state directory is on a network file system ({kind}), where locks cannot be trusted. "
            "Point CODEX_MCP_STATE_DB to a local disk.",
            reason=kind,
        )


def file_system(directory: Path, mounts: Path = MOUNTS) -> str:
    """Return the type of the file system that holds ``directory``; empty where the platform does not say."""
    if sys.platform != "linux" or not mounts.exists():
        return ""
    real = directory.resolve()
    best, kind = "", ""
    for line in os.fsdecode(mounts.read_bytes()).strip("\n").split("\n"):
        _, escaped, this_kind, *_ = line.split(" ")
        point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), escaped)
        if len(point) >= len(best) and real.is_relative_to(point):
            best, kind = point, this_kind
    return kind
