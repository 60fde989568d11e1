"""Findings: a change, a reader, and what the matrix says of the two."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from codex_control_plane_codegen.comparison.changes import Changed, changes
from codex_control_plane_codegen.comparison.contracts import Contract
from codex_control_plane_codegen.comparison.elements import Path
from codex_control_plane_codegen.comparison.matrix import MATRIX
from codex_control_plane_codegen.comparison.surfaces import elements
from codex_control_plane_codegen.comparison.verdicts import READERS, Reader, Verdict
from codex_control_plane_codegen.model import JsonObject, JsonValue

_LONGEST_VALUE: Final = 60


@dataclass(frozen=True, slots=True)
class Finding:
    """What a change does to one reader."""

    changed: Changed
    reader: Reader
    verdict: Verdict

    @property
    def kind(self) -> str:
        """The kind of the element, a key of the matrix."""
        return self.changed.element.kind

    @property
    def path(self) -> Path:
        """The way to the element."""
        return self.changed.element.path

    @property
    def fingerprint(self) -> str:
        """Names this finding, and no other, for as long as this change is the same.

        It follows from the reader and from the element as it was and as it is; neither from places nor from
        whatever else changes.
        """
        changed = self.changed
        values = [element.value if element else None for element in (changed.old, changed.new)]
        told = json.dumps([self.reader, self.kind, self.path, changed.change, values], sort_keys=True)
        return f"diff-{hashlib.sha256(told.encode()).hexdigest()[:12]}"

    @property
    def migrates(self) -> bool:
        """Whether the tables of old state files have to follow."""
        return self.reader == "rows" and MATRIX[self.kind].in_tables

    @property
    def title(self) -> str:
        """The change in few words: ``input bound narrowed: tools.x.input.y.maxLength, from 9 to 5``."""
        changed = self.changed
        head = f"{self.kind} {changed.change}: {'.'.join(self.path)}"
        if changed.old is None or changed.new is None or changed.old.value == changed.new.value:
            return head
        return f"{head}, {_difference(_text(changed.old.value), _text(changed.new.value))}"


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _difference(old: str, new: str) -> str:
    """From one text to the other; of long ones, what follows the words that they begin with alike."""
    if max(len(old), len(new)) > _LONGEST_VALUE:
        pairs = enumerate(zip(old, new, strict=False))
        alike = next((at for at, (before, after) in pairs if before != after), min(len(old), len(new)))
        start = max(old.rfind(" ", 0, alike), 0)
        old, new = (_cut(text, start) for text in (old, new))
    return f"from {old} to {new}"


def _cut(text: str, start: int) -> str:
    rest = f"…{text[start:]}" if start else text
    return rest if len(rest) <= _LONGEST_VALUE else f"{rest[: _LONGEST_VALUE - 1]}…"


def findings(old: Contract, new: Contract) -> Iterator[Finding]:
    """Every finding, in the order of the new contract."""
    before, after = _without_what_is_equal(old.document, new.document)
    for changed in changes(elements(before), elements(after)):
        verdicts = MATRIX[changed.element.kind].changes[changed.change]
        for reader in READERS:
            if reader in verdicts:
                yield Finding(changed, reader, verdicts[reader])


def _without_what_is_equal(old: JsonObject, new: JsonObject) -> tuple[JsonObject, JsonObject]:
    """Both documents without the lifecycles, shapes and modules that are the same in both.

    Nothing is found in them; most comparisons are of a few lines in thousands.
    """
    before, after = dict(old), dict(new)
    for key in ("lifecycles", "records", "storedShapes", "python"):
        was, now = old[key], new[key]
        if isinstance(was, dict) and isinstance(now, dict):
            same = {name for name in was if name in now and was[name] == now[name]}
            before[key] = {name: each for name, each in was.items() if name not in same}
            after[key] = {name: each for name, each in now.items() if name not in same}
    return before, after
