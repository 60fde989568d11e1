"""The part of `contract.json` that tells what rows look like and how they change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from codex_control_plane_codegen.facts import Facts, FollowFacts, LifecycleFacts
from codex_control_plane_codegen.model import (
    Assignment,
    Column,
    Event,
    Index,
    JsonObject,
    JsonValue,
    Lifecycle,
    Record,
    State,
    UniqueRule,
)
from codex_control_plane_codegen.shapes import Shapes


def lifecycle_of(facts: LifecycleFacts, follows: FollowFacts | None) -> JsonObject:
    """A lifecycle: its states, edges and columns, what each event does in each state, whom it follows."""
    lifecycle = facts.lifecycle
    return {
        "means": lifecycle.means,
        "idPrefix": lifecycle.id_prefix,
        "fenced": lifecycle.fenced,
        "states": {state.name: _state(facts, state) for state in lifecycle.states},
        "transitions": [*_creations(facts), *_edges(facts)],
        "events": {event.name: _event(facts, event) for event in lifecycle.events},
        "touches": {touch.name: _sets(touch.sets) for touch in lifecycle.touches},
        **({"follows": _follows(follows)} if follows else {}),
        **_table(lifecycle),
        "unique": [_unique(rule, facts.flatten(rule.states)) for rule in lifecycle.unique],
    }


def record_of(record: Record) -> JsonObject:
    """A table without states."""
    return {"singleton": record.singleton, "appendOnly": record.append_only, **_table(record)}


def shapes_of(facts: Facts) -> JsonObject:
    """The schema of each type that columns hold as JSON, by its name."""
    shapes = Shapes(facts)
    tables: list[Lifecycle | Record] = [*facts.model.lifecycles, *facts.model.records]
    columns = [column for table in tables for column in table.columns]
    named = {column.shape for column in columns if column.shape in shapes.declared}
    return {name: shapes.bundle({"$ref": name}) for name in sorted(filter(None, named))}


def _state(facts: LifecycleFacts, state: State) -> JsonObject:
    return {
        "means": state.means,
        "status": facts.status(state.name),
        "terminal": state.final,
        "waitsFor": state.waits_for,
        "nextAction": state.next_action,
        "pollAfterSeconds": state.poll_after_seconds,
        "holdsSlot": state.holds_slot,
        "cancellable": state.cancellable,
        "retrySafe": state.retry_safe,
        "requires": list(state.requires),
        "forbids": list(state.forbids),
    }


def _creations(facts: LifecycleFacts) -> Iterator[JsonValue]:
    for name, event in facts.creations.items():
        yield {"source": None, "event": name, "target": event.creates}


def _edges(facts: LifecycleFacts) -> Iterator[JsonValue]:
    for (source, event), target in facts.targets.items():
        yield {"source": source, "event": event, "target": target}


def _event(facts: LifecycleFacts, event: Event) -> JsonObject:
    cells: JsonObject = {
        state: f"-> {facts.targets[state, name]}" if cell == "transition" else cell
        for (state, name), cell in facts.cells.items()
        if name == event.name
    }
    return {
        "by": list(event.by),
        "creates": event.creates,
        "sets": _sets(event.sets),
        "emits": list(event.emits),
        "cells": cells,
    }


def _follows(facts: FollowFacts) -> JsonObject:
    return {
        "lifecycle": facts.followed.lifecycle.name,
        "namedBy": facts.follows.named_by,
        "roleIn": facts.follows.role_in,
        "roles": {
            role: {state: list(events) for state, events in consequences.items()}
            for role, consequences in facts.roles.items()
        },
    }


def _sets(assignments: Sequence[Assignment]) -> JsonObject:
    return {assignment.column: assignment.effect for assignment in assignments}


def _table(table: Lifecycle | Record) -> JsonObject:
    return {
        "columns": {column.name: _column(column) for column in table.columns},
        "unique": [_unique(rule, ()) for rule in table.unique],
        "indexes": [_index(index) for index in table.indexes],
    }


def _column(column: Column) -> JsonObject:
    return {
        "type": column.type,
        "optional": column.optional,
        "values": list(column.values),
        "shape": column.shape,
        "references": column.references,
        "default": column.default,
    }


def _unique(rule: UniqueRule, states: Sequence[str]) -> JsonValue:
    return {
        "columns": list(rule.columns),
        "while": list(states),
        "where": rule.where,
        "absorbs": rule.absorbs,
    }


def _index(index: Index) -> JsonValue:
    return list(index.columns)
