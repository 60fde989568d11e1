"""A real app-server: how it is started, adopted and stopped, and what a connection to it guarantees."""

import asyncio
import json
import os
import signal
import stat
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from codex_control_plane_mcp.codex import app_server as app_servers
from codex_control_plane_mcp.codex.app_server_record import RunningAppServer, read_record
from codex_control_plane_mcp.codex.binary import Binary
from codex_control_plane_mcp.codex.connection import Connection
from codex_control_plane_mcp.codex.errors import (
    AppServerFailed,
    CallNotSent,
    CallRefused,
    CallUnanswered,
    ConnectionFailed,
)
from codex_control_plane_mcp.process_identity import is_alive
from codex_control_plane_mcp.testing.live_app_server import (
    end_live,
    live_app_server,
    processes_mentioning,
    start_live,
)
from codex_control_plane_mcp.testing.scripted_model import ScriptedModel
from codex_control_plane_mcp.testing.scripted_model import codex_home as write_codex_home
from codex_control_plane_mcp.testing.witness import Witness

pytestmark = [pytest.mark.live, pytest.mark.anyio]

STARTER = """
import asyncio, sys
from pathlib import Path
from codex_control_plane_mcp.testing.live_app_server import start_live

async def main():
    running = await start_live(Path(sys.argv[1]), Path(sys.argv[2]))
    print(running.identity.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
async def connection(app_server: RunningAppServer) -> AsyncGenerator[Connection]:
    """A connection to the app-server."""
    async with await Connection.open(app_server.socket_path, client_version="1") as opened:
        yield opened


async def test_a_started_app_server_is_recorded_for_its_owner_alone(
    app_server: RunningAppServer, state_directory: Path
) -> None:
    """The record says who runs, and neither it nor the log can be read by others."""
    assert is_alive(app_server.identity)
    assert read_record(state_directory) == app_server
    assert app_server.generation == 1
    for name in ("app-server.json", "app-server.log", "app-server.lock"):
        assert stat.S_IMODE((state_directory / name).stat().st_mode) == 0o600


async def test_an_app_server_outlives_its_starter_and_is_adopted(
    state_directory: Path, codex_home: Path
) -> None:
    """After SIGKILL of the process that started it, another process adopts the same app-server."""
    starter = await asyncio.create_subprocess_exec(
        sys.executable, "-c", STARTER, str(state_directory), str(codex_home), stdout=asyncio.subprocess.PIPE
    )
    assert starter.stdout is not None
    pid = int(await starter.stdout.readline())
    starter.send_signal(signal.SIGKILL)
    await starter.communicate()
    async with live_app_server(state_directory, codex_home) as adopted:
        assert adopted.identity.pid == pid
        assert adopted.generation == 1


async def test_a_listener_without_a_record_is_adopted_by_who_it_is(
    app_server: RunningAppServer, state_directory: Path
) -> None:
    """A starter killed before it wrote the record leaves an app-server that can still be adopted."""
    (state_directory / "app-server.json").unlink()
    adopted = await app_servers.adopt(state_directory)
    assert adopted is not None
    assert (adopted.identity, adopted.version) == (app_server.identity, app_server.version)
    assert read_record(state_directory) == adopted


async def test_starting_twice_at_once_gives_one_app_server(state_directory: Path, codex_home: Path) -> None:
    """Of two starters, one starts and the other adopts."""
    async with live_app_server(state_directory, codex_home):
        await end_live(state_directory)
        first, second = await asyncio.gather(
            start_live(state_directory, codex_home), start_live(state_directory, codex_home)
        )
        assert first == second
        assert first.generation == 2


async def test_nothing_is_adopted_where_nothing_listens(
    app_server: RunningAppServer, state_directory: Path
) -> None:
    """The record and the socket of a killed app-server are not taken for a running one."""
    os.kill(app_server.identity.pid, signal.SIGKILL)
    await app_servers.stop(app_server, 0)
    assert await app_servers.adopt(state_directory) is None


async def test_an_override_of_the_wrong_type_is_reported_with_the_log(
    state_directory: Path, codex_home: Path
) -> None:
    """Codex ends at once, and the error carries its exit code and its own words."""
    with pytest.raises(AppServerFailed, match="expected u64") as failure:
        await start_live(state_directory, codex_home, overrides=[("thread_unload_delay_secs", "banana")])
    assert failure.value.exit_code == 1
    assert await processes_mentioning(str(state_directory)) == []


async def test_a_deaf_app_server_is_ended_at_the_deadline(
    state_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that never listens is an error, and none of its processes stays."""
    program = _program(tmp_path / "deaf", "echo nobody home; sleep 1000 & wait")
    monkeypatch.setattr(app_servers, "START_SECONDS", 0.3)
    with pytest.raises(AppServerFailed, match="nobody home") as failure:
        await app_servers.start(Binary(program, "setting"), "0", state_directory, dict(os.environ), [])
    assert failure.value.exit_code is None
    assert await processes_mentioning(str(program)) == []


