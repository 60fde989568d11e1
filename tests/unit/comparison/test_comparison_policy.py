"""What a break needs: an approval that counts, a new contract version, a migration."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codex_control_plane_codegen.comparison.contracts import MIGRATIONS
from codex_control_plane_codegen.comparison.page import BEGIN, matrix_page
from unit.comparison.conftest import Comparing
from unit.test_diagnostics_golden import COMPARED, apply, edits

APPROVALS = """\
# yaml-language-server: $schema=../schemas/spec/approvals.schema.json
source: a test
approvals:
"""


def edit(root: Path, file: str, old: str, new: str) -> None:
    """Replaces a text of the spec that occurs once."""
    path = root / "spec" / file
    text = path.read_text("utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), "utf-8")


def break_callers(root: Path) -> None:
    """Refuses a call that was accepted."""
    edit(root, "tools/get_job.yaml", "minLength: 1", "minLength: 2")


def approve(root: Path, *fingerprints: str, expires: str = "2027-12-31") -> None:
    """Approves exactly these findings."""
    lines = [f"  {each}: {{reason: It is meant., expires: {expires}}}\n" for each in fingerprints]
    (root / "spec" / "approvals.yaml").write_text(APPROVALS + "".join(lines), "utf-8")


@pytest.mark.parametrize("code", sorted(path.stem for path in COMPARED.iterdir()))
def test_each_code_is_reported_with_its_place_and_its_cure(
    code: str, spec_root: Path, comparing: Comparing
) -> None:
    """The smallest edit of a released spec that breaks a rule is answered with exactly the golden text."""
    given, _, expected = (COMPARED / f"{code}.txt").read_text("utf-8").partition("====\n")
    for change in edits(given):
        apply(spec_root, *change)

    found = comparing().as_text()

    assert found == expected
    assert code in found


def test_an_equal_contract_passes(comparing: Comparing) -> None:
    """Nothing changed, nothing is found."""
    report = comparing()

    assert report.comparison.passes
    assert (
        report.as_text() == "Compared with the spec (released, version 1): no change. The contract passes.\n"
    )


def test_an_approved_break_passes(spec_root: Path, comparing: Comparing) -> None:
    """A break whose fingerprint is approved needs no new version."""
    break_callers(spec_root)
    assert not comparing().comparison.passes
    approve(spec_root, *(each.fingerprint for each in comparing().comparison.open_breaks))

    report = comparing()

    assert report.comparison.passes
    assert ": It is meant." in report.as_text()


def test_an_approval_counts_on_its_last_day(spec_root: Path, comparing: Comparing) -> None:
    """It expires with the day that it names, not before."""
    break_callers(spec_root)
    fingerprints = [each.fingerprint for each in comparing().comparison.open_breaks]

    approve(spec_root, *fingerprints, expires="2027-01-01")
    assert comparing().comparison.passes
    approve(spec_root, *fingerprints, expires="2026-12-31")
    assert not comparing().comparison.passes


def test_a_new_version_announces_breaks_to_callers(spec_root: Path, comparing: Comparing) -> None:
    """With the next contract version a break of callers needs no approval; the bump is for something."""
    break_callers(spec_root)
    edit(spec_root, "contract.yaml", 'contract_version: "1"', 'contract_version: "2"')

    assert comparing().comparison.passes


def test_a_new_version_saves_no_row(spec_root: Path, comparing: Comparing) -> None:
    """Rows and running work read no version: their breaks stay open until they are approved."""
    break_callers(spec_root)
    edit(spec_root, "lifecycles/job.yaml", "    forbids: [ended_at]\n", "    forbids: [ended_at, problem]\n")
    edit(spec_root, "contract.yaml", 'contract_version: "1"', 'contract_version: "2"')

    assert {each.reader for each in comparing().comparison.open_breaks} == {"rows", "work"}


def test_a_newer_migration_is_enough_for_tables_that_only_grow(spec_root: Path, comparing: Comparing) -> None:
    """The tables may differ once there is a migration that no release had."""
    edit(spec_root, "records/note.yaml", "index:\n", "index:\n  - {columns: [text]}\n")
    assert not comparing().comparison.passes

    (spec_root / MIGRATIONS).mkdir(parents=True)
    (spec_root / MIGRATIONS / "0001_texts.sql").write_text("CREATE INDEX note_by_text ON note (text);\n")

    assert comparing().comparison.passes


def test_a_fingerprint_outlives_what_else_changes(spec_root: Path, comparing: Comparing) -> None:
    """It is the same after lines moved and others changed, and another one once this change differs."""
    break_callers(spec_root)
    before = {each.fingerprint for each in comparing().comparison.open_breaks}
    edit(spec_root, "tools/get_job.yaml", "input:\n", "\n\ninput:\n")
    edit(spec_root, "tools/get_job.yaml", "title: Look at a job", "title: See a job")
    assert {each.fingerprint for each in comparing().comparison.open_breaks} == before

    edit(spec_root, "tools/get_job.yaml", "minLength: 2", "minLength: 3")
    assert not {each.fingerprint for each in comparing().comparison.open_breaks} & before


def test_a_finding_points_at_the_element(spec_root: Path, comparing: Comparing) -> None:
    """The place is that of the element in the spec, also of a result that is declared as a type."""
    edit(spec_root, "types/job.yaml", "      sort: {", "      extra: {type: string}\n      sort: {")

    report = json.loads(comparing().as_json())
    places = {finding["kind"]: (finding["file"], finding["line"]) for finding in report["findings"]}

    text = (spec_root / "spec/types/job.yaml").read_text("utf-8").splitlines()
    assert places["result field"] == ("spec/types/job.yaml", text.index("      extra: {type: string}") + 1)


def test_programs_are_told_what_people_are(spec_root: Path, comparing: Comparing) -> None:
    """JSON, Markdown and the commands of a workflow name the same open break."""
    break_callers(spec_root)
    report = comparing()
    (finding,) = (each for each in json.loads(report.as_json())["findings"] if each["status"] == "open")

    assert (finding["reader"], finding["severity"], finding["change"]) == ("callers", "breaking", "narrowed")
    assert f"`{finding['fingerprint']}`" in report.as_markdown()
    assert "::error file=spec/tools/get_job.yaml,line=16," in report.as_github()


def test_the_matrix_in_the_documentation_is_the_one_of_the_code() -> None:
    """docs/compatibility.md ends with what `diff --matrix` prints."""
    page = (Path(__file__).parents[3] / "docs" / "compatibility.md").read_text("utf-8")

    assert page[page.index(BEGIN) :] == matrix_page()
