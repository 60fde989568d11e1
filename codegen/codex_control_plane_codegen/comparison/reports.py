"""A comparison as people, pull requests and programs read it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Final

from rich.console import Console
from rich.text import Text

from codex_control_plane_codegen.comparison.findings import Finding
from codex_control_plane_codegen.comparison.locating import Locator
from codex_control_plane_codegen.comparison.policy import VERSIONED, Comparison, Status
from codex_control_plane_codegen.comparison.verdicts import READERS, SEVERITIES, Reader, Severity
from codex_control_plane_codegen.diagnostics import Diagnostic
from codex_control_plane_codegen.rendering import PROGRAM, as_json, as_text

_STYLES: Final[Mapping[Severity, str]] = {"breaking": "bold red", "risky": "bold yellow", "additive": "green"}
_READERS: Final[Mapping[Reader, str]] = {
    "callers": "Callers",
    "rows": "Stored rows",
    "work": "Running work",
    "importers": "Python importers",
}
_STATUSES: Final[Mapping[Status, str]] = {
    "open": "",
    "approved": " (approved)",
    "versioned": " (new contract version)",
    "harmless": "",
}
_STANDINGS: Final[Mapping[Status, str]] = {
    "open": "open",
    "approved": "approved",
    "versioned": "with a new contract version",
}
OPEN_BREAK: Final = "SPEC-D001"
"""The code of a break that is neither approved nor announced."""


@dataclass(frozen=True, slots=True)
class Report:
    """A comparison that can be shown; `colour` is for terminals."""

    comparison: Comparison
    locator: Locator
    colour: bool = False

    def as_text(self) -> str:
        """Every finding under its reader, the worst first, what is wrong beside them, and the counts."""
        stream = StringIO()
        console = Console(file=stream, force_terminal=self.colour, width=110, highlight=False, emoji=False)
        for reader, found in self._by_reader():
            console.print(Text(_READERS[reader], style="bold underline"))
            for finding in found:
                self._print(console, finding)
            console.print()
        diagnostics = as_text(self.comparison.diagnostics, colour=self.colour)
        return f"{stream.getvalue()}{diagnostics}{self.closing()}\n"

    def _by_reader(self) -> Iterator[tuple[Reader, Sequence[Finding]]]:
        worst = list(SEVERITIES)
        for reader in READERS:
            found = [each for each in self.comparison.findings if each.reader == reader]
            if found:
                yield reader, sorted(found, key=lambda each: worst.index(each.verdict.severity))

    def _print(self, console: Console, finding: Finding) -> None:
        status = self.comparison.status(finding)
        severity = finding.verdict.severity
        code = f" {OPEN_BREAK}" if status == "open" else ""
        head = Text(f"{self.locator.place(finding.changed)}: ")
        head.append(f"{severity}{code}", _STYLES[severity]).append(f"{_STATUSES[status]}: {finding.title}")
        console.print(head, soft_wrap=True)
        for line in (finding.verdict.sentence, *self._notes(finding, status)):
            console.print(Text(f"    {line}"), soft_wrap=True)

    def _notes(self, finding: Finding, status: Status) -> Iterator[str]:
        if finding.migrates and self.comparison.old.released:
            yield "The tables follow by a migration."
        if status == "approved":
            yield f"{finding.fingerprint}: {self.comparison.approvals[finding.fingerprint].reason}"
        elif status == "open":
            yield f"{finding.fingerprint}: {self.hint(finding)}"

    def hint(self, finding: Finding) -> str:
        """What to do about an open break."""
        if not self.comparison.old.released:
            return (
                f"Undo it, or take the contract as it stands: `{PROGRAM} release --candidate`; "
                "nobody relies on it before the first release."
            )
        if finding.reader in VERSIONED:
            version = self.comparison.old.version + 1
            return f'Undo it, set contract_version to "{version}", or approve it in spec/approvals.yaml.'
        return (
            "Undo it, or approve it in spec/approvals.yaml with what keeps old rows and running work whole."
        )

    def closing(self) -> str:
        """The counts, and whether the contract passes."""
        found = self.comparison.findings
        counts = Counter(each.verdict.severity for each in found)
        told = ", ".join(f"{counts[severity]} {severity}" for severity in SEVERITIES if counts[severity])
        verdict = "The contract passes." if self.comparison.passes else "The contract does not pass."
        base = self.comparison.old
        name = f"{base.name} ({'released' if base.released else 'candidate'}, version {base.version})"
        return f"Compared with {name}: {told or 'no change'}. {self._standing()}{verdict}"

    def _standing(self) -> str:
        standing = Counter(self.comparison.status(each) for each in self.comparison.findings)
        words = [f"{standing[status]} {word}" for status, word in _STANDINGS.items() if standing[status]]
        return f"Breaks: {', '.join(words)}. " if words else ""

    def as_markdown(self) -> str:
        """A comment for a pull request: one table a reader, what is additive folded away."""
        lines = ["## Contract", "", self.closing(), ""]
        lines += [
            f"- **{each.severity} {each.code}** `{each.place}` {each.message}. {each.hint}"
            for each in self.comparison.diagnostics
        ]
        for reader, found in self._by_reader():
            worse = [each for each in found if each.verdict.severity != "additive"]
            rest = [each for each in found if each.verdict.severity == "additive"]
            lines += ["", f"### {_READERS[reader]}", ""] + (self._table(worse) if worse else [])
            if rest:
                lines += ["", f"<details><summary>{len(rest)} additive</summary>", "", *self._table(rest)]
                lines += ["", "</details>"]
        return "\n".join([*lines, ""])

    def _table(self, found: Sequence[Finding]) -> list[str]:
        rows = ["| verdict | change | place | what it does | fingerprint |", "|---|---|---|---|---|"]
        for each in found:
            status = _STATUSES[self.comparison.status(each)]
            title = each.title.replace("|", "\\|")
            rows.append(
                f"| {each.verdict.severity}{status} | {title} | `{self.locator.place(each.changed)}` "
                f"| {each.verdict.sentence} | `{each.fingerprint}` |"
            )
        return rows

    def as_json(self) -> str:
        """Everything, for programs."""
        old, new = self.comparison.old, self.comparison.new
        values = {
            "base": {"name": old.name, "contractVersion": str(old.version), "released": old.released},
            "contractVersion": str(new.version),
            "passes": self.comparison.passes,
            "findings": [self._as_object(finding) for finding in self.comparison.findings],
            "diagnostics": as_json(self.comparison.diagnostics),
        }
        return json.dumps(values, ensure_ascii=False, indent=2) + "\n"

    def _as_object(self, finding: Finding) -> dict[str, object]:
        place, changed = self.locator.place(finding.changed), finding.changed
        return {
            "fingerprint": finding.fingerprint,
            "reader": finding.reader,
            "severity": finding.verdict.severity,
            "status": self.comparison.status(finding),
            "kind": finding.kind,
            "change": changed.change,
            "path": list(finding.path),
            "old": changed.old.value if changed.old else None,
            "new": changed.new.value if changed.new else None,
            "sentence": finding.verdict.sentence,
            "migration": finding.migrates,
            "file": place.file,
            "line": place.line,
            "column": place.column,
        }

    def as_github(self) -> str:
        """Workflow commands that annotate the lines of a pull request; only what fails or deserves a look."""
        lines = [_annotation(each) for each in (*self._breaks(), *self.comparison.diagnostics)]
        return "".join(f"{line}\n" for line in [*lines, f"::notice::{_escaped(self.closing())}"])

    def _breaks(self) -> Iterator[Diagnostic]:
        for finding in self.comparison.open_breaks:
            place = self.locator.place(finding.changed)
            message = f"{_READERS[finding.reader]}: {finding.title}. {finding.verdict.sentence}"
            yield Diagnostic(OPEN_BREAK, place, message, f"{finding.fingerprint}: {self.hint(finding)}")


def _annotation(diagnostic: Diagnostic) -> str:
    place = diagnostic.place
    where = f"file={place.file},line={place.line},col={place.column},title={diagnostic.code}"
    return f"::{diagnostic.severity} {where}::{_escaped(f'{diagnostic.message}. {diagnostic.hint}')}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


FORMATS: Final[Mapping[str, Callable[[Report], str]]] = {
    "text": Report.as_text,
    "markdown": Report.as_markdown,
    "json": Report.as_json,
    "github": Report.as_github,
}
"""Name of a format → what writes it."""
