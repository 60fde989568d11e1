"""The schema of a final report: what one may look like, and whether a report fits it (contract §3, §4)."""

import hashlib
import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Final, NoReturn, cast

from jsonschema_rs import Draft202012Validator, FancyRegexOptions, ReferencingError, ValidationError

from codex_control_plane_contract.errors import InvalidArgument
from codex_control_plane_contract.types import FinalReport
from codex_control_plane_contract.values import JsonObject, JsonValue

MOST_CHARS: Final = 50_000
"""How long the canonical JSON of a schema may be."""

DEEPEST: Final = 64
"""How deeply schemas may lie in one another."""

_FAULTS_SHOWN: Final = 5
_FAULT_CHARS: Final = 200
_MAPS: Final = ("properties", "$defs", "definitions")
_LISTS: Final = ("allOf", "anyOf", "oneOf", "prefixItems")
_SINGLE: Final = ("items", "not", "if", "then", "else", "contains")
_FENCE: Final = re.compile(
    r"^```json[ \t]*\n(?P<json>.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL | re.IGNORECASE
)


def canonical(value: JsonValue) -> str:
    """Return a value as JSON with sorted names and no blanks."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def schema_hash(schema: JsonObject) -> str:
    """Return the SHA-256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical(schema).encode()).hexdigest()


def refuse_unusable(schema: JsonObject) -> None:
    """Raise INVALID_ARGUMENT, with the place in `details.path`, for a schema that Codex's model would refuse.

    Every object in it is closed with all properties required; references stay inside; it is a JSON Schema.
    """
    if not schema:
        _refuse("output_schema", "is empty", allowed="a JSON Schema with at least one keyword")
    if len(canonical(schema)) > MOST_CHARS:
        _refuse("output_schema", f"is longer than {MOST_CHARS} canonical characters", allowed=MOST_CHARS)
    for path, node in _schemas(schema, "output_schema", 0):
        _refuse_open(path, node)
    try:
        _validator(schema)
    except (ValueError, ReferencingError) as fault:
        _refuse("output_schema", f"is no JSON Schema: {str(fault)[:500]}")


def add_structure(report: FinalReport, text: str, schema: JsonObject) -> None:
    """Add to a report what came of the schema: its JSON object, or why there is none (contract §4)."""
    report["schemaHash"] = schema_hash(schema)
    report["structuredStatus"] = "not_available"
    found = _json_object(text)
    if found is None:
        report["structuredParseStatus"] = "plain_text" if text.strip() else "empty"
        return
    report["structuredParseStatus"] = "valid_json"
    if faults := _misfits(found, schema):
        report["structuredFaults"] = faults
        return
    report["structured"] = found
    report["structuredStatus"] = "parsed"


def _schemas(node: JsonValue, path: str, depth: int) -> Iterator[tuple[str, JsonObject]]:
    """Yield every schema in `node` with its place."""
    if depth > DEEPEST:
        _refuse(path, f"lies more than {DEEPEST} schemas deep", allowed=DEEPEST)
    if not isinstance(node, dict):
        return
    yield path, node
    for keyword in _SINGLE:
        yield from _schemas(node.get(keyword), f"{path}.{keyword}", depth + 1)
    for keyword in _MAPS:
        children = node.get(keyword)
        for name, child in children.items() if isinstance(children, dict) else ():
            yield from _schemas(child, f"{path}.{keyword}.{name}", depth + 1)
    for keyword in _LISTS:
        listed = node.get(keyword)
        for position, child in enumerate(listed if isinstance(listed, list) else ()):
            yield from _schemas(child, f"{path}.{keyword}[{position}]", depth + 1)


def _refuse_open(path: str, node: JsonObject) -> None:
    for keyword in ("$ref", "$dynamicRef"):
        reference = node.get(keyword)
        if isinstance(reference, str) and not reference.startswith("#"):
            _refuse(f"{path}.{keyword}", "leads out of the schema", allowed="#/$defs/…")
    kinds = node.get("type")
    is_object = kinds == "object" or (isinstance(kinds, list) and "object" in kinds) or "properties" in node
    if not is_object:
        return
    if node.get("additionalProperties") is not False:
        _refuse(f"{path}.additionalProperties", "must be false: every object is closed", allowed=False)
    properties, required = node.get("properties", {}), node.get("required", [])
    names = list(properties) if isinstance(properties, dict) else []
    listed = required if isinstance(required, list) else []
    missing = [name for name in names if name not in listed]
    if missing:
        _refuse(
            f"{path}.required",
            f"must name all properties; {missing[0]} is missing (an optional one may have type null)",
            allowed=cast("JsonValue", names),
        )


def _refuse(path: str, what: str, *, allowed: JsonValue = None) -> NoReturn:
    details: JsonObject = {"path": path} if allowed is None else {"path": path, "allowed": allowed}
    raise InvalidArgument(f"{path} {what}.", **details)


def _validator(schema: JsonObject) -> Draft202012Validator:
    # Nothing is fetched for a schema; a pattern of a caller may not hold up a thread.
    return Draft202012Validator(
        schema, retriever=_fetch_nothing, pattern_options=FancyRegexOptions(backtrack_limit=100_000)
    )


def _fetch_nothing(address: str) -> NoReturn:
    raise ValueError(f"{address} is not part of the schema")


def _json_object(text: str) -> JsonObject | None:
    """Return the JSON object of a message: the whole of it, or its last fenced json block; None without."""
    for candidate in (text, *(found["json"] for found in reversed(list(_FENCE.finditer(text))))):
        try:
            value = json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            return cast("JsonObject", value)
    return None


def _misfits(value: JsonObject, schema: JsonObject) -> list[str]:
    """Return where a report does not fit, the first places of it."""
    validator = _validator(schema)
    try:
        return [_said(fault) for fault in islice(validator.iter_errors(value), _FAULTS_SHOWN)]
    except ValueError as fault:
        return [str(fault)[:_FAULT_CHARS]]


def _said(fault: ValidationError) -> str:
    place = "".join(f"/{part}" for part in fault.instance_path) or "/"
    return f"{place}: {fault.message}"[:_FAULT_CHARS]
