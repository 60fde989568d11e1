"""The elements of a JSON Schema, by the direction in which its values travel."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from codex_control_plane_codegen.comparison.elements import (
    Element,
    Path,
    Spot,
    entries,
    items,
    mapping,
    words,
)
from codex_control_plane_codegen.model import JsonObject, JsonValue

Direction: TypeAlias = Literal["input", "result", "stored"]

_TYPES: Final = ("array", "boolean", "integer", "null", "number", "object", "string")
_BOUNDS: Final = (
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "multipleOf",
    "pattern",
    "format",
    "uniqueItems",
)
"""The keywords that limit a value and are compared one by one."""

_ERROR_CODES: Final = ("failure", "error", "code", "words")
"""The end of the path of an error code that a tool may answer."""


@dataclass(frozen=True, slots=True)
class SchemaPart:
    """A schema within the schema of an argument, a result or stored JSON."""

    direction: Direction
    path: Path
    spot: Spot
    schema: JsonObject
    definitions: Mapping[str, JsonObject]
    open_references: frozenset[str] = frozenset()

    def elements(self) -> Iterator[Element]:
        """Every element of the schema; a type within itself is told once."""
        reference = str(self.schema.get("$ref", "")).removeprefix("#/$defs/")
        if reference in self.open_references:
            return
        if reference:
            known = self.open_references | {reference}
            resolved = {**self.definitions[reference], **self.schema}
            del resolved["$ref"]
            yield from replace(self, schema=resolved, open_references=known).elements()
            return
        yield from self._value()
        yield from self._fields()
        yield from self._parts()

    def _value(self) -> Iterator[Element]:
        schema = self.schema
        types = schema.get("type", [*_TYPES])
        named = [types] if isinstance(types, str) else words(types)
        yield self.element("type", ("type",), [*sorted(named)])
        for keyword in _BOUNDS:
            if keyword in schema:
                yield self.element("bound", (keyword,), schema[keyword])
        if "default" in schema and self.direction == "input":
            yield self.element("default", ("default",), schema["default"])
        choices = schema.get("enum", [schema["const"]] if "const" in schema else None)
        if choices is not None:
            yield self.element("choice", ("words",))
            for choice in items(choices):
                word = choice if isinstance(choice, str) else json.dumps(choice)
                yield self.element("word", ("words", word))

    def _fields(self) -> Iterator[Element]:
        required = words(self.schema.get("required"))
        for name, schema in entries(self.schema.get("properties")).items():
            part = self._part(name, schema)
            yield part.element("field", ())
            if self.direction == "input":
                text = str(schema.get("description", ""))
                yield Element("text", (*part.path, "description"), part.spot, text)
            if name in required:
                yield self._requirement(name, part)
            yield from part.elements()
        if self.schema.get("type") == "object":
            yield self.element("openness", ("further fields",), self._openness())

    def _requirement(self, name: str, part: SchemaPart) -> Element:
        if self.direction == "result":
            return part.element("guarantee", ("always",))
        # Beside the field, not below it: a new field that must be there is more than a new field.
        kind = "requirement" if self.direction == "input" else "guarantee"
        path = (*self.path, "required", name)
        return Element(f"{self.direction} {kind}", path, part.spot, leaves_with=part.path)

    def _openness(self) -> str:
        further = self.schema.get("additionalProperties", True)
        if isinstance(further, dict):
            return "typed"
        return "open" if further else "closed"

    def _parts(self) -> Iterator[Element]:
        for keyword, step in (("items", "[]"), ("additionalProperties", "*")):
            schema = self.schema.get(keyword)
            if isinstance(schema, dict):
                part = replace(self, path=(*self.path, step), schema=schema)
                yield part.element("field", ())
                yield from part.elements()
        for at, branch in enumerate(items(self.schema.get("oneOf"))):
            step = _branch_name(branch, at)
            yield from replace(self, path=(*self.path, step), schema=branch).elements()

    def _part(self, name: str, schema: JsonObject) -> SchemaPart:
        spot = self.spot.below("properties", name) if self.direction == "input" else self.spot.field(name)
        return replace(self, path=(*self.path, name), spot=spot, schema=schema)

    def element(self, kind: str, steps: Path, value: JsonValue = None) -> Element:
        """An element of this part, below it by `steps`."""
        path = (*self.path, *steps)
        if kind == "word" and path[-5:-1] == _ERROR_CODES:
            return Element("tool error", path, Spot("tool", self.path[1], ("errors",)), value)
        return Element(f"{self.direction} {kind}", path, self.spot, value)


def _branch_name(branch: JsonObject, at: int) -> str:
    """The two branches of a result by what they are, so that their order does not count."""
    if "Failure" in str(branch.get("$ref", "")):
        return "failure"
    ok = mapping(entries(branch.get("properties")).get("ok"))
    return "success" if ok.get("const") is True else str(at)
