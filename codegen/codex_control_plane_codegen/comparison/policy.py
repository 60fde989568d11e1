"""What a break needs: an approval, a new version of the contract, a migration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final, Literal, TypeAlias

from codex_control_plane_codegen.comparison.contracts import MIGRATIONS, Contract
from codex_control_plane_codegen.comparison.findings import Finding, findings
from codex_control_plane_codegen.comparison.verdicts import Reader
from codex_control_plane_codegen.diagnostics import Diagnostic, nearest
from codex_control_plane_codegen.model import Approval, Model
from codex_control_plane_codegen.places import Place

Status: TypeAlias = Literal["open", "approved", "versioned", "harmless"]
"""A break is open, approved, or announced by a new version of the contract; the rest is no break."""

VERSIONED: Final[frozenset[Reader]] = frozenset({"callers", "importers"})
"""The readers that a new version of the contract warns. Rows and running work read no version."""


@dataclass(frozen=True)
class Comparison:
    """A contract compared with an earlier one, on a day, in the light of what the spec approves."""

    old: Contract
    new: Contract
    model: Model
    today: date

    @cached_property
    def findings(self) -> Sequence[Finding]:
        """Everything that changed, for each reader whom it concerns."""
        return list(findings(self.old, self.new))

    @cached_property
    def approvals(self) -> Mapping[str, Approval]:
        """The approvals that count today, by fingerprint."""
        today = self.today.isoformat()
        return {each.fingerprint: each for each in self.model.approvals if each.expires >= today}

    def status(self, finding: Finding) -> Status:
        """Whether something has to be done about a finding."""
        if finding.verdict.severity != "breaking":
            return "harmless"
        if finding.fingerprint in self.approvals:
            return "approved"
        if finding.reader in VERSIONED and self.new.version == self.old.version + 1:
            return "versioned"
        return "open"

    @cached_property
    def open_breaks(self) -> Sequence[Finding]:
        """The breaks that nobody has approved or announced."""
        return [finding for finding in self.findings if self.status(finding) == "open"]

    @cached_property
    def diagnostics(self) -> Sequence[Diagnostic]:
        """What is wrong beside the open breaks: the version, the approvals, the migrations."""
        return [*self._version(), *self._approvals(), *self._migration()]

    @property
    def passes(self) -> bool:
        """Whether the new contract may follow the old one as it stands."""
        return not self.open_breaks and all(found.severity != "error" for found in self.diagnostics)

    def _version(self) -> Iterator[Diagnostic]:
        old, new = self.old.version, self.new.version
        if new == old:
            yield from self._missing_bump()
        elif new != old + 1:
            message = f"The contract version is {new}; {self.old.name} has {old}"
            hint = f'Make it "{old + 1}" if a caller or an importer is broken, else "{old}".'
            yield Diagnostic("SPEC-D003", self._version_place, message, hint)
        elif not any(self._is_break_of_a_version(finding) for finding in self.findings):
            message = f"The contract version is {new}, and no caller and no importer is broken"
            hint = f'Take back "{old}": clients drop their support for a version that ends.'
            yield Diagnostic("SPEC-D003", self._version_place, message, hint)

    def _missing_bump(self) -> Iterator[Diagnostic]:
        if self.old.released and any(finding.reader in VERSIONED for finding in self.open_breaks):
            message = f"Callers or importers are broken, and the contract version is still {self.new.version}"
            hint = f'Make it "{self.new.version + 1}", or undo or approve the breaks.'
            yield Diagnostic("SPEC-D002", self._version_place, message, hint)

    def _is_break_of_a_version(self, finding: Finding) -> bool:
        return finding.verdict.severity == "breaking" and finding.reader in VERSIONED

    @property
    def _version_place(self) -> Place:
        contract = self.model.contract
        assert contract is not None
        return contract.document.place("contract_version")

    def _approvals(self) -> Iterator[Diagnostic]:
        breaks = {each.fingerprint: each for each in self.findings if each.verdict.severity == "breaking"}
        known = {each.fingerprint for each in self.model.approvals}
        for approval in self.model.approvals:
            place = approval.document.key_place(*approval.keys)
            if approval.fingerprint not in breaks:
                message = f"Nothing that breaks has the fingerprint {approval.fingerprint}"
                hint = "Remove it: the break is undone, released, or another one by now."
                meant = nearest(approval.fingerprint, breaks.keys() - known)
                yield Diagnostic("SPEC-D005", place, message, hint, meant)
            elif approval.fingerprint not in self.approvals:
                message = (
                    f"The approval of `{breaks[approval.fingerprint].title}` expired on {approval.expires}"
                )
                hint = "Undo the break, or find out why it is still meant and set another day."
                yield Diagnostic("SPEC-D004", place, message, hint)

    def _migration(self) -> Iterator[Diagnostic]:
        differs = self.old.document["schemaHash"] != self.new.document["schemaHash"]
        if differs and self.old.released and self.new.migration <= self.old.migration:
            place = Place(f"{MIGRATIONS}/{self.old.migration + 1:04}_….sql")
            message = f"The tables changed, and {self.old.name} has the newest migration already"
            hint = "Add one that leads from the old tables to schema.sql; a released one stays as it is."
            yield Diagnostic("SPEC-D006", place, message, hint)
