"""Applies the cures that are certain, in the text itself, so that comments and layout stay."""

import difflib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from codex_control_plane_codegen.diagnostics import Diagnostic, Edit


@dataclass(frozen=True, slots=True)
class Correction:
    """A file of the spec, as it is and as it should be."""

    file: str
    before: str
    after: str

    @property
    def diff(self) -> str:
        """The change as a unified diff."""
        before, after = self.before.splitlines(keepends=True), self.after.splitlines(keepends=True)
        return "".join(difflib.unified_diff(before, after, f"a/{self.file}", f"b/{self.file}"))

    def write(self, root: Path) -> None:
        """Writes the corrected file below the root."""
        (root / self.file).write_bytes(self.after.encode())


def corrections(root: Path, diagnostics: Iterable[Diagnostic]) -> Sequence[Correction]:
    """What the fixes of these findings make of each file below the root, in the order of the files."""
    by_file: defaultdict[str, list[Edit]] = defaultdict(list)
    for diagnostic in diagnostics:
        if diagnostic.fix:
            by_file[diagnostic.fix.place.file].append(diagnostic.fix)
    found: list[Correction] = []
    for file, edits in sorted(by_file.items()):
        before = (root / file).read_bytes().decode()
        found.append(Correction(file, before, edited(before, edits)))
    return found


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text with every edit made, from the last to the first, so that no place moves under another."""
    lines = text.split("\n")
    for edit in sorted(edits, key=lambda each: each.place, reverse=True):
        line = lines[edit.place.line - 1]
        lines[edit.place.line - 1] = line[: edit.place.column - 1] + edit.text + line[edit.place.end - 1 :]
    return "\n".join(lines)
