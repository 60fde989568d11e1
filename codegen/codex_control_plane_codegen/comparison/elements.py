"""Elements: the smallest parts of a contract that somebody may rely on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

from codex_control_plane_codegen.model import JsonObject, JsonValue
from codex_control_plane_codegen.places import Keys

Path: TypeAlias = tuple[str, ...]
"""The way from the root of a contract to an element; it is the element's identity."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where the spec says an element: a kind of document, its name if there are several, and keys in it.

    `fields` lead on from the type that stands there, through the fields of results. The kind ``python`` is no
    document: `name` is an emitted module.
    """

    kind: str
    name: str = ""
    keys: Keys = ()
    fields: Path = ()

    def below(self, *keys: str | int) -> Spot:
        """A part of what stands here."""
        return Spot(self.kind, self.name, (*self.keys, *keys), self.fields)

    def field(self, name: str) -> Spot:
        """A field of the type that stands here."""
        return Spot(self.kind, self.name, self.keys, (*self.fields, name))


@dataclass(frozen=True, slots=True)
class Element:
    """One element: `kind` is a key of the matrix, and two elements differ if their `value` does.

    What lies below an element that is added or removed is not told again, nor is what `comes_with` one that
    is added or `leaves_with` one that is removed.
    """

    kind: str
    path: Path
    spot: Spot
    value: JsonValue = None
    comes_with: Path | None = None
    leaves_with: Path | None = None


def mapping(value: JsonValue) -> JsonObject:
    """The value as an object; nothing for null."""
    return cast("JsonObject", value or {})


def entries(value: JsonValue) -> dict[str, JsonObject]:
    """The value as an object of objects."""
    return cast("dict[str, JsonObject]", value or {})


def words(value: JsonValue) -> list[str]:
    """The value as a list of words; nothing for null."""
    return cast("list[str]", value or [])


def items(value: JsonValue) -> Sequence[JsonObject]:
    """The value as a list of objects."""
    return cast("list[JsonObject]", value or [])
