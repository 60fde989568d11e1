"""The SQL of events and touches (docs/architecture.md, One way to change state)."""

# ruff: noqa: S608 - every name in these texts is an identifier that the spec's schema has checked

from collections.abc import Iterator, Sequence

from codex_control_plane_codegen.facts import LifecycleFacts
from codex_control_plane_codegen.model import Assignment, Column, Event, Record, Touch


def sql_literal(value: str | float | bool | None) -> str:
    """A constant as SQL writes it."""
    match value:
        case None:
            return "NULL"
        case bool():
            return str(int(value))
        case str():
            return "'" + value.replace("'", "''") + "'"
        case _:
            return str(value)


def sql_list(values: Sequence[str]) -> str:
    """Texts as the right side of `IN`."""
    return f"({', '.join(map(sql_literal, values))})"


def update_statement(facts: LifecycleFacts, event: Event, source: str, target: str) -> str:
    """The update along one edge; it changes nothing unless state and revision are those that were read."""
    sets = [
        f"state = {sql_literal(target)}",
        *_assignments(event.sets),
        "revision = revision + 1",
        "updated_at = :now",
    ]
    return (
        f"UPDATE {facts.lifecycle.name} SET {', '.join(sets)}"
        f" WHERE {facts.key} = :id AND state = {sql_literal(source)} AND revision = :revision RETURNING *"
    )


def insert_statement(facts: LifecycleFacts, event: Event) -> str:
    """The insert of a creation. It selects its values, so that a fence can be added as a condition."""
    values = {
        facts.key: ":id",
        "state": sql_literal(event.creates),
        "revision": "1",
        "created_at": ":now",
        "updated_at": ":now",
        **dict(_initial_values(facts.lifecycle.columns, event)),
    }
    return (
        f"INSERT INTO {facts.lifecycle.name} ({', '.join(values)})"
        f" SELECT {', '.join(values.values())} WHERE TRUE RETURNING *"
    )


def touch_statement(facts: LifecycleFacts, touch: Touch) -> str:
    """The update of a touch."""
    sets = ", ".join(_assignments(touch.sets))
    return f"UPDATE {facts.lifecycle.name} SET {sets} WHERE {facts.key} = :id"


def record_insert_statement(record: Record) -> str:
    """The insert of a row of a record; one that repeats an absorbing unique rule adds nothing."""
    names = [column.name for column in record.columns]
    values = ", ".join(f":{name}" for name in names)
    absorb = " ON CONFLICT DO NOTHING" if any(rule.absorbs for rule in record.unique) else ""
    return f"INSERT INTO {record.name} ({', '.join(names)}) VALUES ({values}){absorb}"


def _initial_values(columns: Sequence[Column], event: Event) -> Iterator[tuple[str, str]]:
    effects = {assignment.column: assignment.effect for assignment in event.sets}
    for column in columns:
        if column.name in effects:
            yield column.name, ":now" if effects[column.name] == "now" else f":{column.name}"
        elif column.default is not None:
            yield column.name, sql_literal(column.default)


def _assignments(assignments: Sequence[Assignment]) -> Iterator[str]:
    for assignment in assignments:
        yield f"{assignment.column} = {_new_value(assignment)}"


def _new_value(assignment: Assignment) -> str:
    match assignment.effect:
        case "given" | "optional" | "copied":
            return f":{assignment.column}"
        case "kept":
            return f"COALESCE(:{assignment.column}, {assignment.column})"
        case "now":
            return ":now"
        case "cleared":
            return "NULL"
        case "incremented":
            return f"{assignment.column} + 1"
