"""The elements that rows and running work meet: tables, columns, states and events."""

from __future__ import annotations

from collections.abc import Iterator

from codex_control_plane_codegen.comparison.elements import (
    Element,
    Path,
    Spot,
    entries,
    items,
    mapping,
    words,
)
from codex_control_plane_codegen.comparison.schema_surface import SchemaPart
from codex_control_plane_codegen.model import JsonObject


def row_elements(contract: JsonObject) -> Iterator[Element]:
    """The tables of lifecycles and records, and the shapes of the JSON in them."""
    for name, lifecycle in entries(contract["lifecycles"]).items():
        path, spot = ("lifecycles", name), Spot("lifecycle", name)
        yield Element("table", path, spot)
        yield Element("id prefix", (*path, "id prefix"), spot.below("id_prefix"), lifecycle["idPrefix"])
        yield Element("table rule", (*path, "fenced"), spot.below("fenced"), lifecycle["fenced"])
        yield from _columns(lifecycle, path, spot, "record")
        yield from _machine(lifecycle, path, spot)
    for name, record in entries(contract["records"]).items():
        path, spot = ("records", name), Spot("record", name)
        yield Element("table", path, spot)
        for rule, key in (("singleton", "singleton"), ("appendOnly", "append_only")):
            yield Element("table rule", (*path, rule), spot.below(key), record[rule])
        yield from _columns(record, path, spot, "columns")
    for name, schema in entries(contract["storedShapes"]).items():
        path, spot = ("shapes", name), Spot("type", name)
        yield Element("stored shape", path, spot)
        yield from SchemaPart("stored", path, spot, schema, entries(schema.get("$defs"))).elements()


def _columns(table: JsonObject, path: Path, spot: Spot, block: str) -> Iterator[Element]:
    for name, column in entries(table["columns"]).items():
        yield from _column(name, column, path, spot.below(block, name))
    for at, rule in enumerate(items(table["unique"])):
        columns = ", ".join(words(rule["columns"]))
        value: JsonObject = {key: rule[key] for key in ("while", "where", "absorbs")}
        yield Element("unique rule", (*path, "unique", columns), spot.below("unique", at), value)
    for at, index in enumerate(items(table["indexes"])):
        columns = ", ".join(words(index))
        yield Element("index", (*path, "index", columns), spot.below("index", at))


def _column(name: str, column: JsonObject, table: Path, spot: Spot) -> Iterator[Element]:
    path = (*table, "columns", name)
    yield Element("column", path, spot)
    kind = str(column["type"]) if column["shape"] is None else f"{column['type']} of {column['shape']}"
    yield Element("column type", (*path, "type"), spot.below("type"), kind)
    for word in words(column["values"]):
        yield Element("column word", (*path, "words", word), spot.below("values"))
    if column["references"] is not None:
        reference = spot.below("references")
        yield Element("column reference", (*path, "references"), reference, column["references"])
    if not column["optional"]:
        # Beside the column, not below it: a new column that is never empty is more than a new column.
        kind = "given column" if column["default"] is None else "filled column"
        yield Element(kind, (*table, "never empty", name), spot, column["default"], leaves_with=path)


def _machine(lifecycle: JsonObject, path: Path, spot: Spot) -> Iterator[Element]:
    for name, state in entries(lifecycle["states"]).items():
        yield from _state(state, (*path, "states", name), spot.below("states", name))
    for name, event in entries(lifecycle["events"]).items():
        yield from _event(event, (*path, "events", name), spot.below("events", name), path)
    for role, consequences in entries(mapping(lifecycle.get("follows")).get("roles")).items():
        for followed, events in consequences.items():
            place = spot.below("follows", "roles", role)
            yield Element("consequence", (*path, "follows", role, followed), place, events)
    for name, sets in entries(lifecycle["touches"]).items():
        touch, place = (*path, "touches", name), spot.below("touches", name)
        yield Element("touch", touch, place)
        for column, effect in sets.items():
            yield Element("assignment", (*touch, "sets", column), place.below("sets", column), effect)


def _state(state: JsonObject, path: Path, spot: Spot) -> Iterator[Element]:
    yield Element("state", path, spot)
    yield Element("status", (*path, "status"), spot.below("presents_as"), state["status"])
    yield Element("finality", (*path, "terminal"), spot, state["terminal"])
    for fact, key in (
        ("holdsSlot", "holds_slot"),
        ("cancellable", "cancellable"),
        ("retrySafe", "retry_safe"),
    ):
        yield Element("state fact", (*path, fact), spot.below(key), state[fact])
    for guidance, key in (
        ("waitsFor", "waits_for"),
        ("nextAction", "next_action"),
        ("pollAfterSeconds", "poll_after_seconds"),
    ):
        yield Element("state guidance", (*path, guidance), spot.below(key), state[guidance])
    for condition in ("requires", "forbids"):
        for column in words(state[condition]):
            demanded = (*path, "columns", column)
            yield Element("state condition", demanded, spot.below(condition), condition)


def _event(event: JsonObject, path: Path, spot: Spot, lifecycle: Path) -> Iterator[Element]:
    yield Element("event", path, spot)
    yield Element("creation", (*path, "creates"), spot.below("creates"), event["creates"])
    for actor in words(event["by"]):
        yield Element("actor", (*path, "by", actor), spot.below("by"))
    for column, effect in mapping(event["sets"]).items():
        yield Element("assignment", (*path, "sets", column), spot.below("sets", column), effect)
    for order in words(event["emits"]):
        yield Element("order", (*path, "emits", order), spot.below("emits"))
    for state, cell in mapping(event["cells"]).items():
        within = (*lifecycle, "states", state)
        yield Element("cell", (*path, "in", state), spot, cell, within, within)
