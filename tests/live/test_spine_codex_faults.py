"""A Codex that is missing, too old, broken or logged out: said clearly, and cured without a restart."""

import asyncio
import shlex
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from codex_control_plane_contract import codex
from codex_control_plane_contract.types import Operation
from codex_control_plane_mcp.codex.binary import find_binary
from codex_control_plane_mcp.codex.connection import Connection
from codex_control_plane_mcp.testing.evidence import fault, report
from codex_control_plane_mcp.testing.prompts import prompt
from codex_control_plane_mcp.testing.rig import ScriptedRig, scripted_rig
from codex_control_plane_mcp.testing.task_client import PATIENCE, TaskClient

pytestmark = [pytest.mark.live, pytest.mark.anyio]

KEY = '{"OPENAI_API_KEY": "sk-scripted-0123456789"}'
OLD = "echo codex-cli 0.100.0"
REFUSING = 'exec "$CODEX" "$@" -c model=3'
WORKING = 'exec "$CODEX" "$@"'
NEWER = """case $* in
  --version) echo codex-cli 99.0.0 ;;
  *generate-json-schema*) "$CODEX" "$@" && sed -i 's#"turn/interrupt"#"turn/stop"#' "$5"/*.schemas.json ;;
  *) exec "$CODEX" "$@" ;;
esac"""


@pytest.fixture
async def rig() -> AsyncGenerator[ScriptedRig]:
    """A rig for each test, which tries again after a second; where it looks for Codex there is none yet."""
    async with scripted_rig(CODEX_MCP_RETRY_SECONDS="1") as opened:
        opened.environment["CODEX_BINARY_PATH"] = str(opened.directory / "codex")
        yield opened


def install(rig: ScriptedRig, command: str = WORKING) -> None:
    """Put a program where the settings say that Codex is; in `command`, $CODEX is the real one."""
    place = Path(rig.environment["CODEX_BINARY_PATH"])
    place.write_text(
        f"#!/bin/sh\nCODEX={shlex.quote(str(find_binary(None, search_path='').path))}\n{command}\n"
    )
    place.chmod(0o755)


def configure(rig: ScriptedRig, old: str, new: str) -> None:
    """Change Codex's configuration."""
    configuration = rig.home / "config.toml"
    text = configuration.read_text()
    assert old in text
    configuration.write_text(text.replace(old, new))


async def faulty(client: TaskClient, operation_id: str) -> Operation:
    """Return the operation, which must not have ended, once it has met a fault."""
    row = await client.status(operation_id)
    async with asyncio.timeout(PATIENCE):
        while "lastError" not in row:
            row = await client.status(operation_id, wait_seconds=20, state_cursor=row["stateCursor"])
    assert row["phase"] != "ended", row
    return row


async def findings(client: TaskClient) -> list[str]:
    """Return the ids of the findings of the health summary."""
    return [one["id"] for one in (await client.health())["findings"]]


async def test_a_missing_codex_is_awaited(rig: ScriptedRig) -> None:
    """The task stays queued and says what to install; once it is there, the task runs by itself."""
    text = prompt("say Installed.")
    async with rig.open_client() as client:
        task = (await client.submit(text))["operationId"]
        row = await faulty(client, task)
        assert fault(row)["code"] == "CODEX_APP_SERVER_UNAVAILABLE"
        assert "does not exist" in fault(row)["message"]
        assert await findings(client) == ["codex_binary"]
        install(rig)
        assert report(await client.wait_until(task, "completed")) == "Installed."
        assert await findings(client) == []
    assert rig.times_seen(text) == 1


async def test_a_codex_that_is_too_old_fails_the_task(rig: ScriptedRig) -> None:
    """Waiting would not help; the error names both versions, and after an update a new task runs."""
    texts = [prompt("say Never."), prompt("say Updated.")]
    install(rig, OLD)
    async with rig.open_client() as client:
        row = await client.wait_until((await client.submit(texts[0]))["operationId"], "failed")
        assert fault(row)["code"] == "CODEX_APP_SERVER_INCOMPATIBLE"
        assert fault(row)["details"]["foundVersion"] == "0.100.0"
        assert await findings(client) == ["codex_binary"]
        install(rig)
        task = (await client.submit(texts[1]))["operationId"]
        assert report(await client.wait_until(task, "completed")) == "Updated."
        assert await findings(client) == []
    assert [rig.times_seen(text) for text in texts] == [0, 1]


