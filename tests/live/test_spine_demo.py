"""The demo as a person runs it, and the rig that it stands on."""

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path

import pytest

from codex_control_plane_mcp.codex.binary import find_binary
from codex_control_plane_mcp.testing.demo import main
from codex_control_plane_mcp.testing.demo.tasks import PLAIN, SCRIPTED
from codex_control_plane_mcp.testing.rig import scripted_rig
from codex_control_plane_mcp.testing.scripted_model import ScriptedModel

pytestmark = [pytest.mark.live, pytest.mark.anyio]

DEMO = "codex_control_plane_mcp.testing.demo"


async def tell(*arguments: str, **variables: str) -> tuple[int | None, str, str]:
    """Run the demo; return its exit code and what it wrote to stdout and stderr."""
    demo = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        DEMO,
        *arguments,
        env={**os.environ, **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await demo.communicate()
    return demo.returncode, output.decode(), errors.decode()


async def log_in(binary: str, home: Path) -> None:
    """Log in to Codex with an API key, as a person does."""
    login = await asyncio.create_subprocess_exec(
        binary,
        "login",
        "--with-api-key",
        env={**os.environ, "CODEX_HOME": str(home)},
        stdin=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    await login.communicate(b"sk-a-key-that-only-the-scripted-model-sees")
    assert login.returncode == 0


async def test_the_demo_holds_and_says_so() -> None:
    """Three operations, two kills, none lost; for a program one JSON object and nothing else."""
    code, output, errors = await tell("--json")
    verdict = json.loads(output)
    assert (code, verdict["ok"], errors) == (0, True, "")
    assert (len(verdict["operations"]), verdict["kills"], verdict["lost"]) == (3, 2, 0)
    assert all(claim["held"] for claim in verdict["claims"])


async def test_the_demo_is_readable_without_a_terminal() -> None:
    """Plain lines: the question and its risk, the kills, both reports, what held."""
    code, output, _ = await tell()
    assert code == 0
    assert "\x1b" not in output
    for words in ("medium risk", "killed", "Wait for leave: completed", "3 operations, 2 kills, 0 lost"):
        assert words in output


async def test_a_live_demo_uses_the_persons_own_login_and_model(tmp_path: Path) -> None:
    """Codex is logged in and configured by its own means; only the address of its API is not OpenAI's."""
    binary = str(find_binary(None, search_path="").path)
    scripts = {
        plain.prompt: scripted.prompt
        for plain, scripted in (
            (PLAIN.asking, SCRIPTED.asking),
            (PLAIN.working, SCRIPTED.working),
            (PLAIN.waiting, SCRIPTED.waiting),
        )
    }
    async with ScriptedModel(scripts=scripts) as model:
        configuration = f'model = "gpt-5.5"\nopenai_base_url = "http://127.0.0.1:{model.port}/v1"\n'
        (tmp_path / "config.toml").write_text(configuration)
        await log_in(binary, tmp_path)
        code, output, _ = await tell("--live", CODEX_HOME=str(tmp_path), CODEX_BINARY_PATH=binary)
        assert {request.model for request in model.requests} == {"gpt-5.5"}
    assert code == 0, output
    for words in ("✓ each prompt was sent exactly once", "3 operations, 2 kills, 0 lost"):
        assert words in output
    assert (tmp_path / "config.toml").read_text() == configuration


async def test_a_live_demo_without_a_login_says_how_to_get_one(tmp_path: Path) -> None:
    """It uses the person's own Codex, whatever else is set, and leaves it as it was."""
    binary = str(find_binary(None, search_path="").path)
    code, output, _ = await tell(
        "--live", CODEX_HOME=str(tmp_path), CODEX_BINARY_PATH=binary, CODEX_MCP_EXECUTION_MODE="client"
    )
    assert code == 1
    assert "This spends your quota" in output
    assert "codex login" in output
    assert not (tmp_path / "config.toml").exists()


def test_the_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    """It says what will happen, what it costs, and what the exit code means."""
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert "SPENDS YOUR QUOTA" in shown
    assert "exit code: 0" in shown


def test_a_missing_codex_is_told_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Without a traceback, with what to do, and before anything is made that could be left."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("codex_control_plane_mcp.codex.binary._PACKAGE", "no_such_package")
    assert main([]) == 2
    shown = capsys.readouterr().out
    assert "The demo needs Codex" in shown
    assert "pip install openai-codex-cli-bin" in " ".join(shown.split())
    assert main(["--json"]) == 2
    assert json.loads(capsys.readouterr().out)["ok"] is False
    assert list(tmp_path.iterdir()) == []


async def test_a_rig_complains_of_what_is_left_and_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process with the rig's directory in its environment is found, named and killed."""
    monkeypatch.setattr("codex_control_plane_mcp.testing.residue._PATIENCE", 0.1)
    opening = scripted_rig()
    rig = await opening.__aenter__()
    stray = await asyncio.create_subprocess_exec("sleep", "60", env=rig.environment)
    with pytest.raises(AssertionError, match=r"left running: .*sleep 60"):
        await opening.__aexit__(None, None, None)
    assert await stray.wait() == -9
    assert not await asyncio.to_thread(rig.directory.exists)
