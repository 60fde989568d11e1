"""Where the spec and a protocol of Codex do not fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from codex_control_plane_codegen.model import (
    Codex,
    CodexField,
    CodexMethod,
    CodexNotification,
    CodexServerRequest,
    CodexShape,
    JsonObject,
    JsonValue,
)
from codex_control_plane_codegen.protocol.schema_reading import Property, SchemaReader

Problem: TypeAlias = Literal["missing", "type", "presence"]
"""Codex has it not, has it with another type, or does not agree on whether it is always there."""

Message: TypeAlias = CodexMethod | CodexNotification | CodexServerRequest
"""What is exchanged with Codex."""

_SCALARS: Final = frozenset({"string", "integer", "number", "boolean", "object"})


@dataclass(frozen=True, slots=True)
class Part:
    """One half of a message, or a shape: the fields that the spec names and Codex's schema of the whole."""

    half: Literal["params", "result", ""]
    """Empty for a shape."""
    sent: bool
    """Whether we write it, rather than read it."""
    fields: Sequence[CodexField]
    schema: JsonValue


@dataclass(frozen=True, slots=True)
class Misfit:
    """One place where spec and Codex differ: `element` is of the spec, `path` the field within the message.

    `vital` says whether a message that is sent or read then fails; a field that may be absent is no loss.
    """

    element: Message | CodexShape | CodexField
    path: str
    problem: Problem
    sentence: str
    vital: bool


@dataclass(frozen=True)
class Protocol:
    """An extract of Codex's protocol, as `extract` makes it."""

    extract: JsonObject

    @property
    def reader(self) -> SchemaReader:
        """What understands the schemas of this protocol."""
        return SchemaReader(_mapping(self.extract.get("definitions")))

    def names(self, section: str) -> Mapping[str, JsonValue]:
        """Every message of the section, whether in use or not → ``stable`` or ``experimental``."""
        return _mapping(_mapping(self.extract.get("names")).get(section))

    def parts(self, section: str, message: Message) -> list[Part]:
        """The halves of a message as far as the spec names fields of them; none if Codex lacks it."""
        halves = _mapping(_mapping(self.extract.get(section)).get(message.name))
        if not halves:
            return []
        parts = [Part("params", section == "methods", message.params, halves.get("params", True))]
        if isinstance(message, CodexMethod):
            parts.append(Part("result", False, message.result, halves.get("result", True)))
        return parts

    def shape(self, shape: CodexShape) -> Part | None:
        """The definition that the shape is a part of, which has the same name; None if Codex lacks it."""
        schema = _mapping(self.extract.get("definitions")).get(shape.name)
        return None if schema is None else Part("", False, shape.fields, schema)


def sections(codex: Codex) -> Mapping[str, Sequence[Message]]:
    """Section of a protocol → the messages of the spec in it."""
    return {
        "methods": codex.methods,
        "notifications": codex.notifications,
        "serverRequests": codex.server_requests,
    }


def misfits_of(part: Part, reader: SchemaReader, element: Message | CodexShape) -> Iterator[Misfit]:
    """Where the fields that the spec names, and those that Codex insists on, do not fit."""
    known = reader.properties(part.schema)
    for field in part.fields:
        path = _path(part, field.name)
        if field.name not in known:
            vital = part.sent or field.required
            yield Misfit(field, path, "missing", f"Codex has no {path}", vital)
        else:
            yield from _field_misfits(field, path, known[field.name], part, reader)
    named = {field.name for field in part.fields}
    for name, property_ in known.items():
        if part.sent and property_.always and name not in named:
            path = _path(part, name)
            yield Misfit(element, path, "presence", f"Codex insists on {path}, which is never sent", True)


def _field_misfits(
    field: CodexField, path: str, found: Property, part: Part, reader: SchemaReader
) -> Iterator[Misfit]:
    kinds = reader.kinds(found.schema)
    if not _fits(field, found.schema, part, reader):
        said = f"{field.type}{'[]' if field.many else ''}"
        met = " or ".join(sorted(kinds))
        yield Misfit(
            field, path, "type", f"{path} is {said} here and {met} in Codex", part.sent or field.required
        )
    elif part.sent and found.always and not field.required:
        yield Misfit(field, path, "presence", f"Codex insists on {path}, which may be left out here", True)
    elif not part.sent and field.required and (not found.always or ("null" in kinds and field.type != "any")):
        yield Misfit(field, path, "presence", f"{path} is always there here, and not in Codex", True)


def _fits(field: CodexField, schema: JsonValue, part: Part, reader: SchemaReader) -> bool:
    kinds = reader.kinds(schema) - {"null"}
    if field.many:
        one = CodexField(
            document=field.document,
            keys=field.keys,
            name=field.name,
            type=field.type,
            many=False,
            required=True,
        )
        return "array" in kinds and _fits(one, reader.items(schema), part, reader)
    wanted = field.type if field.type in _SCALARS else "object"
    if field.type == "any" or "any" in kinds:
        return True
    if part.sent:
        return wanted in kinds or (wanted == "integer" and "number" in kinds)
    return kinds <= {wanted, "integer" if wanted == "number" else wanted}


def _path(part: Part, name: str) -> str:
    return f"{part.half}.{name}" if part.half else name


def _mapping(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}
