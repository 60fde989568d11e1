"""How a server starts and ends."""

import contextlib
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

from codex_control_plane_contract.values import JsonObject, JsonValue
from codex_control_plane_mcp.testing.raw_client import COMMAND, RawClient, ServerSilent


def run(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end, with nothing on stdin."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def operation_of(result: JsonObject) -> JsonValue:
    """Return the operation id of an acknowledgement."""
    return cast("JsonObject", result["structuredContent"])["operationId"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("opened", [False, True])
def test_a_signal_ends_the_server(raw: RawClient, number: signal.Signals, opened: bool) -> None:
    """Also while it waits for a client that says nothing."""
    if opened:
        raw.initialize()
    else:
        raw.send_bytes(b"{\n")
        raw.receive()
    raw.signal(number)
    assert raw.exit_code() == 0
    assert raw.stderr == ""


def test_a_signal_during_the_start_ends_the_server(raw: RawClient) -> None:
    """Whether it comes before or after the interpreter is up: no traceback, no hang."""
    raw.signal(signal.SIGTERM)
    assert raw.exit_code() in (0, -signal.SIGTERM)
    assert raw.stderr == ""


def test_the_end_of_stdin_ends_the_server(raw: RawClient) -> None:
    """A last line without a line feed is still read."""
    raw.initialize()
    raw.send_bytes(b"{")
    raw.close_input()
    assert raw.receive()["error"]
    with pytest.raises(ServerSilent):
        raw.receive()
    assert raw.exit_code() == 0


def test_a_client_that_does_not_listen_any_more_ends_the_server(raw: RawClient) -> None:
    """It is gone, even though it still holds the other pipe."""
    raw.initialize()
    raw.close_output()
    raw.send({"jsonrpc": "2.0", "id": 1, "method": "ping"})
    assert raw.exit_code() == 0
    assert raw.stderr == ""


def test_a_client_that_does_not_read_cannot_keep_the_server_alive(raw: RawClient) -> None:
    """The answers fill the pipe, and a signal still ends the server."""
    raw.initialize()
    params: JsonObject = {"name": "codex_get_agent_contract", "arguments": {"detail": "full"}}
    for number in range(200):
        raw.send({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params})
    raw.signal(signal.SIGTERM)
    assert raw.exit_code() == 0


@pytest.mark.parametrize("end", ["signal", "end of input"])
@pytest.mark.parametrize("busy", ["waiting for news", "waiting for the locked store"])
def test_a_call_in_flight_does_not_hold_up_the_end(
    environment: dict[str, str], tmp_path: Path, busy: str, end: str
) -> None:
    """Each of these calls would last longer than this server may live."""
    submit: JsonObject = {"operation_type": "start_chat", "message": "x", "cwd": str(tmp_path / "root")}
    environment["CODEX_MCP_STATE_BUSY_SECONDS"] = "120"
    with (
        RawClient(environment, bound=30) as client,
        contextlib.closing(sqlite3.connect(tmp_path / "other.sqlite")) as connection,
    ):
        client.initialize()
        submitted = client.call("codex_submit_task", submit)
        if busy == "waiting for news":
            params: JsonObject = {"operation_id": operation_of(submitted), "wait_seconds": 45}
            tool = "codex_get_operation_status"
        else:
            connection.execute("ATTACH ? AS state", [environment["CODEX_MCP_STATE_DB"]])
            connection.execute("BEGIN EXCLUSIVE")
            params, tool = submit, "codex_submit_task"
        call: JsonObject = {"name": tool, "arguments": {**params}}
        client.send({"jsonrpc": "2.0", "id": "long", "method": "tools/call", "params": call})
        # The answer to this one shows that the call before it has begun.
        client.call("codex_get_agent_contract", {})
        if end == "signal":
            client.signal(signal.SIGTERM)
        else:
            client.close_input()
        assert client.exit_code() == 0
        assert client.stderr == ""


def test_the_first_replies_wait_for_nothing_that_only_calls_need(environment: dict[str, str]) -> None:
    """Store, lifecycles, arguments, handlers and validators are loaded by the first call of a tool."""
    environment["PYTHONPROFILEIMPORTTIME"] = "1"
    with RawClient(environment) as client:
        client.initialize()
        client.request("tools/list")
        client.close_input()
        assert client.exit_code() == 0
        loaded = {line.rpartition("|")[2].strip() for line in client.stderr.splitlines()}
    assert "codex_control_plane_mcp.server.app" in loaded
    contract, runtime = "codex_control_plane_contract", "codex_control_plane_mcp"
    late = {f"{contract}.arguments", f"{contract}.lifecycles", f"{contract}.types", "jsonschema_rs"}
    assert not loaded & (late | {f"{runtime}.store", f"{runtime}.handlers.guide", "sqlite3"})


def test_without_a_client_the_server_ends(environment: dict[str, str]) -> None:
    """Stdin is /dev/null."""
    ended = run(environment)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_requests_may_come_from_a_file(environment: dict[str, str], tmp_path: Path) -> None:
    """A file cannot be waited on as a pipe can."""
    requests = tmp_path / "requests"
    requests.write_text("{\n")
    with requests.open("rb") as stdin:
        ended = subprocess.run(
            COMMAND, env=environment, stdin=stdin, capture_output=True, timeout=60, check=False
        )
    assert ended.returncode == 0
    assert b"-32700" in ended.stdout


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CODEX_MCP_LEASE_SECONDS", "many"),
        ("CODEX_ALLOWED_ROOTS", "/no/such/directory"),
        ("CODEX_MCP_STATE_BD", "/tmp/state.sqlite"),  # noqa: S108 - it is not used
    ],
)
def test_an_invalid_setting_stops_the_start(environment: dict[str, str], variable: str, value: str) -> None:
    """The message is on stderr and names variable and value; the exit code is 2."""
    ended = run({**environment, variable: value})
    assert (ended.returncode, ended.stdout) == (2, "")
    assert variable in ended.stderr
    assert "Traceback" not in ended.stderr


