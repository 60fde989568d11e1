"""What a fault of SQLite means to a caller: busy (wait) or unusable (a person must act)."""

import contextlib
import sqlite3
from collections.abc import Generator
from pathlib import Path
from typing import Final

from codex_control_plane_contract.errors import CodexStateBusy, CodexStateUnusable, ControlPlaneError

STATE_FAULTS: Final = (CodexStateBusy, CodexStateUnusable)
"""What a fault of the store raises; it says nothing of the task that was being worked on."""

# SQLITE_PROTOCOL: too many processes opened the write-ahead log at once.
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_UNUSABLE = {
    sqlite3.SQLITE_CORRUPT: "is corrupt; restore a backup, or move it away to start empty",
    sqlite3.SQLITE_NOTADB: "is not a SQLite database; point CODEX_MCP_STATE_DB elsewhere, or move it away",
    sqlite3.SQLITE_READONLY: "is read-only; make it and its directory writable for this user",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; check that its directory exists and is writable",
    sqlite3.SQLITE_PERM: "may not be accessed; check its owner and mode",
    sqlite3.SQLITE_FULL: "cannot grow, because the disk is full; free some space",
    sqlite3.SQLITE_IOERR: "met an input/output error; check the disk",
}


def meaning(fault: sqlite3.Error, path: Path) -> ControlPlaneError | None:
    """Return the error that a caller gets for ``fault``, or None where it is a fault of ours."""
    # The low byte is the primary code; the rest only refines it.
    code = getattr(fault, "sqlite_errorcode", 0) & 0xFF
    if code in _BUSY:
        return CodexStateBusy("The store is locked by another process; nothing was changed. Call again.")
    if code in _UNUSABLE:
        return CodexStateUnusable(f"The state file {path.name} {_UNUSABLE[code]}.", reason=str(fault))
    return None


@contextlib.contextmanager
def explained(path: Path) -> Generator[None, None, None]:
    """Turn SQLite's faults inside the block into ``CODEX_STATE_BUSY`` or ``CODEX_STATE_UNUSABLE``."""
    try:
        yield
    except sqlite3.Error as fault:
        error = meaning(fault, path)
        if error is None:
            raise
        raise error from fault
