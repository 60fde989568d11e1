"""The matrix of compatibility: complete, and each cell shown by a pair of contracts."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from codex_control_plane_codegen import build
from codex_control_plane_codegen.analysis import analyse
from codex_control_plane_codegen.comparison.contracts import Contract
from codex_control_plane_codegen.comparison.findings import findings
from codex_control_plane_codegen.comparison.matrix import MATRIX
from codex_control_plane_codegen.comparison.verdicts import CHANGES, READERS, Change
from unit.comparison.cases import CASES, Case, Edit

UNIT = Path(__file__).parents[1]
PINNED = ("SPEC-X003", "SPEC-X004")
"""Findings about the pinned protocols, which follow the spec and which no contract holds."""

LETTERS = {"breaking": "B", "risky": "R", "additive": "A"}


def contract(root: Path, edits: Sequence[Edit]) -> Contract:
    """The contract of the base spec with these edits, which leave it sound."""
    shutil.copytree(UNIT / "base_spec", root / "spec")
    (root / "schemas").mkdir()
    (root / "schemas" / "spec").symlink_to(UNIT.parents[1] / "schemas" / "spec")
    (root / "schemas" / "codex").symlink_to(UNIT / "base_codex")
    for edit in edits:
        path = root / "spec" / edit.file
        text = path.read_text("utf-8") if edit.old else ""
        assert text.count(edit.old) == 1, f"{edit.file} does not hold this once: {edit.old}"
        path.write_text(text.replace(edit.old, edit.new), "utf-8")
    analysis = analyse(root)
    assert [error for error in analysis.errors if error.code not in PINNED] == []
    return Contract(root.name, build.contract(analysis.model), 0)


def verdicts(kind: str, old: Contract, new: Contract) -> Mapping[Change, str]:
    """What is found of elements of a kind: change → the letter of each reader."""
    found: dict[Change, dict[str, str]] = {}
    for finding in findings(old, new):
        if finding.kind == kind:
            letters = found.setdefault(finding.changed.change, dict.fromkeys(READERS, "-"))
            letters[finding.reader] = LETTERS[finding.verdict.severity]
    return {change: "".join(letters.values()) for change, letters in found.items()}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_cell_is_shown_by_a_pair_of_contracts(case: Case, tmp_path: Path) -> None:
    """An edit of the base spec, done and undone, is what the matrix says, for every reader."""
    old = contract(tmp_path / "old", case.given)
    new = contract(tmp_path / "new", [*case.given, *case.edits])

    assert verdicts(case.kind, old, new).get(case.forth[0]) == case.forth[1]
    if case.back is not None:
        assert verdicts(case.kind, new, old).get(case.back[0]) == case.back[1]


@pytest.mark.parametrize("name", MATRIX)
def test_each_change_of_a_kind_is_decided_for_each_of_its_readers(name: str) -> None:
    """No cell is left open, none is written for somebody who never meets the kind, none in another order."""
    kind = MATRIX[name]

    assert kind.readers
    assert kind.readers == tuple(reader for reader in READERS if reader in kind.readers)
    assert kind.changes.keys() <= CHANGES.keys()
    assert all(tuple(verdicts) == kind.readers for verdicts in kind.changes.values())


def test_no_cell_is_without_a_case() -> None:
    """Every kind and change of the matrix has a pair of contracts, and no case shows what is not in it."""
    shown = {(case.kind, change) for case in CASES for change, _ in filter(None, (case.forth, case.back))}

    assert shown == {(name, change) for name, kind in MATRIX.items() for change in kind.changes}


def test_a_contract_is_no_change_of_itself(tmp_path: Path) -> None:
    """What is equal is found to be equal, element by element."""
    one = contract(tmp_path / "one", ())

    assert list(findings(one, contract(tmp_path / "same", ()))) == []
