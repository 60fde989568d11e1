"""Reads JSON Schemas as far as Codex's protocol uses them: which fields, of which kinds, always or not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Final

from codex_control_plane_codegen.model import JsonObject, JsonValue

_UNIONS: Final = ("oneOf", "anyOf")
_REFERENCE: Final = "#/definitions/"


@dataclass(frozen=True, slots=True)
class Property:
    """A field of an object: its schema, and whether every object has it (null or not)."""

    schema: JsonValue
    always: bool


@dataclass(frozen=True, slots=True)
class SchemaReader:
    """Understands schemas that refer to these definitions."""

    definitions: Mapping[str, JsonValue]

    def properties(self, schema: JsonValue) -> Mapping[str, Property]:
        """The fields of an object; of a union, those of any variant, which are `always` there if in all."""
        own = self._own_properties(schema)
        parts = [self.properties(part) for part in self._parts(schema, "allOf")]
        variants = [self.properties(part) for key in _UNIONS for part in self._parts(schema, key)]
        if variants:
            parts.append(reduce(_either, variants))
        for part in parts:
            own = {**part, **own}
        return own

    def kinds(self, schema: JsonValue) -> frozenset[str]:
        """The JSON types that a value may have, `null` and `integer` among them; `any` for all of them."""
        schema = self._resolved(schema)
        if not isinstance(schema, dict):
            return frozenset({"any"})
        match schema.get("type"):
            case str(one):
                return frozenset({one})
            case list(several):
                return frozenset(str(one) for one in several)
            case _:
                parts = [
                    *self._parts(schema, "oneOf"),
                    *self._parts(schema, "anyOf"),
                    *self._parts(schema, "allOf"),
                ]
                kinds = [self.kinds(part) for part in parts]
                return frozenset[str]().union(*kinds) if kinds else frozenset({"any"})

    def items(self, schema: JsonValue) -> JsonValue:
        """The schema of the items of a list, also of one that may be null; True if there is none."""
        schema = self._resolved(schema)
        if isinstance(schema, dict):
            if "items" in schema:
                return schema["items"]
            for part in [part for key in _UNIONS for part in self._parts(schema, key)]:
                if "array" in self.kinds(part):
                    return self.items(part)
        return True

    def traits(
        self, schema: JsonValue, path: str = "", inside: frozenset[str] = frozenset()
    ) -> Iterator[str]:
        """Everything that the schema says, as sentences like ``.status = "completed"``, each for itself.

        Two schemas mean the same if their traits are the same; what one has more is what was added to it.
        """
        if isinstance(schema, dict) and isinstance(reference := schema.get("$ref"), str):
            name = reference.removeprefix(_REFERENCE)
            if name in inside:
                yield f"{path} is {name} again"
                return
            inside, schema = inside | {name}, self.definitions.get(name, True)
        if not isinstance(schema, dict):
            yield f"{path} is anything"
            return
        yield from self._own_traits(schema, path, inside)
        for key in (*_UNIONS, "allOf"):
            for part in self._parts(schema, key):
                yield from self.traits(part, path + self._tag(part), inside)

    def _own_traits(self, schema: JsonObject, path: str, inside: frozenset[str]) -> Iterator[str]:
        if "enum" not in schema and "type" in schema:
            yield from (f"{path} is {kind}" for kind in sorted(self.kinds(schema)))
        match schema.get("enum"):
            case list(words):
                yield from (f"{path} = {word!r}" for word in words)
            case _:
                pass
        for name, property_ in self._own_properties(schema).items():
            yield from self.traits(property_.schema, f"{path}.{name}", inside)
            if property_.always:
                yield f"{path}.{name} always"
        if "items" in schema:
            yield from self.traits(schema["items"], f"{path}[]", inside)
        if isinstance(schema.get("additionalProperties"), dict):
            yield from self.traits(schema["additionalProperties"], f"{path}.*", inside)

    def _tag(self, variant: JsonValue) -> str:
        """What tells a variant of a union from the others: the field that has only one value in it."""
        for name, property_ in self._own_properties(self._resolved(variant)).items():
            match property_.schema:
                case {"enum": [str(word)]}:
                    return f"({name} {word})"
                case _:
                    pass
        return ""

    def _own_properties(self, schema: JsonValue) -> dict[str, Property]:
        schema = self._resolved(schema)
        properties = schema.get("properties") if isinstance(schema, dict) else None
        required = schema.get("required") if isinstance(schema, dict) else None
        always = required if isinstance(required, list) else []
        if not isinstance(properties, dict):
            return {}
        return {name: Property(field, name in always) for name, field in properties.items()}

    def _parts(self, schema: JsonValue, key: str) -> list[JsonValue]:
        schema = self._resolved(schema)
        parts = schema.get(key) if isinstance(schema, dict) else None
        return parts if isinstance(parts, list) else []

    def _resolved(self, schema: JsonValue) -> JsonValue:
        while isinstance(schema, dict) and isinstance(reference := schema.get("$ref"), str):
            schema = self.definitions.get(reference.removeprefix(_REFERENCE), True)
        return schema


def _either(one: Mapping[str, Property], other: Mapping[str, Property]) -> dict[str, Property]:
    """The fields of an object that is one of two."""
    fields = {**other, **one}
    for name in one.keys() & other.keys():
        left, right = one[name], other[name]
        either: JsonObject = {"anyOf": [left.schema, right.schema]}
        schema = left.schema if left.schema == right.schema else either
        fields[name] = Property(schema, left.always and right.always)
    for name in one.keys() ^ other.keys():
        fields[name] = Property(fields[name].schema, always=False)
    return fields
