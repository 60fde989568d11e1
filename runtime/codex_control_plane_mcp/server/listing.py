"""The schemas as `tools/list` shows them: every client loads all of them, whatever it calls.

What fits a tool's own schema fits the listed one. The server checks arguments and results against the tool's
own, which `contract.json` publishes (docs/decisions/0051).
"""

from typing import Final

from codex_control_plane_contract.values import JsonObject, JsonValue

LISTED_RESULT: Final[JsonObject] = {"type": "object", "required": ["ok"]}
"""What the results of all tools have in common."""

_LENGTHS: Final = frozenset({"minLength", "maxLength", "minItems", "maxItems", "uniqueItems"})
_LARGEST_INTEGER: Final = 2**53 - 1


def listed_arguments(schema: JsonObject, told: JsonObject | None = None) -> JsonObject:
    """Return an input schema without what nobody needs to know before a call.

    ``told`` is an input schema that the list shows as well: an argument that it describes in the same words
    is not described again.
    """
    listed = {name: _listed(name, part) for name, part in schema.items() if not _unsaid(name, part)}
    if told is not None:
        listed["properties"] = _untold(listed.get("properties", {}), told.get("properties", {}))
    return listed


def _untold(arguments: JsonValue, told: JsonValue) -> JsonValue:
    assert isinstance(arguments, dict)
    assert isinstance(told, dict)
    return {name: _without_description(schema, told.get(name)) for name, schema in arguments.items()}


def _without_description(schema: JsonValue, told: JsonValue) -> JsonValue:
    if not isinstance(schema, dict) or not isinstance(told, dict):
        return schema
    if schema.get("description") != told.get("description"):
        return schema
    return {name: part for name, part in schema.items() if name != "description"}


def _listed(name: str, part: JsonValue) -> JsonValue:
    match name, part:
        case "properties", dict(arguments):
            return {argument: _listed("items", schema) for argument, schema in arguments.items()}
        case "items" | "additionalProperties", dict(schema):
            return listed_arguments(schema)
        case _:
            return part


def _unsaid(name: str, part: JsonValue) -> bool:
    """Tell what an error names where it is met, and what goes without saying."""
    match name, part:
        case ("additionalProperties", True) | ("minimum", 0 | 1):
            return True
        case "maximum", limit:
            return limit == _LARGEST_INTEGER
        case _:
            return name in _LENGTHS
