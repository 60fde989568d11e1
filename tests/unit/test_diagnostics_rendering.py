"""Findings are complete, sorted, one for each mistake, and readable by people and by programs."""

from pathlib import Path

from codex_control_plane_codegen.analysis import analyse
from codex_control_plane_codegen.codes import CODES
from codex_control_plane_codegen.diagnostics import Diagnostic, nearest
from codex_control_plane_codegen.places import Place
from codex_control_plane_codegen.rendering import as_json, as_text, explanation

FOUND = Diagnostic("SPEC-S004", Place("spec/a.yaml", 3, 4, 7, "a: bad # x"), "Bad.", "Be good.", "good")


def edit(root: Path, file: str, old: str, new: str) -> None:
    """Replaces a text that stands once in a file of the spec."""
    path = root / "spec" / file
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_independent_mistakes_are_all_found_in_one_run(spec_root: Path) -> None:
    """Mistakes of every family in several files come together, sorted by place."""
    edit(spec_root, "codex.yaml", "tested_version: 0.163.0", "tested_version: 0.1.0")
    edit(spec_root, "config.yaml", "default: 4", "default: four")
    edit(spec_root, "lifecycles/job.yaml", "requires: [ended_at]", "requires: [ended]")
    edit(spec_root, "lifecycles/worker_command.yaml", "ignored: [completed]", "ignored: []")
    edit(spec_root, "findings.yaml", "severity: broken", "severity: bad")
    edit(spec_root, "types/job.yaml", "jobId: {type: string}", "jobId: {type: string")

    found = analyse(spec_root).diagnostics

    assert [(finding.place.file, finding.code) for finding in found] == [
        ("spec/codex.yaml", "SPEC-X002"),
        ("spec/config.yaml", "SPEC-C001"),
        ("spec/findings.yaml", "SPEC-S004"),
        ("spec/lifecycles/job.yaml", "SPEC-R008"),
        ("spec/lifecycles/worker_command.yaml", "SPEC-L001"),
        ("spec/types/job.yaml", "SPEC-Y001"),
    ]


def test_a_broken_document_makes_no_name_unknown(spec_root: Path) -> None:
    """References into a document that cannot be read are not reported on top of it."""
    for file in ("contract.yaml", "errors.yaml", "lifecycles/job.yaml", "types/job.yaml"):
        (spec_root / "spec" / file).write_text("[", encoding="utf-8")
        for finding in analyse(spec_root).diagnostics:
            assert finding.code.startswith("SPEC-Y")


def test_a_document_that_fails_its_schema_is_not_checked_further(spec_root: Path) -> None:
    """Of a lifecycle with an unknown key and an unknown state, the key is reported first."""
    edit(spec_root, "lifecycles/job.yaml", "target: done", "target: dune")
    edit(spec_root, "lifecycles/job.yaml", "id_prefix: job", "id_prefiks: job")

    assert [finding.code for finding in analyse(spec_root).diagnostics] == ["SPEC-S001"]


def test_no_missing_line_breaks_the_compiler(spec_root: Path) -> None:
    """Whatever line of a lifecycle is lost, the answer is a list of findings."""
    path = spec_root / "spec" / "lifecycles" / "worker_command.yaml"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    for index in range(1, len(lines)):
        path.write_text("".join(lines[:index] + lines[index + 1 :]), encoding="utf-8")
        assert as_text(analyse(spec_root).diagnostics) or "id_prefix" in lines[index]


def test_a_terminal_gets_colour_and_the_same_text() -> None:
    """Colour adds escape sequences and changes no character."""
    coloured = as_text([FOUND], colour=True)
    plain = coloured
    for sequence in ("\x1b[1;31m", "\x1b[1;36m", "\x1b[0m"):
        assert sequence in coloured
        plain = plain.replace(sequence, "")

    assert plain == as_text([FOUND])


def test_a_token_far_to_the_right_is_shown() -> None:
    """Of a very long line the part with the token is shown, with the caret below it."""
    source = "x" * 300 + " token " + "y" * 300
    text = as_text([Diagnostic("SPEC-S004", Place("spec/a.yaml", 1, 302, 307, source), "Bad.")])

    assert "| token yyy" in text
    assert "| ^^^^^\n" in text
    assert max(map(len, text.splitlines())) < 120


def test_programs_read_place_code_and_words() -> None:
    """The JSON form of a finding holds all that the text shows."""
    (value,) = as_json([FOUND])

    assert value == {
        "code": "SPEC-S004",
        "severity": "error",
        "title": "Value not allowed",
        "file": "spec/a.yaml",
        "line": 3,
        "column": 4,
        "endColumn": 7,
        "message": "Bad.",
        "hint": "Be good.",
        "suggestion": "good",
    }


def test_nothing_found_is_nothing_said() -> None:
    """No findings render as an empty text."""
    assert as_text([]) == ""


def test_errors_and_warnings_are_counted() -> None:
    """The last line says how many there are of each, and where to read on."""
    warning = Diagnostic("SPEC-R015", Place("spec/a.yaml"), "Unused.")

    closing = as_text([FOUND, FOUND, warning]).splitlines()[-1]
    assert closing.startswith("2 errors and 1 warning. `codex-control-plane-mcp-codegen explain SPEC-S004`")


def test_only_a_near_name_is_suggested() -> None:
    """A misspelling finds its name in any case; another word finds none."""
    assert nearest("RUNING", ["running", "queued"]) == "running"
    assert nearest("banana", ["running", "queued"]) == ""


def test_every_page_is_complete() -> None:
    """Each code has a title, a cause, an example and a cure, and no two have the same title in a family."""
    for code, entry in CODES.items():
        assert all((entry.title, entry.cause, entry.example, entry.cure))
        assert explanation(code).startswith(f"{code} ({entry.severity}): {entry.title}\n")
    assert len({(code[:6], entry.title) for code, entry in CODES.items()}) == len(CODES)
