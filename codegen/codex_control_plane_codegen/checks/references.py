"""Every name leads to something."""

from collections.abc import Collection, Iterator

from codex_control_plane_codegen.checks.subject import Subject, key_place_of, place_of, unknown
from codex_control_plane_codegen.diagnostics import Diagnostic
from codex_control_plane_codegen.facts import LifecycleFacts
from codex_control_plane_codegen.model import Column, Element, Index, JsonValue, UniqueRule
from codex_control_plane_codegen.places import Key, Keys

_EVERY_ROW = ("state", "revision", "created_at", "updated_at")
"""The columns that every lifecycle has beside its record."""


def states_exist(subject: Subject) -> Iterator[Diagnostic]:
    """Transitions, creations, groups, rules and cells name states of the chart, or groups where those fit."""
    for facts in subject.facts.lifecycles.values():
        states, either = tuple(facts.states), (*facts.states, *facts.groups)
        for edge in facts.lifecycle.transitions:
            yield from unknown("SPEC-R002", "state", edge.target, states, place_of(edge, "target"))
        for state in facts.lifecycle.states:
            if state.presents_as:
                place = place_of(state, "presents_as")
                yield from unknown("SPEC-R002", "state", state.presents_as, states, place)
        for event in facts.lifecycle.events:
            if event.creates:
                yield from unknown("SPEC-R002", "state", event.creates, states, place_of(event, "creates"))
            for key, names in (
                ("ignored", event.ignored),
                ("illegal", event.illegal),
                ("conflict", event.conflict),
            ):
                yield from _all_known("SPEC-R002", "state or group", names, either, event, key)
        for group in facts.lifecycle.groups:
            yield from _all_known("SPEC-R002", "state or group", group.members, either, group)
        for rule in facts.lifecycle.unique:
            yield from _all_known("SPEC-R002", "state or group", rule.states, either, rule, "while")


def _all_known(
    code: str, what: str, names: Collection[str], known: Collection[str], /, owner: Element, *keys: Key
) -> Iterator[Diagnostic]:
    for index, name in enumerate(names):
        yield from unknown(code, what, name, known, place_of(owner, *keys, index))


def groups_end_in_states(subject: Subject) -> Iterator[Diagnostic]:
    """No group contains itself."""
    for facts in subject.facts.lifecycles.values():
        members = {group.name: group.members for group in facts.lifecycle.groups}
        for group in facts.lifecycle.groups:
            reached: set[str] = set()
            waiting = list(group.members)
            while waiting:
                name = waiting.pop()
                if name not in reached:
                    reached.add(name)
                    waiting.extend(members.get(name, ()))
            if group.name in reached:
                message = f"The group `{group.name}` contains itself"
                yield Diagnostic("SPEC-R014", key_place_of(group), message, "A group ends in states.")


def next_actions_exist(subject: Subject) -> Iterator[Diagnostic]:
    """Every state recommends a word of ``spec/contract.yaml``."""
    if not subject.whole("contract"):
        return
    for facts in subject.facts.lifecycles.values():
        for state in facts.lifecycle.states:
            if state.described:
                place = place_of(state, "next_action")
                yield from unknown("SPEC-R005", "next action", state.next_action, subject.next_actions, place)


def commands_exist(subject: Subject) -> Iterator[Diagnostic]:
    """What an event emits is a value of `command_type` of the lifecycle `worker_command`."""
    if not subject.whole("lifecycle"):
        return
    for facts in subject.facts.lifecycles.values():
        for event in facts.lifecycle.events:
            yield from _all_known(
                "SPEC-R009", "worker command", event.emits, subject.commands, event, "emits"
            )


def lifecycles_exist(subject: Subject) -> Iterator[Diagnostic]:
    """A column refers to a lifecycle that exists."""
    if not subject.whole("lifecycle"):
        return
    for table in subject.tables:
        for column in table.columns:
            if column.references:
                place = place_of(column, "references")
                known = subject.facts.lifecycles
                yield from unknown("SPEC-R007", "lifecycle", column.references, known, place)


