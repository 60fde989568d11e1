"""Documents of the spec: what was read, and where each part of it stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import Final

from codex_control_plane_codegen.places import Key, Keys, Place

DIRECTORIES: Final[Mapping[str, str]] = {
    "lifecycles": "lifecycle",
    "records": "record",
    "types": "types",
    "tools": "tool",
}
"""Directory below ``spec/`` → kind of every document in it."""

SINGLE_FILES: Final[Mapping[str, str]] = {
    "contract.yaml": "contract",
    "errors.yaml": "errors",
    "config.yaml": "config",
    "findings.yaml": "findings",
    "codex.yaml": "codex",
    "composition.yaml": "composition",
}
"""File directly in ``spec/`` → kind of document; each of them must exist."""

OPTIONAL_FILES: Final[Mapping[str, str]] = {"repairs.yaml": "repairs", "approvals.yaml": "approvals"}
"""File directly in ``spec/`` → kind of document; none of them needs to exist."""

KINDS: Final = (*DIRECTORIES.values(), *SINGLE_FILES.values(), *OPTIONAL_FILES.values())
"""Every kind of document; each has a schema of the same name in ``schemas/spec``."""


def kind_of(path: PurePosixPath) -> str | None:
    """The kind of the document at this path (relative to the root), or None where no document belongs."""
    match path.parts:
        case ("spec", directory, _):
            return DIRECTORIES.get(directory)
        case ("spec", name):
            return SINGLE_FILES.get(name) or OPTIONAL_FILES.get(name)
        case _:
            return None


@dataclass(frozen=True, slots=True)
class Span:
    """A token: zero-based line and columns, the end being behind its last character on that line."""

    line: int
    column: int
    end: int


@dataclass(frozen=True, eq=False)
class Document:
    """One file of the spec.

    `path` is relative to the root and uses forward slashes, so that messages and generated headers are the
    same on every system. `data` is plain Python: dict, list, str, int, float, bool, None.
    """

    path: str
    kind: str
    data: object
    text: str
    values: Mapping[Keys, Span] = field(default_factory=dict[Keys, Span])
    keys: Mapping[Keys, Span] = field(default_factory=dict[Keys, Span])

    @cached_property
    def _lines(self) -> list[str]:
        """The text by lines; every element that a check looks at has its place asked for."""
        return self.text.split("\n")

    def place(self, *keys: Key) -> Place:
        """The element that `keys` lead to: its text if it is a scalar, else the key that names it.

        Keys that lead nowhere point at the deepest element that exists, which is where something is missing.
        """
        for depth in range(len(keys), 0, -1):
            if span := self.values.get(keys[:depth]) or self.keys.get(keys[:depth]):
                return self.at(span)
        return self.at(self.values.get((), Span(0, 0, 0)))

    def key_place(self, *keys: Key) -> Place:
        """The key that the last of `keys` is written as, rather than the value behind it."""
        span = self.keys.get(keys)
        return self.at(span) if span else self.place(*keys)

    def at(self, span: Span) -> Place:
        """The place of a token of this document."""
        source = self._lines[span.line].rstrip("\r") if span.line < len(self._lines) else ""
        return Place(self.path, span.line + 1, span.column + 1, span.end + 1, source)