async def test_a_recorded_app_server_that_is_deaf_is_left_alone(
    app_server: RunningAppServer, state_directory: Path, codex_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have work in it: starting fails instead of ending it or starting a second one."""
    monkeypatch.setattr(app_servers, "START_SECONDS", 0.1)
    link = app_server.socket_path.readlink()
    app_server.socket_path.unlink()
    with pytest.raises(AppServerFailed, match="lives but accepts no connections"):
        await start_live(state_directory, codex_home)
    assert is_alive(app_server.identity)
    app_server.socket_path.symlink_to(link)


async def test_a_state_directory_open_to_others_is_refused(tmp_path: Path, codex_home: Path) -> None:
    """Whoever reaches the socket can approve any command."""
    state_directory = _directory(tmp_path / "open", 0o755)
    with pytest.raises(AppServerFailed, match="chmod 700"):
        await start_live(state_directory, codex_home)


async def test_stopping_ends_even_a_turn_that_runs(
    app_server: RunningAppServer, connection: Connection, scripted_model: ScriptedModel, project: Path
) -> None:
    """SIGTERM drains without limit; after the grace the app-server is ended all the same."""
    witness = Witness(connection)
    await witness.start_turn(await witness.start_thread(str(project)), "model: wait never")
    assert await scripted_model.gates.reached("never", within=20)
    await app_servers.stop(app_server, 0.1)
    assert not is_alive(app_server.identity)
    await connection.wait_closed()


async def test_overrides_outrank_the_users_configuration(connection: Connection) -> None:
    """What `-c` sets is what Codex works with."""
    config = (await connection.call("config/read", {}))["config"]
    assert isinstance(config, dict)
    features = config["features"]
    assert isinstance(features, dict)
    assert (features["shell_snapshot"], features["unbounded_connection_retries"]) == (False, False)


async def test_a_vanished_model_fails_the_turn(state_directory: Path, tmp_path: Path, project: Path) -> None:
    """With unbounded retries off, a refused connection to the model ends the turn instead of holding it."""
    async with ScriptedModel() as gone:
        home = write_codex_home(tmp_path / "home", gone.port)
    async with (
        live_app_server(state_directory, home) as running,
        await Connection.open(running.socket_path, client_version="1") as connection,
    ):
        witness = Witness(connection)
        await witness.start_turn(await witness.start_thread(str(project)), "hello")
        assert (await witness.see_end())["status"] == "failed"


async def test_a_connection_knows_whom_it_talks_to(
    app_server: RunningAppServer, connection: Connection, codex_home: Path
) -> None:
    """Version and home come from `initialize`; an account is not needed for a provider without one."""
    assert connection.server_version == app_server.version
    assert connection.codex_home == str(codex_home)
    account = await connection.call("account/read", {})
    assert (account["account"], account["requiresOpenaiAuth"]) == (None, False)


async def test_a_turn_runs_from_submission_to_completion(
    connection: Connection, scripted_model: ScriptedModel, project: Path
) -> None:
    """The prompt reaches the model once, its label comes back, and so does the answer."""
    witness = Witness(connection)
    thread_id = await witness.start_thread(str(project))
    turn_id = await witness.start_turn(thread_id, "hello", clientUserMessageId="attempt-1")
    assert (await witness.see_item("userMessage"))["clientId"] == "attempt-1"
    assert (await witness.see_item("agentMessage"))["text"] == "I was asked: hello"
    turn = await witness.see_end()
    assert (turn["id"], turn["status"]) == (turn_id, "completed")
    assert scripted_model.prompts() == ["hello"]


async def test_an_approval_is_asked_for_and_obeyed(connection: Connection, project: Path) -> None:
    """The command runs after the answer, and not before."""
    witness = Witness(connection)
    thread_id = await witness.start_thread(str(project))
    await witness.start_turn(thread_id, "model: ask touch approved\nmodel: say ok")
    request = await witness.see_request("item/commandExecution/requestApproval")
    assert not (project / "approved").exists()
    await connection.answer(request.request_id, {"decision": "accept"})
    assert (await witness.see_end())["status"] == "completed"
    assert (project / "approved").exists()


async def test_a_refused_request_is_a_rejection(connection: Connection, project: Path) -> None:
    """A JSON-RPC error as the answer fails the command and lets the turn go on."""
    witness = Witness(connection)
    thread_id = await witness.start_thread(str(project))
    await witness.start_turn(thread_id, "model: ask touch approved\nmodel: say ok")
    request = await witness.see_request("item/commandExecution/requestApproval")
    await connection.refuse(request.request_id, -32000, "nobody may answer this")
    assert (await witness.see_end())["status"] == "completed"
    assert not (project / "approved").exists()


async def test_a_pending_approval_comes_again_after_reconnecting(
    app_server: RunningAppServer, connection: Connection, project: Path
) -> None:
    """`thread/resume` on a new connection brings the same request id and params; its answer counts."""
    first = Witness(connection)
    thread_id = await first.start_thread(str(project))
    await first.start_turn(thread_id, "model: ask touch approved\nmodel: say ok")
    asked = await first.see_request("item/commandExecution/requestApproval")
    await connection.close()
    async with await Connection.open(app_server.socket_path, client_version="1") as again:
        second = Witness(again)
        await again.call("thread/resume", {"threadId": thread_id, "excludeTurns": True})
        assert await second.see_request("item/commandExecution/requestApproval") == asked
        await again.answer(asked.request_id, {"decision": "accept"})
        assert (await second.see_end())["status"] == "completed"
    assert (project / "approved").exists()


async def test_a_turn_held_at_a_gate_can_be_interrupted(
    connection: Connection, scripted_model: ScriptedModel, project: Path
) -> None:
    """Once `turn/started` was seen, `turn/interrupt` ends the turn and lets go of the model."""
    witness = Witness(connection)
    thread_id = await witness.start_thread(str(project))
    turn_id = await witness.start_turn(thread_id, "model: wait never\nmodel: say no")
    await witness.see("turn/started")
    assert await scripted_model.gates.reached("never", within=20)
    await connection.call("turn/interrupt", {"threadId": thread_id, "turnId": turn_id})
    assert (await witness.see_end())["status"] == "interrupted"


async def test_an_error_of_codex_is_a_refusal(connection: Connection) -> None:
    """The refusal carries Codex's code and words, and names the method."""
    with pytest.raises(CallRefused, match="turn/start") as refusal:
        await connection.call("turn/start", {"threadId": "01a00000-0000-7000-8000-000000000000", "input": []})
    assert refusal.value.code == -32600
    assert "thread not found" in refusal.value.message


async def test_a_cut_connection_leaves_the_call_unanswered(
    app_server: RunningAppServer, connection: Connection
) -> None:
    """A call that waits when the app-server is killed has an unknown outcome; the next is never sent."""
    call = asyncio.create_task(connection.call("command/exec", {"command": ["sleep", "1000"]}))
    await connection.call("account/read", {})
    os.kill(app_server.identity.pid, signal.SIGKILL)
    with pytest.raises(CallUnanswered):
        await call
    assert [message async for message in connection.messages() if message.method == "turn/started"] == []
    with pytest.raises(CallNotSent):
        await connection.call("account/read", {})


async def test_a_late_reply_leaves_the_call_unanswered_and_the_connection_open(
    connection: Connection,
) -> None:
    """Running out of time says nothing about the effect, and hurts no later call."""
    with pytest.raises(CallUnanswered, match="in time"):
        await connection.call("command/exec", {"command": ["sleep", "1"]}, timeout=0.2)
    assert "account" in await connection.call("account/read", {})


async def test_unwanted_notifications_are_not_sent(app_server: RunningAppServer, project: Path) -> None:
    """`opt_out` keeps deltas away; the whole message still comes."""
    async with await Connection.open(
        app_server.socket_path, client_version="1", opt_out=["item/agentMessage/delta"]
    ) as connection:
        witness = Witness(connection)
        await witness.start_turn(await witness.start_thread(str(project)), "model: say a b c")
        await witness.see_end()
    methods = {message.method for message in witness.seen}
    assert "item/agentMessage/delta" not in methods
    assert "item/completed" in methods


async def test_many_calls_at_once_are_all_answered(connection: Connection) -> None:
    """More calls than the app-server queues are held back here instead of being dropped there."""
    answers = await asyncio.gather(*(connection.call("thread/loaded/list", {}) for _ in range(500)))
    assert all(answer["data"] == [] for answer in answers)


async def test_a_socket_path_of_any_length_is_reachable(tmp_path: Path, codex_home: Path) -> None:
    """Codex listens behind a short symlink target, which a client must connect to directly."""
    directory = tmp_path / ("long-" * 30)
    async with (
        live_app_server(directory, codex_home) as running,
        await Connection.open(running.socket_path, client_version="1") as connection,
    ):
        assert len(str(running.socket_path)) > 107
        assert connection.server_version == running.version


async def test_no_connection_without_a_listener(state_directory: Path) -> None:
    """The error names the socket."""
    with pytest.raises(ConnectionFailed, match=r"app-server\.sock"):
        await Connection.open(state_directory / "app-server.sock", client_version="1")


async def test_the_record_is_readable_json(app_server: RunningAppServer, state_directory: Path) -> None:
    """Other tools can find the process and the socket."""
    record = json.loads((state_directory / "app-server.json").read_text())
    assert record["pid"] == app_server.identity.pid
    assert record["socket"] == str(state_directory / "app-server.sock")


def _program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return path


def _directory(path: Path, mode: int) -> Path:
    path.mkdir()
    path.chmod(mode)
    return path