def columns_exist(subject: Subject) -> Iterator[Diagnostic]:
    """States, events, touches, rules and indexes name columns of their table."""
    for facts in subject.facts.lifecycles.values():
        own = tuple(facts.columns)
        yield from _columns_of_states(facts, own)
        events, touches = facts.lifecycle.events, facts.lifecycle.touches
        for sets in [*(event.sets for event in events), *(touch.sets for touch in touches)]:
            for change in sets:
                yield from unknown("SPEC-R008", "column", change.column, own, key_place_of(change))
        every = (*own, facts.key, *_EVERY_ROW)
        yield from _columns_of_rules((*facts.lifecycle.unique, *facts.lifecycle.indexes), every)
    for record in subject.model.records:
        own = tuple(column.name for column in record.columns)
        every = (*own, "sequence") if record.append_only else own
        yield from _columns_of_rules((*record.unique, *record.indexes), every)


def _columns_of_states(facts: LifecycleFacts, known: Collection[str]) -> Iterator[Diagnostic]:
    for state in facts.lifecycle.states:
        yield from _all_known("SPEC-R008", "column", state.requires, known, state, "requires")
        yield from _all_known("SPEC-R008", "column", state.forbids, known, state, "forbids")


def _columns_of_rules(rules: Collection[UniqueRule | Index], known: Collection[str]) -> Iterator[Diagnostic]:
    for rule in rules:
        yield from _all_known("SPEC-R008", "column", rule.columns, known, rule, "columns")


def tools_name_what_exists(subject: Subject) -> Iterator[Diagnostic]:
    """A tool names errors, tools and a group that exist."""
    for tool in subject.model.tools:
        if subject.whole("errors"):
            yield from _all_known("SPEC-R004", "error", tool.errors, subject.errors, tool, "errors")
        if subject.whole("tool"):
            yield from _all_known("SPEC-R006", "tool", tool.next_tools, subject.tools, tool, "next_tools")
        if subject.whole("contract"):
            place = place_of(tool, "group")
            yield from unknown("SPEC-R010", "group of tools", tool.group, subject.tool_groups, place)


def types_exist(subject: Subject) -> Iterator[Diagnostic]:
    """Every reference to a type leads to a declared or derived one."""
    if not subject.whole("types"):
        return
    for definition in subject.model.types:
        yield from _types_within(subject, definition, definition.schema, ())
        if definition.extends:
            place = place_of(definition, "extends")
            yield from unknown("SPEC-R001", "type", definition.extends, subject.types, place)
    for tool in subject.model.tools:
        yield from _types_within(subject, tool, tool.input, ("input",))
        yield from unknown("SPEC-R001", "type", tool.output, subject.types, place_of(tool, "output", "$ref"))
    for column in _columns_of_all_tables(subject):
        if column.shape and column.shape not in ("object", "array"):
            yield from unknown("SPEC-R001", "type", column.shape, subject.types, place_of(column, "shape"))


def _columns_of_all_tables(subject: Subject) -> Iterator[Column]:
    for table in subject.tables:
        yield from table.columns


def _types_within(subject: Subject, owner: Element, schema: JsonValue, keys: Keys) -> Iterator[Diagnostic]:
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref" and isinstance(value, str):
                yield from unknown(
                    "SPEC-R001", "type", value, subject.type_names, place_of(owner, *keys, key)
                )
            elif key not in ("const", "enum", "default"):
                yield from _types_within(subject, owner, value, (*keys, key))


def types_end(subject: Subject) -> Iterator[Diagnostic]:
    """No type extends itself."""
    parents = {name: definition.extends for name, definition in subject.types.items()}
    for name, definition in subject.types.items():
        seen: set[str] = set()
        parent = parents[name]
        while parent is not None and parent not in seen:
            seen.add(parent)
            parent = parents.get(parent)
        if name in seen:
            message = f"The type `{name}` extends itself"
            yield Diagnostic("SPEC-R014", place_of(definition, "extends"), message, "A type extends others.")


def codex_shapes_exist(subject: Subject) -> Iterator[Diagnostic]:
    """A field of Codex's protocol is of a JSON type or of a shape that is declared beside it."""
    codex = subject.model.codex
    if not codex:
        return
    known = tuple(shape.name for shape in codex.shapes)
    basic = ("string", "integer", "number", "boolean", "object", "any")
    for field in subject.codex_fields:
        if field.type not in basic:
            yield from unknown("SPEC-R011", "shape", field.type, known, place_of(field))
