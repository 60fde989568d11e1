"""The log: one file for all processes of a user, private, rotated, free of keys and tokens (contract §12)."""

import fcntl
import logging
import logging.handlers
import os
import sys
import time
from io import TextIOWrapper
from pathlib import Path
from typing import Final

from codex_control_plane_mcp.redaction import redact

SIZE_LIMIT: Final = 5_000_000
"""Bytes after which the log is put aside as `.1`; the one that was there before is dropped."""

_FORMAT: Final = "%(asctime)s.%(msecs)03dZ %(levelname)s %(process)d %(name)s %(message)s"
_TIME: Final = "%Y-%m-%dT%H:%M:%S"
_OWN: Final = "codex_control_plane_mcp"


class RedactingFormatter(logging.Formatter):
    """Formats a record, its traceback included, and then takes keys and tokens out."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of `record` as it may be written."""
        return redact(super().format(record))


class SharedFileHandler(logging.handlers.WatchedFileHandler):
    """Appends to a file that other processes append to and put aside as well.

    Each process follows the name of the file, and the one that finds it full renames it under a lock; with
    the standard library's rotating handler every process would rename what the other had just begun.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Write `record` as one line, to a new file if the present one is full."""
        file = self._current()
        if os.fstat(file.fileno()).st_size > SIZE_LIMIT:
            self._put_aside(file)
        super().emit(record)

    def _current(self) -> TextIOWrapper:
        self.reopenIfNeeded()
        if self.stream is None:
            self.stream = self._open()
        return self.stream

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        os.fchmod(descriptor, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace")

    def _put_aside(self, file: TextIOWrapper) -> None:
        path = Path(self.baseFilename)
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            # Another process may have been first; then the name stands for a new file already.
            if os.fstat(file.fileno()).st_ino == path.stat().st_ino:
                path.replace(f"{path}.1")
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)


def open_log(path: Path) -> None:
    """Send everything that is logged in this process to `path`, made private; our own records from INFO on.

    Where the file cannot be written the records go to stderr instead: a server without a log still serves.
    """
    root = logging.getLogger()
    root.addHandler(_handler(path))
    root.setLevel(logging.WARNING)
    logging.getLogger(_OWN).setLevel(logging.INFO)


def _handler(path: Path) -> logging.Handler:
    handler: logging.Handler
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = SharedFileHandler(path)
    except OSError as fault:
        handler = logging.StreamHandler(sys.stderr)
        sys.stderr.write(f"The log {path} cannot be written ({fault.strerror}); logging to stderr.\n")
    formatter = RedactingFormatter(_FORMAT, _TIME)
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    return handler
