"""The shapes of the spec as self-contained JSON Schemas, and the types that follow from other documents."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from codex_control_plane_codegen.facts import Facts
from codex_control_plane_codegen.model import JsonObject, JsonValue, Tool, TypeDefinition
from codex_control_plane_codegen.vocabularies import vocabularies

FAILURE: Final = "Failure"
"""The declared type that every tool answers when it cannot do what was asked (contract §1)."""


@dataclass(frozen=True)
class Shapes:
    """The types of a model. A name that leads nowhere is left as it is; the checks report it."""

    facts: Facts

    @cached_property
    def declared(self) -> Mapping[str, TypeDefinition]:
        """The types of ``spec/types`` by name; of two with one name, the first."""
        return {definition.name: definition for definition in reversed(self.facts.model.types)}

    @cached_property
    def derived(self) -> Mapping[str, Collection[str]]:
        """The enumerations that follow from other documents than those of types: name → words."""
        return {name: vocabulary.words for name, vocabulary in vocabularies(self.facts).items()}

    def merged(self, name: str) -> JsonObject:
        """The schema of a declared type with the fields of what it extends taken over, its own ones first."""
        schema: JsonObject = {}
        for definition in self._lineage(name):
            inherited = definition.schema
            schema = {**inherited, **schema}
            for key in ("properties", "required"):
                if key in inherited and schema[key] is not inherited[key]:
                    schema[key] = _joined(schema[key], inherited[key])
        return schema

    def _lineage(self, name: str) -> Iterator[TypeDefinition]:
        seen: set[str] = set()
        parent: str | None = name
        while parent is not None and parent in self.declared and parent not in seen:
            seen.add(parent)
            yield self.declared[parent]
            parent = self.declared[parent].extends

    def bundle(self, schema: JsonObject) -> JsonObject:
        """The schema with every type that it reaches under ``$defs``, and its objects closed."""
        definitions: dict[str, JsonValue] = {}
        waiting = list(references_in(schema))
        while waiting:
            name = waiting.pop()
            if name not in definitions and (found := self._definition(name)) is not None:
                definitions[name] = _closed(found)
                waiting.extend(references_in(found))
        closed = _closed(schema)
        return {**closed, "$defs": dict(sorted(definitions.items()))} if definitions else closed

    def _definition(self, name: str) -> JsonObject | None:
        if name in self.declared:
            return self.merged(name)
        if name in self.derived:
            return {"enum": list(self.derived[name])}
        return None

    def answer(self, tool: Tool) -> JsonObject:
        """What the tool answers: its output with ``ok: true``, or the failure."""
        success = self.merged(tool.output)
        fields = _joined({"ok": {"const": True}}, success.get("properties", {}))
        required = _joined(["ok"], success.get("required", []))
        success = {**success, "properties": fields, "required": required}
        return self.bundle({"type": "object", "oneOf": [success, {"$ref": FAILURE}]})


def references_in(schema: JsonValue) -> Iterator[str]:
    """The names of types that the schema refers to, itself excluded."""
    if isinstance(schema, list):
        for item in schema:
            yield from references_in(item)
    elif isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref" and isinstance(value, str):
                yield value
            elif key not in ("const", "enum", "default"):
                yield from references_in(value)


def _joined(own: JsonValue, inherited: JsonValue) -> JsonValue:
    if isinstance(own, dict) and isinstance(inherited, dict):
        return {**own, **{key: value for key, value in inherited.items() if key not in own}}
    if isinstance(own, list) and isinstance(inherited, list):
        return [*own, *(item for item in inherited if item not in own)]
    return own


def _closed(schema: JsonObject) -> JsonObject:
    """The schema with references into ``$defs``, and without fields that it does not declare."""
    closed = {key: _closed_part(key, value) for key, value in schema.items()}
    if schema.get("type") == "object" and "oneOf" not in schema:
        extra = closed.pop("additionalProperties", False)
        if extra is not True:
            closed["additionalProperties"] = extra
    return closed


def _closed_part(key: str, value: JsonValue) -> JsonValue:
    match key, value:
        case "$ref", str():
            return f"#/$defs/{value}"
        case "properties", dict():
            return {name: _closed(shape) for name, shape in value.items() if isinstance(shape, dict)}
        case (("items" | "additionalProperties"), dict()):
            return _closed(value)
        case "oneOf", list():
            return [_closed(shape) for shape in value if isinstance(shape, dict)]
        case _:
            return value
