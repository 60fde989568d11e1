"""Emits `records.py`: typed rows of the tables without states, and their inserts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from codex_control_plane_codegen.emitters import columns
from codex_control_plane_codegen.facts import Facts
from codex_control_plane_codegen.model import Column, Record
from codex_control_plane_codegen.output import CONTRACT_PACKAGE, Output
from codex_control_plane_codegen.python_source import Call, Expression, assignment, camel_case
from codex_control_plane_codegen.statements import record_insert_statement
from codex_control_plane_codegen.templating import render


def emit(facts: Facts) -> Iterator[Output]:
    """`records.py`."""
    views = [View(record) for record in facts.model.records]
    sources = [view.record.document.path for view in views]
    yield Output(CONTRACT_PACKAGE / "records.py", render("records.py", views=views, sources=sources))


@dataclass(frozen=True)
class View:
    """A record as its template shows it."""

    record: Record

    @property
    def row(self) -> str:
        """The class of a row."""
        return f"{camel_case(self.record.name)}Row"

    @property
    def key(self) -> str:
        """The column that SQLite counts up, or that allows one row only."""
        return "singleton" if self.record.singleton else "sequence"

    @property
    def constant(self) -> str:
        """The stem of its constants."""
        return self.record.name.upper()

    def alias(self, column: Column) -> str:
        """The alias of an enum column; records share a module, so it bears the record's name."""
        return camel_case(f"{self.record.name}_{column.name}")

    def field_type(self, column: Column) -> str:
        """The type of the column in a row."""
        if column.type != "enum":
            return columns.field_type(column)
        return f"{self.alias(column)} | None" if column.optional else self.alias(column)

    @property
    def enums(self) -> list[Column]:
        """The columns that get an alias of their own."""
        return [column for column in self.record.columns if column.type == "enum"]

    @property
    def table(self) -> str:
        """The table that reads stored rows."""
        stored: list[Expression] = [columns.stored_column(column) for column in self.record.columns]
        if self.record.append_only:
            stored.insert(0, Call("Column", ("sequence", "integer")))
        call = Call("Table", (self.record.name, self.key, tuple(stored)))
        return assignment(call, f"_{self.constant}: Final")

    @property
    def insert(self) -> str:
        """The constant that holds the insert."""
        return assignment(record_insert_statement(self.record), f"INSERT_{self.constant}: Final")

    @property
    def read(self) -> str:
        """The constructor call that makes a row."""
        return f"{self.row}(**_{self.constant}.decode(row))"