def test_version_and_help_teach(environment: dict[str, str]) -> None:
    """Help names every setting and how to connect a client."""
    assert run(environment, "--version").stdout.startswith("codex-control-plane-mcp ")
    said = run(environment, "--help").stdout
    for word in ("claude mcp add", "CODEX_ALLOWED_ROOTS", "CODEX_MCP_EXECUTION_MODE", "codex_submit_task"):
        assert word in said
    wrong = run(environment, "--port", "1")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "--help" in wrong.stderr


def test_the_console_script_is_the_same_server(environment: dict[str, str]) -> None:
    """The package installs it beside the interpreter."""
    script = Path(sys.executable).with_name("codex-control-plane-mcp")
    with RawClient(environment, command=[str(script)]) as client:
        assert client.initialize()["serverInfo"]


def test_the_log_is_private_and_takes_what_was_refused(environment: dict[str, str], tmp_path: Path) -> None:
    """It lies beside the state file and is readable by its owner only."""
    with RawClient(environment) as client:
        client.initialize()
        client.send_bytes(b"{\n")
        client.receive()
    log = tmp_path / "state/state.log"
    assert log.stat().st_mode & 0o777 == 0o600
    assert "refused a line" in log.read_text()


def test_a_log_that_cannot_be_written_does_not_stop_the_server(environment: dict[str, str]) -> None:
    """It says so on stderr and serves."""
    with RawClient({**environment, "CODEX_CONTROL_PLANE_MCP_LOG": "/proc/no/such.log"}) as client:
        assert client.initialize()["serverInfo"]
        assert "cannot be written" in client.stderr


def test_a_state_file_that_cannot_be_used_stops_only_what_needs_it(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """The server starts and answers with the reason; once the cause is gone it needs no restart."""
    state = tmp_path / "state/state.sqlite"
    state.parent.mkdir(mode=0o700)
    state.write_bytes(b"this is no database" * 100)
    with RawClient(environment) as client:
        client.initialize()
        for _ in range(2):
            result = client.call("codex_list_pending_interactions", {})
            assert "CODEX_STATE_UNUSABLE" in str(result["structuredContent"])
        assert client.call("codex_get_agent_contract", {})["isError"] is False
        state.unlink()
        result = client.call("codex_list_pending_interactions", {})
        assert "CODEX_STATE_UNUSABLE" not in str(result["structuredContent"])
