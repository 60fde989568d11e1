"""`new` writes beginnings that compile, overwrites nothing, and says what is left to do."""

import json
from pathlib import Path

import pytest

from codex_control_plane_codegen.analysis import analyse
from codex_control_plane_codegen.cli import main
from codex_control_plane_codegen.rendering import as_text
from codex_control_plane_codegen.stubs import inserted


def new(root: Path, *words: str) -> int:
    """The exit code of `new` below the root."""
    return main(["new", *words, "--root", str(root)])


def files(root: Path) -> dict[str, str]:
    """Every file below the root with its text."""
    return {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
        for path in root.rglob("*")
        if path.is_file()
    }


def test_a_new_tool_compiles_and_asks_for_words(spec_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its document has no error; each placeholder is a warning, and a numbered step with its line."""
    assert new(spec_root, "tool", "codex_list_jobs") == 0
    out = capsys.readouterr().out

    analysis = analyse(spec_root)
    assert {found.code for found in analysis.diagnostics} == {"SPEC-Y009"}
    for number, found in enumerate(analysis.diagnostics, 1):
        assert f"{number:3}. {found.place.file}:{found.place.line}  {found.message}\n" in out
    assert "wrote runtime/codex_control_plane_mcp/handlers/jobs.py\n" in out
    assert main(["build", "--root", str(spec_root)]) == 0


def test_a_handler_may_be_named(spec_root: Path) -> None:
    """--handler chooses module and function; without it they follow from the name of the tool."""
    assert new(spec_root, "tool", "codex_count", "--handler", "tally.count_jobs") == 0

    (tool,) = (tool for tool in analyse(spec_root).model.tools if tool.name == "codex_count")
    assert tool.handler == "tally.count_jobs"
    assert "async def count_jobs(" in files(spec_root)["runtime/codex_control_plane_mcp/handlers/tally.py"]


def test_a_new_state_is_compiled_once_its_cells_are_decided(spec_root: Path) -> None:
    """What `new state` leaves open are ways, cells and words; with them the lifecycle is sound."""
    path = spec_root / "spec" / "lifecycles" / "job.yaml"
    before = path.read_text(encoding="utf-8")
    assert new(spec_root, "state", "job", "paused") == 0
    assert {found.code for found in analyse(spec_root).diagnostics} == {
        "SPEC-L001",
        "SPEC-L008",
        "SPEC-L009",
        "SPEC-Y009",
    }
    text = path.read_text(encoding="utf-8")
    assert [line for line in before.splitlines() if line not in text.splitlines()] == []

    for old, fresh in {
        "    paused: {}": "    paused: {transitions: [{event: finish, target: done}]}",
        "        - {event: start, target: running}": "        - {event: start, target: running}\n"
        "        - {event: pause, target: paused}",
        "FILL IN what is true of a row in this state.": "Somebody holds it.",
        "    illegal: [done]": "    illegal: [paused, done]",
        "  finish:\n": "  pause: {means: It rests., by: [client], ignored: [paused, running, done]}\n"
        "  finish:\n",
    }.items():
        assert text.count(old) == 1, old
        text = text.replace(old, fresh)
    path.write_text(text, encoding="utf-8")
    assert as_text(analyse(spec_root).diagnostics) == ""


def test_a_new_error_stands_at_the_end_of_the_table(spec_root: Path) -> None:
    """The table is sound, and asks for words and for a tool that answers it."""
    path = spec_root / "spec" / "errors.yaml"
    before = path.read_text(encoding="utf-8")
    assert new(spec_root, "error", "JOB_LATE") == 0

    assert path.read_text(encoding="utf-8").startswith(f"{before}  JOB_LATE:\n")
    analysis = analyse(spec_root)
    assert analysis.model.errors[-1].code == "JOB_LATE"
    assert {found.code for found in analysis.diagnostics} == {"SPEC-R016", "SPEC-Y009"}


def test_programs_read_what_was_written_and_what_is_open(
    spec_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As JSON: the files, the places with what to write there, and the steps after that."""
    assert new(spec_root, "error", "JOB_LATE", "--format", "json") == 0
    result = json.loads(capsys.readouterr().out)

    assert result["written"] == ["spec/errors.yaml", "tests/unit/handlers/test_handlers_job_late.py"]
    assert {"file", "line", "do"} == result["open"][0].keys()
    assert any("JobLate" in step for step in result["then"])


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("tool", "getJob"), "snake_case"),
        (("tool", "get_job"), "there is a tool get_job already"),
        (("tool", "codex_list_jobs", "--handler", "jobs"), "module.function"),
        (("state", "jobb", "paused"), "did you mean job?"),
        (("state", "job", "running"), "there is a state running already"),
        (("state", "job", "Paused"), "snake_case"),
        (("error", "job_late"), "UPPER_CASE"),
        (("error", "JOB_LOST"), "there is an error JOB_LOST already"),
    ],
)
def test_what_will_not_do_is_refused(
    spec_root: Path, words: tuple[str, ...], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name that is badly written, taken or unknown is a wrong call that says why; nothing is written."""
    before = files(spec_root)

    assert new(spec_root, *words) == 2
    assert reason in capsys.readouterr().err
    assert files(spec_root) == before


def test_no_file_is_overwritten(spec_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where one of the files exists, none is written."""
    path = spec_root / "runtime" / "codex_control_plane_mcp" / "handlers" / "jobs.py"
    path.parent.mkdir(parents=True)
    path.write_text("mine", encoding="utf-8")
    before = files(spec_root)

    assert new(spec_root, "tool", "codex_list_jobs") == 2
    assert "jobs.py exists" in capsys.readouterr().err
    assert files(spec_root) == before


def test_lines_are_added_without_touching_the_others() -> None:
    """Additions go before the lines of their numbers, one behind the end at the end."""
    assert inserted("a\nb", [(3, "c\n"), (1, "0\n")]) == "0\na\nb\nc\n"
