"""The speed of the compiler: whole runs on the spec of this repository, in a copy."""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from bench.figures import Figure

CODEGEN: Final = (sys.executable, "-m", "codex_control_plane_codegen")
SAVED: Final = re.compile(r".* files written, (\d+\.\d\d) s after the save of .*\n")


def compiler(repository: Path, *, rounds: int) -> list[Figure]:
    """Measure a full build, a check, the exploration in CI's bounds, and the build at a save."""
    with TemporaryDirectory() as directory:
        root = Path(directory)
        for name in ("spec", "schemas"):
            shutil.copytree(repository / name, root / name)
        built = [_whole_build(root) for _ in range(rounds)]
        checked = [_run((*CODEGEN, "check", "--root", directory)) for _ in range(rounds)]
        explored = _run((*CODEGEN, "verify", "--root", directory))
        saved = _saves(root, rounds)
    return [
        _figure("full build", built, 1000, f"{rounds} builds of the whole spec"),
        _figure("check", checked, 1000, f"{rounds} checks of the whole spec"),
        _figure("verify", [explored], 20_000, "the views of CI, once"),
        _figure("watch, from the save to the files", saved, 300, f"{rounds} saves of one lifecycle"),
    ]


def _figure(name: str, seconds: Sequence[float], goal: float, how: str) -> Figure:
    return Figure(f"compiler: {name}", median(seconds) * 1000, "ms", goal, how)


def _whole_build(root: Path) -> float:
    """Return the seconds that a build takes where nothing has been built."""
    for name in ("generated", "docs"):
        shutil.rmtree(root / name, ignore_errors=True)
    return _run((*CODEGEN, "build", "--root", str(root)))


def _saves(root: Path, rounds: int) -> list[float]:
    """Return the seconds from each save to the files, as `watch` itself tells them."""
    lifecycle = root / "spec" / "lifecycles" / "operation.yaml"
    text = lifecycle.read_text(encoding="utf-8")
    with subprocess.Popen(
        (*CODEGEN, "watch", "--root", str(root)), stdout=subprocess.PIPE, text=True
    ) as watching:
        assert watching.stdout is not None
        for line in watching.stdout:
            if line.startswith("Watching"):
                break
        found: list[float] = []
        for number in range(rounds):
            lifecycle.write_text(text.replace("means: One task", f"means: Round {number}, one task"))
            match = next(match for line in watching.stdout if (match := SAVED.fullmatch(line)))
            found.append(float(match[1]))
        watching.terminate()
    return found


def _run(command: Sequence[str]) -> float:
    """Return the seconds that a program takes that must succeed."""
    begun = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begun
