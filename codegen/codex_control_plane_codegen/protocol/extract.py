"""Cuts Codex's schemas down to what the spec uses.

The result is a JSON object: ``names`` (section → name of every message → ``stable`` or ``experimental``), the
messages in use for each of `SECTIONS`, and ``definitions``, the types that they reach. Of a message and of a
shape of the spec only the fields in use keep their schema; of the others the name is left, so that a field
that Codex adds can be seen. Descriptions and other notes are dropped, and all keys are in order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from codex_control_plane_codegen.model import Codex, CodexField, JsonObject, JsonValue
from codex_control_plane_codegen.protocol.merging import in_order
from codex_control_plane_codegen.protocol.program import Program

SECTIONS: Final[Mapping[str, str]] = {
    "methods": "ClientRequest",
    "notifications": "ServerNotification",
    "serverRequests": "ServerRequest",
}
"""Section → the union of Codex's schema that lists its messages."""

_NOTES: Final = frozenset(
    {"description", "title", "default", "format", "minimum", "examples", "$schema", "deprecated"}
)
"""Keywords that say nothing of a value's shape; Codex uses `minimum` only for unsigned numbers."""

_DEFINITIONS: Final = "#/definitions/"


def extract(codex: Codex, program: Program) -> JsonObject:
    """The part of the program's protocol that the spec uses; what it lacks is left out."""
    return in_order(_Extraction(codex, program).result())


class _Extraction:
    """One cut: the spec, the program, and the definitions that were reached so far."""

    def __init__(self, codex: Codex, program: Program) -> None:
        self._codex = codex
        self._whole = program.whole
        self._messages = {section: dict(_messages(program.whole, section)) for section in SECTIONS}
        self._stable = {section: dict(_messages(program.stable, section)) for section in SECTIONS}
        self._shapes = {shape.name: shape.fields for shape in codex.shapes}
        self._reached: JsonObject = {}

    def result(self) -> JsonObject:
        """The extract, in no order."""
        codex = self._codex
        used: list[tuple[str, str, JsonObject]] = []
        for method in codex.methods:
            params = self._params("methods", method.name, method.params)
            reply = self._reply("methods", method.name)
            used.append(
                ("methods", method.name, {"params": params, "result": self._cut(reply, method.result)})
            )
        for notification in codex.notifications:
            params = self._params("notifications", notification.name, notification.params)
            used.append(("notifications", notification.name, {"params": params}))
        for request in codex.server_requests:
            params = self._params("serverRequests", request.name, request.params)
            answer = self._kept(self._reply("serverRequests", request.name))
            used.append(("serverRequests", request.name, {"params": params, "result": answer}))
        messages: dict[str, JsonObject] = {section: {} for section in SECTIONS}
        for section, name, message in used:
            if name in self._messages[section]:
                messages[section][name] = message
        return {**messages, "names": self._names(), "definitions": self._reached}

    def _names(self) -> JsonObject:
        return {
            section: {name: "stable" if name in self._stable[section] else "experimental" for name in known}
            for section, known in self._messages.items()
        }

    def _params(self, section: str, name: str, fields: Sequence[CodexField]) -> JsonValue:
        return self._cut(_definition(self._whole, self._messages[section].get(name, "")), fields)

    def _reply(self, section: str, name: str) -> JsonValue:
        """The schema of the reply: Codex names its type after that of the parameters."""
        params = self._messages[section].get(name, "")
        return _definition(self._whole, f"{params.removesuffix('Params')}Response")

    def _cut(self, schema: JsonValue, fields: Sequence[CodexField]) -> JsonValue:
        """The schema of an object without the shapes of the fields that are not in use."""
        if not isinstance(schema, dict):
            return schema
        used = {field.name for field in fields}
        kept: JsonObject = {}
        for key, value in schema.items():
            if key in _NOTES:
                continue
            match key, value:
                case "properties", dict():
                    kept[key] = {name: self._kept(value[name]) if name in used else True for name in value}
                case (("oneOf" | "anyOf" | "allOf"), list()):
                    kept[key] = [self._cut(variant, fields) for variant in value]
                case _:
                    kept[key] = self._kept(value)
        return kept

    def _kept(self, schema: JsonValue) -> JsonValue:
        """The whole schema without notes; every definition that it refers to is reached."""
        match schema:
            case {"$ref": str(reference)}:
                return {"$ref": _DEFINITIONS + self._reach(reference)}
            case dict():
                return {
                    key: {name: self._kept(field) for name, field in value.items()}
                    if key == "properties" and isinstance(value, dict)
                    else self._kept(value)
                    for key, value in schema.items()
                    if key not in _NOTES
                }
            case list():
                return [self._kept(item) for item in schema]
            case _:
                return schema

    def _reach(self, reference: str) -> str:
        """The name of a definition, which is taken over if it was not before."""
        name = reference.rpartition("/")[2]
        if name not in self._reached:
            self._reached[name] = True
            schema = _definition(self._whole, reference)
            fields = self._shapes.get(name)
            self._reached[name] = self._kept(schema) if fields is None else self._cut(schema, fields)
        return name


def _messages(bundle: JsonObject, section: str) -> Iterator[tuple[str, str]]:
    """Name of each message of the section, and the reference to its parameters (empty if it has none)."""
    union = _definition(bundle, SECTIONS[section])
    variants = union.get("oneOf") if isinstance(union, dict) else None
    for variant in variants if isinstance(variants, list) else []:
        match variant:
            case {"properties": {"method": {"enum": [str(name)]}, "params": {"$ref": str(reference)}}}:
                yield name, reference
            case {"properties": {"method": {"enum": [str(name)]}}}:
                yield name, ""
            case _:
                pass


def _definition(bundle: JsonObject, reference: str) -> JsonValue:
    """What ``#/definitions/v2/Turn`` or a bare name leads to; an empty schema where that is nothing."""
    node: JsonValue = bundle.get("definitions", {})
    for step in reference.removeprefix(_DEFINITIONS).split("/"):
        node = node.get(step, {}) if isinstance(node, dict) else {}
    return node
