"""The output schemas as `tools/list` shows them: every client loads all of them, whatever it calls.

The long vocabularies (statuses, error codes, next actions) and the objects within objects stand in many
schemas, and they are most of the bytes. The listed schema says "text" and "object" in their place, so
whatever fits the tool's own schema fits the listed one. The whole is published in `contract.json`, and the
server checks every result against it (docs/decisions/0051).
"""

from typing import Final, cast

from codex_control_plane_contract.values import JsonObject, JsonValue

_FEW_WORDS: Final = 4


def listed(schema: JsonObject) -> JsonObject:
    """Return a schema with the fields of its results and without their insides, words and descriptions."""
    shown = cast("JsonObject", _lean(schema, within=False))
    used = str(shown)
    definitions = cast("JsonObject", shown.get("$defs", {}))
    kept: JsonObject = {name: part for name, part in definitions.items() if f"#/$defs/{name}'" in used}
    return {name: kept if name == "$defs" else part for name, part in shown.items()}


def _lean(value: JsonValue, *, within: bool) -> JsonValue:
    """Return a part of a schema; ``within``: it is part of a field of the result."""
    if isinstance(value, list):
        return [_lean(item, within=within) for item in value]
    if not isinstance(value, dict):
        return value
    words, fields = value.get("enum"), value.get("properties")
    if isinstance(words, list) and len(words) > _FEW_WORDS:
        return {"type": "string"}
    if isinstance(fields, dict) and within:
        return {"type": "object"}
    return {
        name: _fields(part) if name == "properties" else _lean(part, within=within)
        for name, part in value.items()
        if name != "description"
    }


def _fields(properties: JsonValue) -> JsonValue:
    assert isinstance(properties, dict)
    return {name: _lean(part, within=True) for name, part in properties.items()}
