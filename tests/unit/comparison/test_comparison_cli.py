"""The verbs `diff` and `release`: what they print, what they write, and their exit codes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from codex_control_plane_codegen.cli import main
from codex_control_plane_codegen.comparison.contracts import LOCK


def codegen(root: Path, *arguments: str) -> int:
    """Runs the compiler on a root and returns its exit code."""
    return main([*arguments, "--root", str(root)])


def break_callers(root: Path) -> None:
    """Refuses a call that was accepted."""
    path = root / "spec" / "tools" / "get_job.yaml"
    path.write_text(path.read_text("utf-8").replace("minLength: 1", "minLength: 2"), "utf-8")


def commit(root: Path) -> None:
    """Commits everything below the root to a repository of its own."""
    who = ("-c", "user.name=a test", "-c", "user.email=a@test")
    for arguments in (("init", "--quiet"), ("add", "."), (*who, "commit", "--quiet", "-m", "all")):
        command = ["git", "-C", str(root), *arguments]
        subprocess.run(command, check=True)


def test_the_first_lock_is_a_candidate(spec_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a lock there is nothing to compare with, and the message names the command that writes one."""
    assert codegen(spec_root, "diff") == 2
    assert "release --candidate" in capsys.readouterr().err

    assert codegen(spec_root, "release", "--candidate") == 0
    assert json.loads((spec_root / LOCK).read_text("utf-8"))["status"] == "candidate"
    assert codegen(spec_root, "diff") == 0


def test_a_break_of_a_candidate_fails_until_the_next_candidate(spec_root: Path) -> None:
    """A break is never silent; before the first release it is enough to take it over."""
    codegen(spec_root, "release", "--candidate")
    break_callers(spec_root)

    assert codegen(spec_root, "diff") == 1
    assert codegen(spec_root, "release", "--candidate") == 0
    assert codegen(spec_root, "diff") == 0


def test_a_release_is_refused_while_a_break_is_open(
    spec_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The lock stays as it is, and no candidate may take its place."""
    codegen(spec_root, "release", "--candidate")
    assert codegen(spec_root, "release") == 0
    released = (spec_root / LOCK).read_bytes()
    break_callers(spec_root)

    assert codegen(spec_root, "release") == 1
    assert codegen(spec_root, "release", "--candidate") == 1
    assert "a candidate cannot take its place" in capsys.readouterr().err
    assert (spec_root / LOCK).read_bytes() == released


def test_a_lock_is_the_same_for_the_same_spec(spec_root: Path) -> None:
    """Two releases of one spec differ in no byte."""
    codegen(spec_root, "release", "--candidate")
    first = (spec_root / LOCK).read_bytes()
    codegen(spec_root, "release", "--candidate")

    assert (spec_root / LOCK).read_bytes() == first


def test_a_revision_and_a_file_are_compared_like_a_lock(
    spec_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The emitted contract.json is read from git or from disk."""
    codegen(spec_root, "build")
    commit(spec_root)
    break_callers(spec_root)
    capsys.readouterr()

    for base in ("HEAD", "generated/codex_control_plane_contract/contract.json"):
        assert codegen(spec_root, "diff", base, "--format", "json") == 1
        result = json.loads(capsys.readouterr().out)
        assert result["base"]["name"] == base
        assert [each["kind"] for each in result["findings"]] == ["input bound"]


def test_a_revision_is_relied_on_once_there_is_a_release(
    spec_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Until then a break of it asks for no new version of the contract."""
    codegen(spec_root, "build")
    commit(spec_root)
    codegen(spec_root, "release", "--candidate")
    break_callers(spec_root)
    capsys.readouterr()

    assert codegen(spec_root, "diff", "HEAD") == 1
    assert "SPEC-D002" not in capsys.readouterr().out

    lock = spec_root / LOCK
    lock.write_text(lock.read_text("utf-8").replace('"candidate"', '"released"'), "utf-8")
    assert codegen(spec_root, "diff", "HEAD") == 1
    assert "SPEC-D002" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "told"),
    [("{", "holds no contract"), ("[]", "but list"), ("{}", "formatVersion none, and 1 is compared")],
)
def test_what_is_no_contract_is_refused_by_name(
    text: str, told: str, spec_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that cannot be compared is a wrong call, and the message says why."""
    (spec_root / "old.json").write_text(text, "utf-8")

    assert codegen(spec_root, "diff", "old.json") == 2
    assert told in capsys.readouterr().err


def test_what_is_neither_file_nor_revision_is_refused_by_name(
    spec_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A misspelled base is a wrong call."""
    commit(spec_root)

    assert codegen(spec_root, "diff", "no-such-thing") == 2
    assert "no-such-thing" in capsys.readouterr().err
