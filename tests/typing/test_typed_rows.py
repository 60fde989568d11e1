"""What the type checkers refuse: an event that the row's state does not have is an error before it runs."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypeAlias

import pytest
from mypy import api as mypy

Findings: TypeAlias = Mapping[str, frozenset[int]]

ROOT: Final = Path(__file__).parents[2]

PREAMBLE: Final = """\
from codex_control_plane_contract.change import Change
from codex_control_plane_contract.lifecycles import operation


def cases(
    queued: operation.Queued,
    running: operation.Running,
    row: operation.Operation,
    starts: list[Change[operation.StartingAppServer]],
    runs: list[Change[operation.Running]],
) -> None:
"""

SOUND: Final = {
    "an edge of the state": 'queued.claim(worker_id="w")',
    "its target": 'starts.append(queued.claim(worker_id="w"))',
    "a field that the state requires": "running.turn_id.upper()",
    "a group": "print(row.started_at + 1 if isinstance(row, operation.InTurn) else 0)",
    "a state by its word": 'print(row.cancel() if row.state == "queued" else None)',
}

UNSOUND: Final = {
    "no edge of the state": "queued.complete()",
    "a keyword that is missing": "queued.claim()",
    "a keyword too many": 'running.complete(worker_id="w")',
    "another target": 'runs.append(queued.claim(worker_id="w"))',
    "a field that may be empty": "row.turn_id.upper()",
    "a field that the state forbids": "queued.turn_id.upper()",
    "writing into a row": 'running.turn_id = "t"',
    "a word that is no event": 'queued.verdict("explode")',
}

CASES: Final = {**SOUND, **UNSOUND}


def line_of(case: str) -> int:
    """The line on which a case stands in the module that is checked."""
    return PREAMBLE.count("\n") + list(CASES).index(case) + 1


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A module with every case on a line of its own."""
    path = tmp_path_factory.mktemp("snippets") / "snippets.py"
    path.write_text(PREAMBLE + "".join(f"    {line}\n" for line in CASES.values()))
    return path


@pytest.fixture(scope="module")
def findings(module: Path) -> Findings:
    """The lines that each checker complains of."""
    return {"mypy": _mypy(module), "pyright": _pyright(module)}


def _mypy(module: Path) -> frozenset[int]:
    config = ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(ROOT / ".mypy_cache")]
    output, fault, _status = mypy.run([*config, str(module)])
    assert fault == ""
    return frozenset(int(line) for line in re.findall(r"snippets\.py:(\d+): error", output))


def _pyright(module: Path) -> frozenset[int]:
    settings = {"typeCheckingMode": "strict", "extraPaths": [str(ROOT / "generated")]}
    (module.parent / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--outputjson", "--project", str(module.parent)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    found = json.loads(ran.stdout)["generalDiagnostics"]
    return frozenset(
        finding["range"]["start"]["line"] + 1 for finding in found if finding["severity"] == "error"
    )


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
@pytest.mark.parametrize("case", SOUND)
def test_what_the_spec_allows_passes(findings: Findings, checker: str, case: str) -> None:
    """No checker minds what the spec has."""
    assert line_of(case) not in findings[checker]


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
@pytest.mark.parametrize("case", UNSOUND)
def test_what_the_spec_lacks_is_an_error(findings: Findings, checker: str, case: str) -> None:
    """Each checker refuses what the spec lacks."""
    assert line_of(case) in findings[checker]
