"""`check --fix` corrects what is certain, where it stands, and nothing else."""

import json
from pathlib import Path

import pytest

from codex_control_plane_codegen.analysis import analyse
from codex_control_plane_codegen.cli import main
from codex_control_plane_codegen.diagnostics import Edit
from codex_control_plane_codegen.fixes import corrections, edited
from codex_control_plane_codegen.places import Place

MODELINE = "# yaml-language-server: $schema=../../schemas/spec/lifecycle.schema.json\n"


def change(root: Path, file: str, old: str, new: str) -> None:
    """Replaces a text that stands once in a file of the spec."""
    path = root / "spec" / file
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("right", "wrong", "fixed"),
    [
        (MODELINE, "", MODELINE),
        (MODELINE, "# yaml-language-server: $schema=lifecycle.json\n", MODELINE),
        ("    waits_for: slot", "    wiats_for: slot  # yet", "    waits_for: slot  # yet"),
        ("    waits_for: slot", "    waits_for: slott", "    waits_for: slot"),
        ("    means: It runs.", "    means: It runs  # now", "    means: It runs.  # now"),
        ("    means: It runs.", '    means: "It runs"', '    means: "It runs."'),
        ("    ignored: [running]", "    ignored: [running,  running]", "    ignored: [running]"),
    ],
)
def test_a_certain_mistake_is_corrected(spec_root: Path, right: str, wrong: str, fixed: str) -> None:
    """The correction leaves the spec sound; comments, quotes and everything else stay as they are."""
    path = spec_root / "spec" / "lifecycles" / "job.yaml"
    sound = path.read_text(encoding="utf-8")
    change(spec_root, "lifecycles/job.yaml", right, wrong)

    (correction,) = corrections(spec_root, analyse(spec_root).diagnostics)
    correction.write(spec_root)

    assert analyse(spec_root).diagnostics == []
    assert path.read_text(encoding="utf-8") == sound.replace(right, fixed)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("lifecycles/job.yaml", "target: running", "target: runing"),
        ("lifecycles/job.yaml", "waits_for: slot", "waits_for: somebody"),
        ("lifecycles/job.yaml", "  tries: {type: integer", "  tries: {type: text"),
        ("tools/get_job.yaml", "    job_id: {type: string, minLength: 1}", "    jobId: {type: string}"),
        ("lifecycles/job.yaml", "    means: It runs.", "    means: It runs,"),
    ],
)
def test_what_may_mean_something_else_is_left(spec_root: Path, file: str, old: str, new: str) -> None:
    """Names of the spec's own, words that are far off, and types are for a person to correct."""
    change(spec_root, file, old, new)

    found = analyse(spec_root)
    assert found.errors
    assert corrections(spec_root, found.diagnostics) == []


def test_several_edits_of_a_line_do_not_move_each_other() -> None:
    """Edits are made from the last to the first, whatever the order in which they come."""
    edits = [
        Edit(Place("a", 2, 1, 2), "one"),
        Edit(Place("a", 2, 3, 4), "two"),
        Edit(Place("a", 1, 1, 1), "#\n"),
    ]

    assert edited("x\ny z\n", edits) == "#\nx\none two\n"


def test_fix_writes_and_shows_the_diff(spec_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The call prints a unified diff and then judges the corrected spec."""
    change(spec_root, "contract.yaml", "title: Jobs", "tilte: Jobs")
    assert main(["build", "--root", str(spec_root)]) == 1
    capsys.readouterr()

    assert main(["check", "--root", str(spec_root), "--fix"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("--- a/spec/contract.yaml\n+++ b/spec/contract.yaml\n")
    assert "-tilte: Jobs\n+title: Jobs\n" in out
    assert "SPEC-S001" not in out
    assert main(["build", "--root", str(spec_root)]) == 0


def test_a_dry_run_only_shows(spec_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The files stay, the findings too; programs get the diffs as a list."""
    change(spec_root, "contract.yaml", "title: Jobs", "tilte: Jobs")
    before = (spec_root / "spec" / "contract.yaml").read_text(encoding="utf-8")

    assert main(["check", "--root", str(spec_root), "--fix", "--dry-run", "--format", "json"]) == 1
    result = json.loads(capsys.readouterr().out)
    assert "+title: Jobs\n" in result["fixed"][0]
    assert result["diagnostics"][0]["fix"] == {
        "file": "spec/contract.yaml",
        "line": 3,
        "column": 1,
        "endColumn": 6,
        "text": "title",
    }
    assert (spec_root / "spec" / "contract.yaml").read_text(encoding="utf-8") == before


def test_a_dry_run_of_nothing_is_a_wrong_call(spec_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--dry-run without --fix is answered with exit code 2."""
    assert main(["check", "--root", str(spec_root), "--dry-run"]) == 2
    assert "--dry-run goes with --fix" in capsys.readouterr().err
