"""Records, settings and the contract, and the text that is emitted for them."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

Compile: TypeAlias = Callable[[Mapping[str, str]], Mapping[str, str]]


def test_an_append_only_record_counts_and_refuses_changes(compiled: Compile) -> None:
    """Its rows have a sequence, and two triggers keep them as they are."""
    text = (
        "record: diary\nmeans: A diary.\nappend_only: true\ncolumns: {line: {type: text, means: A line.}}\n"
    )
    outputs = compiled({"records/diary.yaml": text})
    assert (
        "CREATE TABLE diary (\n"
        "    sequence INTEGER PRIMARY KEY AUTOINCREMENT,\n"
        "    line TEXT NOT NULL\n"
        ") STRICT;\n"
        "\n"
        "CREATE TRIGGER diary_updates BEFORE UPDATE ON diary\n"
        "BEGIN\n"
        "    SELECT RAISE(ABORT, 'diary: rows are only ever added');\n"
        "END;\n"
    ) in outputs["schema.sql"]
    assert 'INSERT_DIARY: Final = "INSERT INTO diary (line) VALUES (:line)"\n' in outputs["records.py"]
    assert "    sequence: int\n" in outputs["records.py"]


def test_an_absorbing_rule_lets_an_insert_add_nothing(compiled: Compile) -> None:
    """Only a rule that says so swallows a repeat; any other makes it fail."""
    text = (
        "record: diary\nmeans: A diary.\nappend_only: true\ncolumns: {line: {type: text, means: A line.}}\n"
        "unique: [{columns: [line], repeat: absorb, means: Once.}]\n"
    )
    insert = "INSERT INTO diary (line) VALUES (:line) ON CONFLICT DO NOTHING"
    assert insert in compiled({"records/diary.yaml": text})["records.py"]


def test_a_singleton_has_one_row_at_most(compiled: Compile) -> None:
    """Its key can only be 1, and nothing is emitted that adds rows."""
    text = "record: lamp\nmeans: A lamp.\nsingleton: true\ncolumns: {lit: {type: boolean, means: Lit.}}\n"
    outputs = compiled({"records/lamp.yaml": text})
    assert (
        "CREATE TABLE lamp (\n"
        "    singleton INTEGER PRIMARY KEY CHECK (singleton = 1),\n"
        "    lit INTEGER NOT NULL CHECK (lit IN (0, 1))\n"
        ") STRICT;\n"
    ) in outputs["schema.sql"]
    assert "INSERT_LAMP" not in outputs["records.py"]


def test_settings_have_their_defaults(compiled: Compile) -> None:
    """Paths become Path, enumerations a Literal, and an optional setting may be None."""
    text = """\
file_variables: [MY_FILE]
settings:
  HOME: {name: home, type: path, optional: true, means: Where.}
  ROOTS: {name: roots, type: paths, default: [], means: Which.}
  MODE: {name: mode, type: enum, values: [slow, fast], default: slow, means: How.}
"""
    assert (
        "    home: Path | None = None\n"
        '    """Where."""\n'
        "    roots: tuple[Path, ...] = ()\n"
        '    """Which."""\n'
        '    mode: Mode = "slow"\n'
        '    """How."""\n'
    ) in compiled({"config.yaml": text})["settings.py"]


def test_next_actions_are_a_vocabulary_with_meanings(compiled: Compile) -> None:
    """The words of the contract are a type and a table."""
    text = """\
name: garden
title: Garden
contract_version: "3"
instructions: Water it.
groups: {}
next_actions: {water: It is dry.}
queue_reasons: {}
"""
    outputs = compiled({"contract.yaml": text})
    assert 'CONTRACT_VERSION: Final = "3"\n' in outputs["contract.py"]
    assert (
        'NEXT_ACTIONS: Final[Mapping[NextAction, str]] = {"water": "It is dry."}\n' in outputs["contract.py"]
    )
    assert 'NextAction: TypeAlias = Literal["water"]\n' in outputs["types.py"]
