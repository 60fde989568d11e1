"""Emits `codex_answers.py`: which answers to its questions Codex takes, as its pinned protocol says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from codex_control_plane_codegen.facts import Facts
from codex_control_plane_codegen.model import JsonObject, JsonValue
from codex_control_plane_codegen.output import CONTRACT_PACKAGE, Output
from codex_control_plane_codegen.protocol.pins import DIRECTORY
from codex_control_plane_codegen.shapes import references_in
from codex_control_plane_codegen.templating import render

_DEFINITIONS = "definitions"


def emit(facts: Facts) -> Iterator[Output]:
    """`codex_answers.py`, if the protocol of the tested Codex is pinned."""
    codex = facts.model.codex
    protocol = facts.model.tested_protocol
    if codex is None or not protocol:
        return
    requests = _object(protocol.get("serverRequests"))
    schemas: JsonObject = {
        each.name: answer_schema(_object(_object(requests.get(each.name)).get("result")), protocol)
        for each in codex.server_requests
    }
    sources = [codex.document.path, f"{DIRECTORY}/{codex.tested_version}"]
    text = render("codex_answers.py", schemas=schemas, version=codex.tested_version, sources=sources)
    yield Output(CONTRACT_PACKAGE / "codex_answers.py", text)


def answer_schema(result: JsonObject, protocol: JsonObject) -> JsonObject:
    """The schema of an answer with all that it refers to, its objects closed.

    Codex passes over a field that it does not know; a misspelt one would be lost without a word.
    """
    definitions = _object(protocol.get(_DEFINITIONS))
    used: dict[str, JsonValue] = {}
    waiting = list(_referred(result))
    while waiting:
        name = waiting.pop()
        if name not in used:
            used[name] = _closed(definitions[name])
            waiting.extend(_referred(definitions[name]))
    closed = cast("JsonObject", _closed(result))
    return {**closed, _DEFINITIONS: dict(sorted(used.items()))} if used else closed


def _referred(schema: JsonValue) -> Iterator[str]:
    return (reference.rpartition("/")[2] for reference in references_in(schema))


def _closed(schema: JsonValue) -> JsonValue:
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}
