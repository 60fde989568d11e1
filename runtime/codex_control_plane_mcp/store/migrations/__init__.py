"""Forward migrations of the state file: ``NNNN_title.sql``, one transaction each, for ever unchanged."""

import re
import sqlite3
from importlib.resources import files
from pathlib import Path

from codex_control_plane_contract.errors import CodexStateUnusable

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
    version = _version(connection)
    if version > newest:
        raise CodexStateUnusable(
            f"The state file {path.name} was written by a newer version (schema {version}; this program "
            f"knows {newest}). Update codex-control-plane-mcp, or point CODEX_MCP_STATE_DB to another file.",
            schemaVersion=version,
            knownVersion=newest,
        )
    if version == newest:
        return version
    if version == 0 and connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        raise CodexStateUnusable(
            f"The file {path.name} is a database of another program. "
            "Point CODEX_MCP_STATE_DB to another file."
        )
    connection.execute("PRAGMA journal_mode = WAL")
    for number, script in steps:
        _step(connection, number, script)
    return newest


def _step(connection: sqlite3.Connection, number: int, script: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Two processes may open a new file at once: the second finds the step done.
        if _version(connection) < number:
            _execute_script(connection, script)
            connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _execute_script(connection: sqlite3.Connection, script: str) -> None:
    """Execute a script inside the open transaction; ``executescript`` would commit it first."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""


def _version(connection: sqlite3.Connection) -> int:
    row = connection.execute("PRAGMA user_version").fetchone()
    return int(row["user_version"])
