"""Compares the protocol of one Codex with what the spec uses and with the pinned protocol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, TypeAlias

from codex_control_plane_codegen.model import Codex, CodexField, CodexMethod, CodexShape
from codex_control_plane_codegen.protocol.fitting import Message, Part, Protocol, misfits_of, sections
from codex_control_plane_codegen.protocol.pins import version_order

Status: TypeAlias = Literal["same", "additive", "changed", "missing"]
"""As pinned; more than pinned; less than pinned or otherwise; not there."""

STATUSES: Final[tuple[Status, ...]] = ("same", "additive", "changed", "missing")
"""Every status, from harmless to worst."""


@dataclass(frozen=True, slots=True)
class FieldRow:
    """How one field of a message or a shape compares.

    `path` is like ``params.cwd``; `details` say what is more, less or otherwise; `breaks` whether the message
    fails because of it.
    """

    path: str
    status: Status
    details: tuple[str, ...] = ()
    breaks: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """How one message or shape compares, with all the fields that the spec names.

    `without` says what is lost if it breaks, and `optional` whether the server works all the same.
    """

    section: str
    name: str
    status: Status
    details: tuple[str, ...]
    fields: tuple[FieldRow, ...]
    breaks: bool
    without: str
    optional: bool


@dataclass(frozen=True)
class Comparison:
    """A Codex of version `version` beside the pinned `pinned`; `minimum` is the oldest that will do."""

    version: str
    pinned: str
    minimum: str
    rows: tuple[Row, ...]

    @property
    def too_old(self) -> bool:
        """Whether this Codex is older than the oldest that is known to behave."""
        return version_order(self.version) < version_order(self.minimum)

    @property
    def compatible(self) -> bool:
        """Whether the server works with it, as far as versions and schemas can tell."""
        return not self.too_old and not self.broken

    @cached_property
    def broken(self) -> Sequence[Row]:
        """What the server cannot work without and this Codex lacks."""
        return [row for row in self.rows if row.breaks and not row.optional]

    @cached_property
    def counts(self) -> Mapping[Status, int]:
        """Status → how many messages and shapes have it."""
        return {status: sum(row.status == status for row in self.rows) for status in STATUSES}


@dataclass(frozen=True, slots=True)
class Comparing:
    """The spec, the pinned protocol that it was written for, and the one that was found."""

    codex: Codex
    pinned: Protocol
    found: Protocol

    def rows(self) -> Iterator[Row]:
        """A row for each message and each shape of the spec, in its order."""
        for section, messages in sections(self.codex).items():
            for message in messages:
                yield self._message(section, message)
        for shape in self.codex.shapes:
            yield self._shape(shape)

    def _message(self, section: str, message: Message) -> Row:
        parts = self.found.parts(section, message)
        if not parts:
            return _absent(section, message.name, message.without, optional=message.optional)
        before = {part.half: part for part in self.pinned.parts(section, message)}
        fields = [row for part in parts for row in self._fields(part, before.get(part.half), message)]
        adds = [each for part in parts for each in self._new_names(part, before.get(part.half))]
        return Row(
            section,
            message.name,
            _status(fields, adds),
            tuple(adds),
            tuple(fields),
            breaks=any(field.breaks for field in fields),
            without=message.without,
            optional=message.optional,
        )

    def _shape(self, shape: CodexShape) -> Row:
        carriers = [
            message.name
            for messages in sections(self.codex).values()
            for message in messages
            if any(field.type == shape.name for field in _all_fields(message))
        ]
        without = f"It is part of {', '.join(carriers)}."
        part, before = self.found.shape(shape), self.pinned.shape(shape)
        if part is None:
            return _absent("shapes", shape.name, without, optional=False)
        fields, adds = [*self._fields(part, before, shape)], [*self._new_names(part, before)]
        breaks = any(field.breaks for field in fields)
        return Row(
            "shapes",
            shape.name,
            _status(fields, adds),
            tuple(adds),
            tuple(fields),
            breaks,
            without,
            optional=False,
        )

    def _fields(self, part: Part, before: Part | None, element: Message | CodexShape) -> Iterator[FieldRow]:
        misfits = {misfit.path: misfit for misfit in misfits_of(part, self.found.reader, element)}
        for field in part.fields:
            path = f"{part.half}.{field.name}" if part.half else field.name
            misfit = misfits.pop(path, None)
            if misfit is None:
                yield self._drift(path, field, part, before)
            else:
                status: Status = "missing" if misfit.problem == "missing" else "changed"
                yield FieldRow(path, status, (misfit.sentence,), misfit.vital)
        for misfit in misfits.values():
            yield FieldRow(misfit.path, "changed", (misfit.sentence,), misfit.vital)

    def _drift(self, path: str, field: CodexField, part: Part, before: Part | None) -> FieldRow:
        """What Codex now says of a field that fits, against what it said."""
        found = self._traits(self.found, field, part)
        pinned = found if before is None else self._traits(self.pinned, field, before)
        less, more = pinned - found, found - pinned
        details = [f"lacks {path}{trait}" for trait in sorted(less)]
        details += [f"adds {path}{trait}" for trait in sorted(more)]
        insists = part.sent and any(trait.endswith(" always") for trait in more)
        status: Status = "changed" if less or insists else "additive" if more else "same"
        return FieldRow(path, status, tuple(details))

    def _traits(self, protocol: Protocol, field: CodexField, part: Part) -> frozenset[str]:
        """The traits of a field; those of the shapes of the spec are left to their own rows."""
        shapes = frozenset(shape.name for shape in self.codex.shapes)
        property_ = protocol.reader.properties(part.schema).get(field.name)
        if property_ is None:
            return frozenset()
        always = {" always"} if property_.always else set[str]()
        return frozenset(protocol.reader.traits(property_.schema, inside=shapes)) | always

    def _new_names(self, part: Part, before: Part | None) -> Iterator[str]:
        """The fields beside those in use that Codex did not have."""
        if before is None:
            return
        known = {*self.pinned.reader.properties(before.schema), *(field.name for field in part.fields)}
        for name in self.found.reader.properties(part.schema):
            if name not in known:
                yield f"adds {part.half}.{name}" if part.half else f"adds {name}"


def compare(codex: Codex, pinned: Protocol, version: str, found: Protocol) -> Comparison:
    """Compares the protocol of a Codex with that of the version that the tests run."""
    rows = Comparing(codex, pinned, found).rows()
    return Comparison(version, codex.tested_version, codex.minimum_version, tuple(rows))


def _absent(section: str, name: str, without: str, *, optional: bool) -> Row:
    return Row(section, name, "missing", (), (), True, without, optional)


def _status(fields: Sequence[FieldRow], adds: Sequence[str]) -> Status:
    """The worst of its fields; what is there is at worst changed, and what it lacks stands with the field."""
    statuses: list[Status] = ["additive" if adds else "same", *(field.status for field in fields)]
    worst = max(statuses, key=STATUSES.index)
    return "changed" if worst == "missing" else worst


def _all_fields(message: Message) -> Sequence[CodexField]:
    return (*message.params, *message.result) if isinstance(message, CodexMethod) else message.params
