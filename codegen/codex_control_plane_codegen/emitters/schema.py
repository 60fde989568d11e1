"""Emits `schema.sql` and `schema.py`: tables that refuse every row and every change that the spec lacks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from codex_control_plane_codegen.facts import Facts, LifecycleFacts, digest
from codex_control_plane_codegen.model import Column, Index, Record, State, UniqueRule
from codex_control_plane_codegen.output import CONTRACT_PACKAGE, Output
from codex_control_plane_codegen.statements import sql_list, sql_literal
from codex_control_plane_codegen.templating import render

_TYPES = {"number": "REAL", "integer": "INTEGER", "timestamp": "INTEGER", "boolean": "INTEGER"}


def emit(facts: Facts) -> Iterator[Output]:
    """`schema.sql` and the module that reads it."""
    lifecycles = [LifecycleTable(each) for each in facts.lifecycles.values()]
    records = [RecordTable(record) for record in facts.model.records]
    paths = [each.lifecycle.document.path for each in facts.lifecycles.values()]
    sources = paths + [record.document.path for record in facts.model.records]
    sql = render("schema.sql", lifecycles=lifecycles, records=records, sources=sources)
    yield Output(CONTRACT_PACKAGE / "schema.sql", sql)
    module = render("schema.py", sources=sources, schema_hash=digest(sql))
    yield Output(CONTRACT_PACKAGE / "schema.py", module)


@dataclass(frozen=True)
class LifecycleTable:
    """The table of a lifecycle."""

    facts: LifecycleFacts

    @property
    def name(self) -> str:
        """The name of the table."""
        return self.facts.lifecycle.name

    @property
    def key(self) -> str:
        """The column that holds the id."""
        return self.facts.key

    @property
    def body(self) -> str:
        """The columns and the CHECK of each state."""
        states = sql_list(list(self.facts.states))
        lines = [
            f"{self.key} TEXT PRIMARY KEY NOT NULL",
            f"state TEXT NOT NULL CHECK (state IN {states})",
            "revision INTEGER NOT NULL CHECK (revision >= 1)",
            "created_at INTEGER NOT NULL",
            "updated_at INTEGER NOT NULL",
            *map(column_definition, self.facts.lifecycle.columns),
            *self._state_checks(),
        ]
        return ",\n    ".join(lines)

    def _state_checks(self) -> Iterator[str]:
        for state in self.facts.lifecycle.states:
            if conditions := _conditions(state):
                name = f"{self.name}_{state.name}"
                yield f"CONSTRAINT {name} CHECK (state <> {sql_literal(state.name)} OR ({conditions}))"

    @property
    def indexes(self) -> list[str]:
        """Its unique rules and indexes."""
        unique = [
            unique_index(self.name, rule, self._condition(rule)) for rule in self.facts.lifecycle.unique
        ]
        return unique + [index(self.name, each) for each in self.facts.lifecycle.indexes]

    def _condition(self, rule: UniqueRule) -> str | None:
        if not rule.states:
            return rule.where
        states = f"state IN {sql_list(self.facts.flatten(rule.states))}"
        return f"{states} AND ({rule.where})" if rule.where else states

    @property
    def edges(self) -> str:
        """Every pair of states that the spec connects, as the trigger compares them."""
        pairs = dict.fromkeys(f"{source} -> {target}" for (source, _), target in self.facts.targets.items())
        return ",\n    ".join(map(sql_literal, pairs))

    @property
    def refusals(self) -> list[tuple[str, str]]:
        """Every pair of states that the spec does not connect, with the message that refuses it."""
        known = {(source, target) for (source, _), target in self.facts.targets.items()}
        pairs = [(a, b) for a in self.facts.states for b in self.facts.states if (a, b) not in known]
        return [
            (sql_literal(f"{a} -> {b}"), sql_literal(f"{self.name}: {a} -> {b} is no edge of the spec"))
            for a, b in pairs
        ]

    @property
    def created_states(self) -> str:
        """The states in which the spec creates rows."""
        states = dict.fromkeys(event.creates or "" for event in self.facts.creations.values())
        return sql_list(list(states))

    @property
    def terminal_states(self) -> str:
        """The states that nothing leaves."""
        return sql_list(self.facts.terminal)

    @property
    def fixed_columns(self) -> list[str]:
        """The columns that no event and no touch changes once the row exists."""
        lifecycle = self.facts.lifecycle
        changed = {item.column for event in self.facts.events.values() for item in event.sets}
        changed |= {item.column for touch in lifecycle.touches for item in touch.sets}
        fixed = [column.name for column in lifecycle.columns if column.name not in changed]
        return [self.key, "created_at", *fixed]


@dataclass(frozen=True)
class RecordTable:
    """The table of a record."""

    record: Record

    @property
    def name(self) -> str:
        """The name of the table."""
        return self.record.name

    @property
    def body(self) -> str:
        """The columns."""
        head: list[str] = []
        if self.record.append_only:
            head.append("sequence INTEGER PRIMARY KEY AUTOINCREMENT")
        if self.record.singleton:
            head.append("singleton INTEGER PRIMARY KEY CHECK (singleton = 1)")
        return ",\n    ".join([*head, *map(column_definition, self.record.columns)])

    @property
    def indexes(self) -> list[str]:
        """Its unique rules and indexes."""
        unique = [unique_index(self.name, rule, rule.where) for rule in self.record.unique]
        return unique + [index(self.name, each) for each in self.record.indexes]


def column_definition(column: Column) -> str:
    """The column with the constraints that its type brings with it."""
    parts = [column.name, _TYPES.get(column.type, "TEXT")]
    if not column.optional:
        parts.append("NOT NULL")
    if column.references:
        parts.append(f"REFERENCES {column.references} ({column.references}_id)")
    if condition := _value_condition(column):
        parts.append(f"CHECK ({condition})")
    return " ".join(parts)


def _value_condition(column: Column) -> str | None:
    match column.type:
        case "enum":
            return f"{column.name} IN {sql_list(column.values)}"
        case "boolean":
            return f"{column.name} IN (0, 1)"
        case "json":
            kind = "array" if column.shape == "array" else "object"
            valid = f"json_valid({column.name}) AND json_type({column.name}) = '{kind}'"
            # Of NULL, json_valid says 0, where every other condition leaves it undecided.
            return f"{column.name} IS NULL OR ({valid})" if column.optional else valid
        case _:
            return None


def _conditions(state: State) -> str:
    filled = [f"{name} IS NOT NULL" for name in state.requires]
    return " AND ".join(filled + [f"{name} IS NULL" for name in state.forbids])


def unique_index(table: str, rule: UniqueRule, condition: str | None) -> str:
    """The index that keeps a unique rule, under a comment that says what the rule means."""
    name = f"{table}_one_per_{'_'.join(rule.columns)}"
    where = f"\n    WHERE {condition}" if condition else ""
    return f"-- {rule.means}\nCREATE UNIQUE INDEX {name} ON {table} ({_names(rule.columns)}){where};"


def index(table: str, each: Index) -> str:
    """An index that keeps nothing and finds rows."""
    return f"CREATE INDEX {table}_by_{'_'.join(each.columns)} ON {table} ({_names(each.columns)});"


def _names(columns: Sequence[str]) -> str:
    return ", ".join(columns)
