"""The words of the comparison: who reads a contract, how an element changes, and what that does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Reader: TypeAlias = Literal["callers", "rows", "work", "importers"]
Change: TypeAlias = Literal["added", "removed", "narrowed", "widened", "changed"]
Severity: TypeAlias = Literal["breaking", "risky", "additive"]

READERS: Final[Mapping[Reader, str]] = {
    "callers": "Whoever calls the tools, or starts the server with settings.",
    "rows": "Rows that an earlier version stored, under the new tables and machines.",
    "work": "What is under way during the upgrade: an operation in flight, an older worker.",
    "importers": "Python code that imports the emitted package.",
}
"""Each reader of a contract, with a sentence; findings are grouped in this order."""

CHANGES: Final[Mapping[Change, str]] = {
    "added": "It is there now.",
    "removed": "It is gone.",
    "narrowed": "Less may occur than before: fewer values, fewer events, less that a tool may do.",
    "widened": "More may occur than before.",
    "changed": "It is another one, neither less nor more.",
}
"""Each way in which an element changes, with a sentence."""

SEVERITIES: Final[Mapping[Severity, str]] = {
    "breaking": "Something that worked fails, or is lost.",
    "risky": "Something that worked may behave otherwise; a reader has to look.",
    "additive": "Whatever worked goes on as before.",
}
"""Each verdict, the worst first."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a change does to a reader, in one sentence."""

    severity: Severity
    sentence: str


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of element: what it is, who reads it, and what each change does to each of them.

    Whoever is not among the readers never meets the element. `in_tables` says whether the DDL follows from
    it, so that a change needs a migration.
    """

    means: str
    readers: tuple[Reader, ...]
    changes: Mapping[Change, Mapping[Reader, Verdict]]
    in_tables: bool = False


def breaking(sentence: str) -> Verdict:
    """Something that worked fails."""
    return Verdict("breaking", sentence)


def risky(sentence: str) -> Verdict:
    """Something that worked may behave otherwise."""
    return Verdict("risky", sentence)


def additive(sentence: str) -> Verdict:
    """Whatever worked goes on."""
    return Verdict("additive", sentence)
