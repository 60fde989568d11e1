"""Migrations: every file ends with the schema that the compiler emits."""

import re
import sqlite3
from importlib.resources import files
from pathlib import Path

import pytest

from codex_control_plane_contract.schema import SCHEMA
from codex_control_plane_mcp.store import Store
from codex_control_plane_mcp.store.migrations import APPLICATION_ID, migrations

Definition = tuple[str, str, str, str | None]


def definitions(connection: sqlite3.Connection) -> list[Definition]:
    """Return every table, index and trigger with its SQL, in order; blanks do not count."""
    rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    return sorted((kind, name, table, sql and re.sub(r"\s+", " ", sql)) for kind, name, table, sql in rows)


def test_the_migrated_schema_is_the_emitted_one(tmp_path: Path) -> None:
    """The tables of a file that all migrations made are those of the spec, to the letter."""
    path = tmp_path / "state" / "state.sqlite"
    Store.open(path).close()
    emitted, migrated = sqlite3.connect(":memory:"), sqlite3.connect(path)
    emitted.executescript(SCHEMA)
    assert definitions(migrated) == definitions(emitted)
    emitted.close()
    migrated.close()


def test_the_first_migration_is_the_emitted_schema() -> None:
    """Until the first release it is the schema; once released it stays, and a change is a new migration."""
    assert dict(migrations())[1] == SCHEMA


def test_the_schema_is_shipped_as_a_file() -> None:
    """The SQL that people read is the SQL that is imported."""
    shipped = files("codex_control_plane_contract").joinpath("schema.sql").read_text(encoding="utf-8")
    assert shipped == SCHEMA


def test_migrations_are_numbered_without_a_gap() -> None:
    """They run in the order of their numbers, from 1."""
    numbers = [number for number, _ in migrations()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_file_tells_whose_and_how_old_it_is(tmp_path: Path) -> None:
    """Its header names this program and the last migration, and it is in write-ahead mode."""
    path = tmp_path / "state" / "state.sqlite"
    Store.open(path).close()
    connection = sqlite3.connect(path)
    found = [
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("application_id", "user_version", "journal_mode")
    ]
    connection.close()
    assert found == [APPLICATION_ID, len(migrations()), "wal"]


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    """A file of the newest schema is left byte for byte."""
    path = tmp_path / "state" / "state.sqlite"
    Store.open(path).close()
    before = path.read_bytes()
    Store.open(path).close()
    assert path.read_bytes() == before


def test_a_restored_file_is_in_write_ahead_mode_again(tmp_path: Path) -> None:
    """A backup may come back without it; opening puts it right."""
    path = tmp_path / "state" / "state.sqlite"
    Store.open(path).close()
    restored = tmp_path / "restored" / "state.sqlite"
    restored.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("VACUUM INTO ?", (str(restored),))
    connection.close()
    Store.open(restored).close()
    connection = sqlite3.connect(restored)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_a_migration_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that breaks off half way is undone, and the next opening does it all."""
    path = tmp_path / "state" / "state.sqlite"
    package = "codex_control_plane_mcp.store.migrations"
    with monkeypatch.context() as patch:
        patch.setattr(f"{package}.migrations", lambda: [(1, f"{SCHEMA}\nCREATE TABLE journal (x);\n")])
        with pytest.raises(sqlite3.OperationalError, match="already exists"):
            Store.open(path)
    connection = sqlite3.connect(path)
    assert definitions(connection) == []
    connection.close()
    Store.open(path).close()
