"""The log: shared, private, put aside when full, free of keys and tokens."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from codex_control_plane_mcp import log
from codex_control_plane_mcp.log import RedactingFormatter, SharedFileHandler

SECRET = "ghp_" + "abcdefghijklmnopqrstuvwxyz0123456789"


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[SharedFileHandler, SharedFileHandler]]:
    """Two handlers of one file, as two processes would have."""
    handlers = SharedFileHandler(tmp_path / "log"), SharedFileHandler(tmp_path / "log")
    yield handlers
    for handler in handlers:
        handler.close()


def record(message: str) -> logging.LogRecord:
    """Return a record of `message`."""
    return logging.LogRecord("x", logging.INFO, "x.py", 1, message, (), None)


def test_a_full_log_is_put_aside_once_and_both_go_on_in_the_new_one(
    two: tuple[SharedFileHandler, SharedFileHandler], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line is lost when two processes find it full."""
    monkeypatch.setattr(log, "SIZE_LIMIT", 10)
    first, second = two
    first.emit(record("the first line"))
    second.emit(record("second"))
    first.emit(record("third"))
    assert (tmp_path / "log.1").read_text() == "the first line\n"
    assert (tmp_path / "log").read_text() == "second\nthird\n"
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


def test_a_log_that_somebody_removed_is_begun_anew(
    two: tuple[SharedFileHandler, SharedFileHandler], tmp_path: Path
) -> None:
    """A tool of the system may rotate it as well."""
    two[0].emit(record("gone"))
    (tmp_path / "log").unlink()
    two[0].emit(record("here"))
    assert (tmp_path / "log").read_text() == "here\n"


def test_keys_and_tokens_are_taken_out_of_messages_and_tracebacks() -> None:
    """Also where an exception carries them."""
    formatter = RedactingFormatter("%(message)s")
    failed = record("token %s")
    failed.args = (SECRET,)
    failed.exc_info = (RuntimeError, RuntimeError(SECRET), None)
    text = formatter.format(failed)
    assert SECRET not in text
    assert text.count("[redacted: GitHub token]") == 2
