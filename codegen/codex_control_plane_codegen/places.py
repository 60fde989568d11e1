"""Where something stands in a file of the spec."""

from dataclasses import dataclass
from typing import TypeAlias

Key: TypeAlias = str | int
"""A step into a document: the key of a mapping or the index of a list."""

Keys: TypeAlias = tuple[Key, ...]
"""The way from the root of a document to one of its elements."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A token in a file; lines and columns count from 1.

    `end` is the column behind the token on the same line, so that ``end - column`` carets underline it.
    `source` is the line that holds it, without its line break; empty for a place that is a whole file.
    """

    file: str
    line: int = 1
    column: int = 1
    end: int = 1
    source: str = ""

    def __str__(self) -> str:
        """``file:line:column``, which editors and terminals turn into a link."""
        return f"{self.file}:{self.line}:{self.column}"
