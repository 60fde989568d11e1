"""A part of a document, with the keys that lead to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from codex_control_plane_codegen.documents import Document
from codex_control_plane_codegen.model import JsonObject
from codex_control_plane_codegen.places import Keys


@dataclass(frozen=True, slots=True)
class Node:
    """A mapping, list or scalar of a document. What is absent reads as empty."""

    document: Document
    keys: Keys
    value: Any

    @classmethod
    def root(cls, document: Document) -> Node:
        """The whole document."""
        return cls(document, (), document.data)

    @property
    def place(self) -> dict[str, Any]:
        """The arguments that every element of the model takes: its document and its keys."""
        return {"document": self.document, "keys": self.keys}

    def child(self, key: str) -> Node:
        """What stands under the key of this mapping; a node of None where nothing does."""
        mapping = cast("dict[str, Any]", self.value or {})
        return Node(self.document, (*self.keys, key), mapping.get(key))

    def entries(self, key: str) -> Iterator[tuple[str, Node]]:
        """Name and node of each entry of the mapping under the key, in its order."""
        mapping = self.child(key)
        for name in mapping.names_within():
            yield name, mapping.child(name)

    def names_within(self) -> Iterator[str]:
        """The keys of this mapping."""
        yield from cast("dict[str, Any]", self.value or {})

    def items(self, key: str) -> Iterator[Node]:
        """Each item of the list under the key."""
        sequence = self.child(key)
        for index, value in enumerate(cast("list[Any]", sequence.value or [])):
            yield Node(self.document, (*sequence.keys, index), value)

    def get(self, key: str, default: Any = None) -> Any:
        """The plain value under the key."""
        value = self.child(key).value
        return default if value is None else value

    def text(self, key: str) -> str:
        """The text under the key, without the line break that a YAML block leaves at its end."""
        return str(self.get(key, "")).strip()

    def names(self, key: str) -> tuple[str, ...]:
        """The list of names under the key."""
        return tuple(self.get(key, ()))

    def mapping(self, key: str) -> JsonObject:
        """The mapping under the key, as it stands."""
        return cast("JsonObject", self.get(key, {}))
