"""The command line of the compiler: what it prints, what it writes, and its exit codes."""

import json
from pathlib import Path

import pytest

from codex_control_plane_codegen.cli import main
from codex_control_plane_codegen.codes import CODES


@pytest.fixture
def built(spec_root: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A root whose generated files are up to date."""
    assert main(["build", "--root", str(spec_root)]) == 0
    capsys.readouterr()
    return spec_root


def break_it(root: Path) -> None:
    """Puts one error into the spec."""
    path = root / "spec" / "contract.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("title: Jobs", "titel: Jobs"), encoding="utf-8")


def leave_over(root: Path) -> None:
    """Puts one warning into the spec."""
    path = root / "spec" / "errors.yaml"
    text = path.read_text(encoding="utf-8").replace("    stored: true\n", "")
    path.write_text(text, encoding="utf-8")


def test_build_writes_and_says_what(spec_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first build writes every file and names it; the second finds nothing to do."""
    assert main(["build", "--root", str(spec_root)]) == 0
    first = capsys.readouterr().out
    assert main(["build", "--root", str(spec_root)]) == 0
    second = capsys.readouterr().out

    assert "wrote generated/codex_control_plane_contract/" in first
    assert "wrote" not in second
    assert second.startswith("0 of ")


def test_build_refuses_a_spec_with_an_error(spec_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is written of a spec that is not sound."""
    break_it(spec_root)

    assert main(["build", "--root", str(spec_root)]) == 1
    assert "SPEC-S001" in capsys.readouterr().out
    assert not (spec_root / "generated").exists()


def test_build_tells_programs_what_it_wrote(spec_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON it lists the files, relative to the root."""
    assert main(["build", "--root", str(spec_root), "--format", "json"]) == 0
    result = json.loads(capsys.readouterr().out)

    assert result["diagnostics"] == []
    assert all((spec_root / path).is_file() for path in result["written"])


def test_check_is_content_after_a_build(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A sound spec and fresh files are exit code 0 and one line."""
    assert main(["check", "--root", str(built)]) == 0
    assert capsys.readouterr().out.startswith(
        "The spec is sound; generated/ and docs/reference/ are up to date"
    )


def test_check_shows_how_a_stale_file_differs(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An edited file is exit code 1, a unified diff and the command that cures it."""
    path = next((built / "generated").rglob("*.py"))
    path.write_text(path.read_text(encoding="utf-8") + "x = 1\n", encoding="utf-8")

    assert main(["check", "--root", str(built)]) == 1
    out = capsys.readouterr().out
    assert "-x = 1" in out
    assert out.endswith(
        "1 generated file is stale. Run `codex-control-plane-mcp-codegen build` and commit the result.\n"
    )


def test_check_writes_nothing(spec_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A check of a tree that was never built finds it stale and leaves it so."""
    assert main(["check", "--root", str(spec_root)]) == 1
    assert "generated files are stale" in capsys.readouterr().out
    assert not (spec_root / "generated").exists()


def test_check_tells_programs_what_it_found(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON the findings are a list, and nothing is called stale while the spec has errors."""
    break_it(built)

    assert main(["check", "--root", str(built), "--format", "json"]) == 1
    result = json.loads(capsys.readouterr().out)
    assert [finding["code"] for finding in result["diagnostics"]] == ["SPEC-S001"]
    assert result["stale"] == []


def test_github_is_told_of_findings_and_stale_files(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In GitHub's format a finding is a workflow command, and so is what is stale."""
    leave_over(built)

    assert main(["check", "--root", str(built), "--format", "github"]) == 1
    warning, stale = capsys.readouterr().out.splitlines()
    assert warning.startswith("::warning file=spec/errors.yaml,line=8,col=3,")
    assert stale.startswith("::error title=Stale files::generated/ is stale. Run `")


def test_warnings_fail_only_when_strict(spec_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is only left over is shown, and fails a check with --strict."""
    leave_over(spec_root)
    assert main(["build", "--root", str(spec_root)]) == 0
    assert main(["check", "--root", str(spec_root)]) == 0
    assert "SPEC-R016" in capsys.readouterr().out
    assert main(["check", "--root", str(spec_root), "--strict"]) == 1


def test_explain_tells_about_a_code(capsys: pytest.CaptureFixture[str]) -> None:
    """A page has the title, an example and the cure; the case of the code does not matter."""
    assert main(["explain", "spec-l001"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("SPEC-L001 (error): Undecided cell\n")
    assert "Cure: " in out


def test_explain_lists_all_codes(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a code every code is listed, for people and for programs."""
    assert main(["explain"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(CODES)
    assert main(["explain", "--format", "json"]) == 0
    assert [page["code"] for page in json.loads(capsys.readouterr().out)] == list(CODES)


def test_explain_suggests_a_near_code(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown code is a wrong call, with a suggestion."""
    assert main(["explain", "SPEC-L00"]) == 2
    assert "did you mean SPEC-L0" in capsys.readouterr().err


def test_a_wrong_root_is_a_wrong_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A directory without the schemas of the spec language is answered with exit code 2."""
    assert main(["check", "--root", str(tmp_path)]) == 2
    assert "is --root" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["bild"], ["check", "--format", "xml"]])
def test_a_call_that_cannot_be_read_is_refused(arguments: list[str]) -> None:
    """A missing or unknown verb or option is exit code 2."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


@pytest.mark.parametrize("verb", ["build", "check", "explain", "graph", "new", "watch"])
def test_each_verb_teaches_by_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The help of a verb shows a call that can be copied."""
    with pytest.raises(SystemExit):
        main([verb, "--help"])
    assert f"codex-control-plane-mcp-codegen {verb} " in capsys.readouterr().out


def test_graph_prints_the_lifecycles_that_are_named(
    spec_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a format it is Mermaid, on standard output."""
    assert main(["graph", "job", "--root", str(spec_root)]) == 0
    out = capsys.readouterr().out
    assert out.count("stateDiagram-v2") == 1
    assert "queued --> running: start\n" in out


def test_graph_writes_a_file_for_each_lifecycle(
    spec_root: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Without names all are drawn; the directory is made, and each file is named."""
    directory = tmp_path / "a" / "b"
    assert main(["graph", "--root", str(spec_root), "--format", "svg", "--output", str(directory)]) == 0
    assert sorted(path.name for path in directory.iterdir()) == ["job.svg", "worker_command.svg"]
    assert capsys.readouterr().out.splitlines()[0] == f"wrote {directory / 'job.svg'}"


def test_graph_suggests_a_near_lifecycle(spec_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown name is a wrong call, with a suggestion or the list of what there is."""
    assert main(["graph", "jobb", "--root", str(spec_root)]) == 2
    assert "did you mean job?" in capsys.readouterr().err
    assert main(["graph", "thing", "--root", str(spec_root)]) == 2
    assert "there are job, worker_command" in capsys.readouterr().err


def test_graph_draws_nothing_of_a_spec_with_an_error(
    spec_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The findings are shown instead."""
    break_it(spec_root)
    assert main(["graph", "--root", str(spec_root)]) == 1
    captured = capsys.readouterr()
    assert "SPEC-S001" in captured.err
    assert not captured.out


def test_check_finds_a_page_that_is_stale_and_one_that_is_left_over(
    built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The reference is compared like the package."""
    (built / "docs" / "reference" / "tools" / "gone.md").write_text("# gone\n", encoding="utf-8")
    page = built / "docs" / "reference" / "errors.md"
    page.write_text(page.read_text(encoding="utf-8") + "More.\n", encoding="utf-8")

    assert main(["check", "--root", str(built)]) == 1
    out = capsys.readouterr().out
    assert "-# gone" in out
    assert "-More." in out
