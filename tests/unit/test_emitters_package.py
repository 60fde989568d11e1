"""The emitted package as a whole: reproducible, in the house's form, and up to date."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from codex_control_plane_codegen.analysis import analyse
from codex_control_plane_codegen.build import Outputs, compile_model, stale, write

ROOT = Path(__file__).parents[2]

_FINGERPRINT = """
import hashlib, sys
from pathlib import Path
from codex_control_plane_codegen.analysis import analyse
from codex_control_plane_codegen.build import compile_model
root = Path(sys.argv[1])
for path, text in compile_model(root, analyse(root).model).items():
    print(path.as_posix(), hashlib.sha256(text).hexdigest())
"""


def outputs() -> Outputs:
    """Return every output of the spec of this repository."""
    return compile_model(ROOT, analyse(ROOT).model)


@pytest.mark.parametrize("seed", ["0", "1", "4711"])
def test_the_same_spec_gives_the_same_bytes(seed: str) -> None:
    """Neither the process nor the order of hashes shows in an output."""
    here = [f"{path.as_posix()} {hashlib.sha256(text).hexdigest()}" for path, text in outputs().items()]
    there = subprocess.run(
        [sys.executable, "-c", _FINGERPRINT, str(ROOT)],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout.splitlines() == here


def test_what_is_stored_is_what_the_spec_compiles_to() -> None:
    """Nobody edited the outputs, and nobody forgot to compile."""
    assert stale(outputs()) == []


def test_outputs_are_utf8_with_unix_line_ends() -> None:
    """The bytes are the same on every system."""
    for path, text in outputs().items():
        assert b"\r" not in text, path
        assert text.decode() == "" or text.endswith(b"\n"), path


@pytest.mark.parametrize("command", [["format", "--check"], ["check"]])
def test_the_formatter_and_the_linter_have_nothing_to_say(command: list[str]) -> None:
    """Emitted code needs no formatter and has no faults that a linter finds."""
    ruff = [sys.executable, "-m", "ruff", *command, "generated"]
    ran = subprocess.run(ruff, capture_output=True, text=True, check=False, cwd=ROOT)
    assert ran.returncode == 0, ran.stdout


def test_write_leaves_alone_what_is_up_to_date(tmp_path: Path) -> None:
    """Only what differs is written, and what an earlier spec led to is removed."""
    outputs = {tmp_path / "generated" / "one.py": b"1\n", tmp_path / "generated" / "two.py": b"2\n"}
    assert set(write(outputs)) == set(outputs)
    assert write(outputs) == ()
    left_over = tmp_path / "generated" / "three.py"
    left_over.write_bytes(b"3\n")
    assert [diff.splitlines()[0] for diff in stale(outputs)] == [f"--- {left_over} (stored)"]
    assert write(outputs) == (left_over,)
    assert not left_over.exists()
