"""How a JSON Schema of the spec appears in Python."""

from __future__ import annotations

from typing import Any, cast

from codex_control_plane_codegen.model import JsonObject
from codex_control_plane_codegen.python_source import Code, Expression, Subscript, literal_type

_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


def annotation(schema: JsonObject) -> Expression:
    """The type that holds a value of the schema; a reference is the name of the type."""
    spec = cast("dict[str, Any]", schema)
    if "$ref" in spec:
        return Code(spec["$ref"])
    if "const" in spec:
        return Subscript("Literal", (spec["const"],))
    if "enum" in spec:
        return literal_type(spec["enum"])
    match spec.get("type"):
        case "array":
            return Subscript("list", (annotation(spec.get("items", {})),))
        case "object" if isinstance(spec.get("additionalProperties"), dict):
            return Subscript("dict", (Code("str"), annotation(spec["additionalProperties"])))
        case "object":
            return Code("JsonObject")
        case str(name):
            return Code(_SCALARS[name])
        case _:
            return Code("JsonValue")


def properties(schema: JsonObject) -> dict[str, JsonObject]:
    """The properties of an object schema, in order."""
    return cast("dict[str, JsonObject]", schema.get("properties", {}))


def required(schema: JsonObject) -> frozenset[str]:
    """The names of the required properties."""
    return frozenset(cast("list[str]", schema.get("required", [])))


def description(schema: JsonObject) -> str:
    """The schema's description, or nothing."""
    return str(schema.get("description", "")).strip()
