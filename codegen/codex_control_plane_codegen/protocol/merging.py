"""JSON objects in order, and what turns one into another: merge patches as in RFC 7396."""

from __future__ import annotations

from codex_control_plane_codegen.model import JsonObject, JsonValue


def patch_between(old: JsonObject, new: JsonObject) -> JsonObject:
    """The merge patch that makes `new` of `old`; both must be free of null, which a patch cannot express."""
    patch: JsonObject = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            if deeper := patch_between(before, value):
                patch[key] = deeper
        elif key not in old or before != value:
            patch[key] = value
    return patch


def patched(value: JsonObject, patch: JsonObject) -> JsonObject:
    """The object that the merge patch makes of `value`, with sorted keys."""
    result = {key: kept for key, kept in value.items() if patch.get(key, ()) is not None}
    for key, change in patch.items():
        if isinstance(change, dict):
            inner = value.get(key)
            result[key] = patched(inner if isinstance(inner, dict) else {}, change)
        elif change is not None:
            result[key] = change
    return dict(sorted(result.items()))


def in_order(value: JsonObject) -> JsonObject:
    """The object with the keys of all objects in it sorted, and the lists that are sets to a schema."""
    return {key: _ordered(key, value[key]) for key in sorted(value)}


def _ordered(key: str, value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return in_order(value)
    if not isinstance(value, list):
        return value
    if key in ("required", "enum", "type"):
        return sorted(value, key=str)
    return [in_order(item) if isinstance(item, dict) else item for item in value]
