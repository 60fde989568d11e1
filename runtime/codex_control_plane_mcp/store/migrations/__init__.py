"""Forward migrations of the state file: ``NNNN_title.sql``, one transaction each, for ever unchanged."""

import re
import sqlite3
from importlib.resources import files
from pathlib import Path

from codex_control_plane_contract.errors import CodexStateUnusable

# "CCPM" in the header of every state file, so that no other program's database is taken for one.
APPLICATION_ID = 0x4343504D

_NAME = re.compile(r"(\d{4})_\w+\.sql")


def migrations() -> list[tuple[int, str]]:
    """Return the migrations as (number, SQL), in order from 1 without a gap."""
    found: list[tuple[int, str]] = []
    for resource in files(__name__).iterdir():
        match = _NAME.fullmatch(resource.name)
        if match:
            found.append((int(match[1]), resource.read_text(encoding="utf-8")))
    return sorted(found)


def migrate(connection: sqlite3.Connection, path: Path) -> int:
    """Bring the file to the newest schema and return its version (``PRAGMA user_version``).

    Raises CODEX_STATE_UNUSABLE if the file is newer than this program, or holds tables of something else;
    the file is then left as it is.
    """
    steps = migrations()
    newest = steps[-1][0]
    version = _ours(connection, path)
    if version > newest:
        raise CodexStateUnusable(
            f"The state file {path.name} was written by a newer version (schema {version}; this program "
            f"knows {newest}). Update codex-control-plane-mcp, or point CODEX_MCP_STATE_DB to another file.",
            schemaVersion=version,
            knownVersion=newest,
        )
    _write_ahead(connection, path)
    for number, script in steps[version:]:
        _step(connection, number, script)
    return newest


def require_newest(connection: sqlite3.Connection, path: Path) -> None:
    """Raise CODEX_STATE_UNUSABLE unless the file is ours and has the schema of this program."""
    newest = migrations()[-1][0]
    version = _ours(connection, path)
    if version != newest:
        raise CodexStateUnusable(
            f"The state file {path.name} has schema {version}; this program reads {newest}. "
            "Use the version of codex-control-plane-mcp that its servers run.",
            schemaVersion=version,
            knownVersion=newest,
        )


def _ours(connection: sqlite3.Connection, path: Path) -> int:
    """Return the version of our file, 0 for an empty one; raise CODEX_STATE_UNUSABLE for any other."""
    # One snapshot: another process may be creating the tables.
    connection.execute("BEGIN")
    try:
        version, owner = _pragma(connection, "user_version"), _pragma(connection, "application_id")
        used = connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    if owner != APPLICATION_ID and (used or version or owner):
        raise CodexStateUnusable(
            f"The file {path.name} is a database of another program. "
            "Point CODEX_MCP_STATE_DB to another file."
        )
    return version


def _write_ahead(connection: sqlite3.Connection, path: Path) -> None:
    try:
        mode = _switch(connection)
    except sqlite3.OperationalError as fault:
        if fault.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
        # Whoever switches a new file over while another does is refused at once. To begin a change waits for
        # the other, as long as the connection has time; then there is nothing left to switch.
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
        mode = _switch(connection)
    if mode != "wal":
        raise CodexStateUnusable(
            f"The file system of the state file {path.name} has no shared memory for SQLite's write-ahead "
            "mode. Point CODEX_MCP_STATE_DB to a local disk.",
            reason=str(mode),
        )


def _switch(connection: sqlite3.Connection) -> str:
    return str(connection.execute("PRAGMA journal_mode = WAL").fetchone()["journal_mode"])


def _step(connection: sqlite3.Connection, number: int, script: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Two processes may open a new file at once: the second finds the step done.
        if _pragma(connection, "user_version") < number:
            _execute_script(connection, script)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _execute_script(connection: sqlite3.Connection, script: str) -> None:
    """Execute a script inside the open transaction; ``executescript`` would commit it first."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    row = connection.execute(f"PRAGMA {name}").fetchone()
    return int(row[name])