async def test_a_newer_codex_without_a_method_fails_the_task(rig: ScriptedRig) -> None:
    """The error names what is missing and a version that has it; one that has all is used, however new."""
    texts = [prompt("say Never."), prompt("say New.")]
    install(rig, NEWER)
    async with rig.open_client() as client:
        row = await client.wait_until((await client.submit(texts[0]))["operationId"], "failed")
        assert fault(row)["code"] == "CODEX_APP_SERVER_INCOMPATIBLE"
        assert fault(row)["details"]["foundVersion"] == "99.0.0"
        assert fault(row)["details"]["missing"] == ["turn/interrupt"]
        assert f"Install version {codex.TESTED_VERSION}" in fault(row)["message"]
        assert await findings(client) == ["codex_binary"]
        install(rig, NEWER.replace("turn/stop", "turn/interrupt"))
        task = (await client.submit(texts[1]))["operationId"]
        assert report(await client.wait_until(task, "completed")) == "New."
        assert await findings(client) == []
    assert [rig.times_seen(text) for text in texts] == [0, 1]


async def test_a_codex_that_refuses_to_start_is_awaited(rig: ScriptedRig) -> None:
    """Its own words are in the error; once it starts, the task runs."""
    text = prompt("say Started.")
    install(rig, REFUSING)
    async with rig.open_client() as client:
        task = (await client.submit(text))["operationId"]
        row = await faulty(client, task)
        assert fault(row)["code"] == "CODEX_APP_SERVER_UNAVAILABLE"
        assert "invalid type" in str(fault(row)["details"]["log"])
        assert await findings(client) == ["codex_binary"]
        install(rig)
        assert report(await client.wait_until(task, "completed")) == "Started."
        assert await findings(client) == []
    assert rig.times_seen(text) == 1


async def test_a_codex_whose_configuration_breaks_is_awaited(rig: ScriptedRig) -> None:
    """Codex reads it for every thread; the error says where it is wrong, and a correction is enough."""
    texts = [prompt("say Before."), prompt("say Corrected.")]
    install(rig)
    async with rig.open_client() as client:
        await client.wait_until((await client.submit(texts[0]))["operationId"], "completed")
        configure(rig, 'model = "mock-model"', "model = 3")
        task = (await client.submit(texts[1]))["operationId"]
        row = await faulty(client, task)
        assert fault(row)["code"] == "CODEX_APP_SERVER_UNAVAILABLE"
        assert "config.toml:1:9: invalid type" in fault(row)["message"]
        configure(rig, "model = 3", 'model = "mock-model"')
        assert report(await client.wait_until(task, "completed")) == "Corrected."
    assert [rig.times_seen(text) for text in texts] == [1, 1]


async def test_a_codex_without_a_login_is_awaited(rig: ScriptedRig) -> None:
    """The task says how to log in; once somebody is, it runs."""
    text = prompt("say Logged in.")
    install(rig)
    configure(rig, "requires_openai_auth = false", "requires_openai_auth = true")
    async with rig.open_client() as client:
        task = (await client.submit(text))["operationId"]
        row = await faulty(client, task)
        assert fault(row)["code"] == "CODEX_APP_SERVER_UNAVAILABLE"
        assert "codex login" in fault(row)["message"]
        assert await findings(client) == ["codex_auth"]
        (rig.home / "auth.json").write_text(KEY)
        assert report(await client.wait_until(task, "completed")) == "Logged in."
        assert await findings(client) == []
    assert rig.times_seen(text) == 1


async def test_a_logout_does_not_strand_what_is_in_flight(rig: ScriptedRig) -> None:
    """A worker that comes after it reports how Codex ended the turn; only what is new waits for a login."""
    texts = [prompt("wait logout", "say Followed."), prompt("say Logged in again.")]
    install(rig)
    configure(rig, "requires_openai_auth = false", "requires_openai_auth = true")
    (rig.home / "auth.json").write_text(KEY)
    async with rig.open_client() as client:
        flying = (await client.submit(texts[0]))["operationId"]
        await client.wait_until(flying, "running")
        assert await rig.model.gates.reached("logout", PATIENCE)
        await rig.kill_worker()
        running = await rig.app_server()
        assert running is not None
        async with await Connection.open(running.socket_path, client_version="1") as codex:
            await codex.call("account/logout", {})
        later = (await client.submit(texts[1]))["operationId"]
        assert "codex login" in fault(await faulty(client, later))["message"]
        await rig.model.gates.open("logout")
        # Codex may revoke the model's connection at a logout; whatever it does with the turn, we say so.
        row = await client.wait_until(flying, "completed", "failed")
        assert (
            report(row) == "Followed." if row["status"] == "completed" else "revoked" in fault(row)["message"]
        )
        assert (await client.status(later))["phase"] != "ended"
        (rig.home / "auth.json").write_text(KEY)
        assert report(await client.wait_until(later, "completed")) == "Logged in again."
    assert [rig.times_seen(text) for text in texts] == [1, 1]
