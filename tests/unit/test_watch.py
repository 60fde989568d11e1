"""`watch` compiles at every save: a real process, told of real saves by the system."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SAVED = re.compile(r"\d\d:\d\d:\d\d  (.+), \d+\.\d\d s after the save of (.+)\n")


class Watching:
    """A running `watch`; lines are waited for as long as it takes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        command = [sys.executable, "-m", "codex_control_plane_codegen", "watch", "--root", str(root)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def read_until(self, pattern: re.Pattern[str]) -> tuple[str, re.Match[str]]:
        """What it prints up to a line that matches, and the match. Fails when it ends before."""
        assert self._process.stdout is not None
        printed = ""
        for line in self._process.stdout:
            if match := pattern.fullmatch(line):
                return printed, match
            printed += line
        pytest.fail(f"watch has ended:\n{printed}")

    def save(self, file: str, old: str, new: str) -> None:
        """Saves a file as careful editors do: written beside it, then moved into its place."""
        path = self.root / "spec" / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1
        beside = path.with_name(f".{path.name}.tmp")
        beside.write_text(text.replace(old, new), encoding="utf-8")
        beside.replace(path)

    def interrupt(self) -> int:
        """Ends it as Ctrl-C does, and returns its exit code."""
        self._process.send_signal(signal.SIGINT)
        return self._process.wait()

    def close(self) -> None:
        """Ends it whatever it does."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture
def watching(spec_root: Path) -> Iterator[Watching]:
    """A `watch` of the base spec that has compiled once."""
    process = Watching(spec_root)
    process.read_until(re.compile(r"Watching spec/.+\n"))
    yield process
    process.close()


def generated(root: Path) -> str:
    """The table of errors as it is compiled."""
    path = root / "generated" / "codex_control_plane_contract" / "errors.py"
    return path.read_text(encoding="utf-8")


def test_a_save_is_compiled(watching: Watching) -> None:
    """The files are written when the line is printed, which says how many and how long after the save."""
    assert "The job is gone." in generated(watching.root)

    watching.save("errors.yaml", "The job is gone.", "The job went away.")
    _, match = watching.read_until(SAVED)

    assert match[2] == "errors.yaml"
    assert re.fullmatch(r"[1-9]\d* of \d+ files written", match[1])
    assert "The job went away." in generated(watching.root)


def test_a_mistake_is_shown_and_nothing_written(watching: Watching) -> None:
    """The findings come with the line; the next save, which is sound again, is compiled."""
    before = generated(watching.root)
    watching.save("errors.yaml", "    stored: true", "    storred: true")
    printed, match = watching.read_until(SAVED)

    assert "error SPEC-S001: `storred` is not a key here" in printed
    assert match[1] == "nothing written"
    assert generated(watching.root) == before

    watching.save("errors.yaml", "    storred: true", "    stored: true")
    printed, _ = watching.read_until(SAVED)
    assert "SPEC-" not in printed


def test_an_interrupt_ends_it_quietly(watching: Watching) -> None:
    """Ctrl-C is how one leaves, not a fault."""
    assert watching.interrupt() == os.EX_OK
