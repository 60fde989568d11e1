"""Findings are complete, sorted, one for each mistake, and readable by people and by programs."""

from dataclasses import replace
from pathlib import Path

import pytest

from codex_control_plane_codegen.analysis import analyse
from codex_control_plane_codegen.codes import CODES
from codex_control_plane_codegen.diagnostics import Diagnostic, is_slip, nearest, slip_of
from codex_control_plane_codegen.places import Place
from codex_control_plane_codegen.rendering import as_github, as_json, as_text, explanation

FOUND = Diagnostic("SPEC-S004", Place("spec/a.yaml", 3, 4, 7, "a: bad # x"), "Bad.", "Be good.", "good")


def edit(root: Path, file: str, old: str, new: str) -> None:
    """Replaces a text that stands once in a file of the spec."""
    path = root / "spec" / file
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_independent_mistakes_are_all_found_in_one_run(spec_root: Path) -> None:
    """Mistakes of every family in several files come together, sorted by place."""
    edit(spec_root, "codex.yaml", "minimum_version: 0.154.0", "minimum_version: 0.163.0")
    edit(spec_root, "codex.yaml", "tested_version: 0.163.0", "tested_version: 0.154.0")
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


def test_instructions_are_cut_as_descriptions_are(spec_root: Path) -> None:
    """What clients would not show of the server's instructions is an error, as it is of a tool."""
    edit(spec_root, "contract.yaml", "Submit a job and look at it.", "Look. " * 400)

    (finding,) = analyse(spec_root).diagnostics
    assert (finding.code, finding.place.line) == ("SPEC-T006", 6)
    assert "2048" in finding.message


def test_a_misspelt_key_is_not_missing_as_well(spec_root: Path) -> None:
    """The key that an unknown one means is not asked for on top of it."""
    edit(spec_root, "tools/get_job.yaml", "title: Look at a job", "titel: Look at a job")

    (finding,) = analyse(spec_root).diagnostics
    assert (finding.code, finding.suggestion) == ("SPEC-S001", "title")


def test_one_wrong_name_is_one_finding_of_its_file(spec_root: Path) -> None:
    """A name that leads nowhere is reported where it stands first, with its other places."""
    path = spec_root / "spec" / "types" / "job.yaml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("$ref: JobStatus", "$ref: JobState"), encoding="utf-8"
    )
    edit(spec_root, "types/job.yaml", "jobId: {type: string}", "jobId: {$ref: JobState}")

    (finding,) = analyse(spec_root).diagnostics
    assert (finding.place.line, [place.line for place in finding.also]) == (30, [31])
    assert "       = Also at 31:22.\n" in as_text([finding])
    assert [place["line"] for place in as_json([finding])[0]["also"]] == [31]  # type: ignore[attr-defined]  # JSON


def test_names_of_several_files_are_several_findings(spec_root: Path) -> None:
    """A state that two lifecycles lack is missing in each of them."""
    edit(spec_root, "lifecycles/job.yaml", "target: done", "target: over")
    edit(spec_root, "lifecycles/worker_command.yaml", "target: completed", "target: over")

    assert [finding.code for finding in analyse(spec_root).diagnostics] == ["SPEC-R002", "SPEC-R002"]


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("lifecycles/job.yaml", "target: running", "target: runing"),
        ("lifecycles/job.yaml", "open: [queued, running]", "open: [queued, runing]"),
        ("lifecycles/job.yaml", "  done:\n    means", "  dona:\n    means"),
        ("lifecycles/job.yaml", "  finish:\n    means", "  finnish:\n    means"),
        ("lifecycles/job.yaml", "  ended_at: {type", "  endet_at: {type"),
        ("tools/get_job.yaml", "output: {$ref: Job}", "output: {$ref: Jop}"),
        ("tools/get_job.yaml", "required: [job_id]", "required: [jop_id]"),
        ("types/job.yaml", "  Next:", "  Nest:"),
        ("contract.yaml", "  look: Look", "  lock: Look"),
        ("errors.yaml", "  INVALID_ARGUMENT:", "  INVALID_ARGUMENTS:"),
    ],
)
def test_one_slip_has_no_followers(spec_root: Path, file: str, old: str, new: str) -> None:
    """A name that is misspelt at its declaration or at a use is reported under one code and no other."""
    edit(spec_root, file, old, new)

    found = analyse(spec_root).diagnostics
    assert len({finding.code for finding in found}) == 1, as_text(found)


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
        "also": [],
        "fix": None,
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


@pytest.mark.parametrize("word", ["runing", "runnning", "runninf", "runnign", "unning", "runningg"])
def test_a_slip_is_one_letter(word: str) -> None:
    """Lost, added, wrong or swapped with its neighbour, at the start, in the middle or at the end."""
    assert is_slip(word, "running")
    assert slip_of(word, ["queued", "running"]) == "running"


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("running", "running"),
        ("runn", "running"),
        ("low", "slow"),
        ("codex1", "codex2"),
        ("nuring", "running"),
    ],
)
def test_more_than_one_letter_is_no_slip(word: str, meant: str) -> None:
    """Neither are short words and digits, where one character may be all the difference."""
    assert not is_slip(word, meant)


def test_two_candidates_make_no_slip() -> None:
    """What may mean either is left to a person."""
    assert slip_of("rung_", ["rungs", "runga"]) == ""


def test_github_shows_each_finding_at_its_line() -> None:
    """A workflow command holds place and words; what would end a part of it is escaped."""
    found = replace(FOUND, message="50 %: bad", also=(Place("spec/a,b.yaml", 9, 1, 2),))

    assert as_github([found]) == (
        "::error file=spec/a.yaml,line=3,col=4,endColumn=7,title=SPEC-S004%3A Value not allowed"
        "::50 %25: bad%0ADid you mean `good`?%0ABe good.\n"
        "::error file=spec/a%2Cb.yaml,line=9,col=1,endColumn=2,title=SPEC-S004%3A Value not allowed"
        "::50 %25: bad%0ADid you mean `good`?%0ABe good.\n"
    )


def test_every_page_is_complete() -> None:
    """Each code has a title, a cause, an example and a cure, and no two have the same title in a family."""
    for code, entry in CODES.items():
        assert all((entry.title, entry.cause, entry.example, entry.cure))
        assert explanation(code).startswith(f"{code} ({entry.severity}): {entry.title}\n")
    assert len({(code[:6], entry.title) for code, entry in CODES.items()}) == len(CODES)
