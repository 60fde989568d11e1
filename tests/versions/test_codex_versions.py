"""Releases of Codex as PyPI has them: the supported ones do the work, an older one is refused.

VERSIONS names them, separated by spaces; without it they are the oldest and the newest supported one and the
one in the middle. A release that the package index does not give is a failure, never a skip.
"""

import os
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final

import pytest

from codex_control_plane_codegen.cli import main
from codex_control_plane_codegen.loader import load
from codex_control_plane_codegen.protocol.extract import extract
from codex_control_plane_codegen.protocol.pins import read_pins
from codex_control_plane_codegen.protocol.program import describe
from codex_control_plane_codegen.reading import read_model
from codex_control_plane_contract import codex
from codex_control_plane_mcp.testing.codex_releases import codex_release
from codex_control_plane_mcp.testing.evidence import end_source, fault, report
from codex_control_plane_mcp.testing.prompts import prompt
from codex_control_plane_mcp.testing.rig import ScriptedRig, scripted_rig

pytestmark = [pytest.mark.codex_versions, pytest.mark.live, pytest.mark.anyio]

ROOT: Final = Path(__file__).parents[2]
MIDDLE: Final = codex.PINNED_VERSIONS[len(codex.PINNED_VERSIONS) // 2]
VERSIONS: Final = os.environ.get("VERSIONS", "").split() or [
    codex.TESTED_VERSION,
    MIDDLE,
    codex.MINIMUM_VERSION,
]

TOO_OLD: Final = "0.144.4"
"""It has every method and field that is used, and behaves otherwise; docs/codex-versions.md says how."""


@pytest.fixture(scope="module", params=VERSIONS)
def release(request: pytest.FixtureRequest) -> str:
    """One of the releases."""
    version: str = request.param
    return version


@pytest.fixture(scope="module")
def binary(release: str) -> Path:
    """Its program."""
    return codex_release(release, ROOT)


@pytest.fixture
async def rig(binary: Path) -> AsyncGenerator[ScriptedRig]:
    """A rig that runs it."""
    async with scripted_rig(binary) as opened:
        yield opened


def test_a_release_is_pinned_as_it_is(release: str, binary: Path) -> None:
    """What the compiler knows of a version is what its program says."""
    spec = read_model(load(ROOT).documents).codex
    assert spec is not None
    program = describe(binary)
    assert program.version == release
    assert extract(spec, program) == read_pins(ROOT)[release]


def test_a_release_passes_the_check(binary: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever differs, nothing that the server needs is missing."""
    assert main(["codex-check", "--binary", str(binary), "--root", str(ROOT)]) == 0
    assert "Nothing that the server needs is missing." in capsys.readouterr().out


async def test_a_question_survives_server_and_worker(rig: ScriptedRig, release: str) -> None:
    """Submitted, asked, both killed, answered by the next client, done, and sent once."""
    made = rig.project / "made"
    text = prompt("run echo before", f"ask touch {made}", "say It is made.")
    async with rig.open_client() as client:
        task = (await client.submit(text))["operationId"]
        question = await client.question(task)
        assert (await client.health())["appServer"].get("version") == release
        await rig.kill_server(client)
        await rig.kill_worker()
    assert not made.exists()
    async with rig.open_client() as client:
        assert await client.list_interactions(operation_id=task) == [question]
        assert (await client.answer(question, decision="accept"))["answerRecorded"]
        row = await client.wait_until(task, "completed")
    assert (report(row), row["attemptCount"], made.exists()) == ("It is made.", 1, True)
    assert rig.times_seen(text) == 1


async def test_a_turn_that_dies_with_the_app_server_ends_honestly(rig: ScriptedRig) -> None:
    """It is interrupted, the next app-server says so, and the next task runs."""
    texts = [prompt("wait never", "say Lost."), prompt("say Fresh.")]
    async with rig.open_client() as client:
        lost = (await client.submit(texts[0]))["operationId"]
        assert await rig.model.gates.reached("never", 60)
        await rig.kill_app_server()
        row = await client.ended(lost)
        assert (row["status"], end_source(row)) == ("interrupted", "after_restart")
        fresh = (await client.submit(texts[1]))["operationId"]
        assert report(await client.wait_until(fresh, "completed")) == "Fresh."
    assert [rig.times_seen(text) for text in texts] == [1, 1]


async def test_a_turn_is_stopped(rig: ScriptedRig) -> None:
    """In Codex too."""
    text = prompt("wait never", "say Too late.")
    async with rig.open_client() as client:
        task = (await client.submit(text))["operationId"]
        await client.wait_until(task, "running")
        assert (await client.interrupt(task))["status"] == "interrupted"


async def test_an_older_release_is_refused() -> None:
    """The error names the version that was found, the oldest that will do and the one to take."""
    text = prompt("say Never.")
    binary = codex_release(TOO_OLD, ROOT)
    async with scripted_rig(binary) as rig, rig.open_client() as client:
        row = await client.wait_until((await client.submit(text))["operationId"], "failed")
        assert fault(row)["code"] == "CODEX_APP_SERVER_INCOMPATIBLE"
        assert fault(row)["details"]["foundVersion"] == TOO_OLD
        assert fault(row)["details"]["minimumVersion"] == codex.MINIMUM_VERSION
        assert f"Install version {codex.TESTED_VERSION}" in fault(row)["message"]
        assert rig.times_seen(text) == 0


def test_the_check_refuses_an_older_release(capsys: pytest.CaptureFixture[str]) -> None:
    """It has all that is used, so only its version tells."""
    binary = codex_release(TOO_OLD, ROOT)
    assert main(["codex-check", "--binary", str(binary), "--root", str(ROOT)]) == 1
    assert f"Codex behaves otherwise below {codex.MINIMUM_VERSION}" in capsys.readouterr().out
