"""The scripted model behind a real Codex: each step of a script does what its name says."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import cast

import httpx2
import pytest

from codex_control_plane_mcp.codex.app_server_record import RunningAppServer
from codex_control_plane_mcp.codex.connection import Connection
from codex_control_plane_mcp.codex.json_types import JsonObject
from codex_control_plane_mcp.testing.live_app_server import live_app_server
from codex_control_plane_mcp.testing.scripted_model import ScriptedModel
from codex_control_plane_mcp.testing.scripted_model import codex_home as write_codex_home
from codex_control_plane_mcp.testing.witness import Witness

pytestmark = [pytest.mark.live, pytest.mark.anyio]


@pytest.fixture
async def witness(app_server: RunningAppServer) -> AsyncGenerator[Witness]:
    """A connection to the app-server, and what it sees."""
    async with await Connection.open(app_server.socket_path, client_version="1") as connection:
        yield Witness(connection)


@pytest.fixture
async def thread_id(witness: Witness, project: Path) -> str:
    """A thread in a read-only sandbox, where writing asks for approval."""
    return await witness.start_thread(str(project), sandbox="read-only", approvalPolicy="on-request")


async def test_say_streams_a_message(witness: Witness, thread_id: str) -> None:
    """The deltas put together are the message."""
    await witness.start_turn(thread_id, "model: say one  two\\nthree")
    item = await witness.see_item("agentMessage")
    deltas = [m.params["delta"] for m in witness.seen if m.method == "item/agentMessage/delta"]
    assert item["text"] == "one  two\nthree"
    assert "".join(map(str, deltas)) == item["text"]
    assert len(deltas) > 1


async def test_think_is_a_reasoning_item(witness: Witness, thread_id: str) -> None:
    """It comes before the answer and does not end the turn."""
    await witness.start_turn(thread_id, "model: think hard\nmodel: say done")
    assert (await witness.see_item("reasoning"))["summary"] == ["hard"]
    assert (await witness.see_item("agentMessage"))["text"] == "done"


async def test_run_executes_within_the_sandbox(
    witness: Witness, thread_id: str, scripted_model: ScriptedModel
) -> None:
    """No approval is asked for, and the model sees the output."""
    await witness.start_turn(thread_id, "model: run echo from the shell\nmodel: say done")
    command = await witness.see_item("commandExecution")
    assert (command["aggregatedOutput"], command["exitCode"]) == ("from the shell\n", 0)
    assert (await witness.see_end())["status"] == "completed"
    assert "from the shell" in scripted_model.requests[-1].tool_outputs[0]


async def test_steps_are_done_in_order_one_model_call_a_tool(
    witness: Witness, thread_id: str, scripted_model: ScriptedModel
) -> None:
    """The place in the script follows from the outputs that the model is shown."""
    await witness.start_turn(thread_id, "Do this:\n```model\nrun echo 1\nrun echo 2\nsay done\n```\n")
    assert (await witness.see_end())["status"] == "completed"
    assert [len(request.tool_outputs) for request in scripted_model.requests] == [0, 1, 2]
    assert {request.thread_id for request in scripted_model.requests} == {thread_id}


async def test_patch_asks_for_the_file_change(witness: Witness, thread_id: str, project: Path) -> None:
    """The file is written once the change is accepted."""
    await witness.start_turn(thread_id, f"model: patch {project}/new.txt one\\ntwo\nmodel: say done")
    request = await witness.see_request("item/fileChange/requestApproval")
    await witness.connection.answer(request.request_id, {"decision": "accept"})
    assert (await witness.see_end())["status"] == "completed"
    assert await asyncio.to_thread((project / "new.txt").read_text) == "one\ntwo\n"


async def test_question_asks_the_person(
    witness: Witness, thread_id: str, scripted_model: ScriptedModel
) -> None:
    """The answer comes back to the model."""
    await witness.start_turn(thread_id, "model: question Go on?\nmodel: say done")
    request = await witness.see_request("item/tool/requestUserInput")
    await witness.connection.answer(
        request.request_id, {"answers": {"answer": {"answers": ["by all means"]}}}
    )
    assert (await witness.see_end())["status"] == "completed"
    assert "by all means" in scripted_model.requests[-1].tool_outputs[0]


async def test_plan_is_a_plan_item_in_plan_mode(witness: Witness, thread_id: str) -> None:
    """Codex recognises the proposed plan."""
    mode = {"mode": "plan", "settings": {"model": "mock-model", "reasoning_effort": None}}
    await witness.start_turn(thread_id, "model: plan # Plan\\nfirst this", collaborationMode=mode)
    assert str((await witness.see_item("plan"))["text"]).strip() == "# Plan\nfirst this"


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("fail 500", "internalServerError"),
        ("fail 429 usage_limit_reached", "usageLimitExceeded"),
        ("fail 401", {"httpConnectionFailed": {"httpStatusCode": 401}}),
        ("dance wildly", "other"),
    ],
)
async def test_fail_fails_the_turn(
    witness: Witness, thread_id: str, step: str, expected: str | JsonObject
) -> None:
    """The status decides what Codex makes of it; a line that is no step fails too, and says so."""
    await witness.start_turn(thread_id, f"model: {step}")
    turn = await witness.see_end()
    assert turn["status"] == "failed"
    assert cast(JsonObject, turn["error"])["codexErrorInfo"] == expected


async def test_fail_after_output_ends_the_stream(witness: Witness, thread_id: str) -> None:
    """What was said before stays said."""
    await witness.start_turn(thread_id, "model: say first\nmodel: fail 500 invalid_prompt")
    assert (await witness.see_item("agentMessage"))["text"] == "first"
    assert (await witness.see_end())["status"] == "failed"


async def test_wait_holds_the_response_until_the_gate_opens(
    witness: Witness, thread_id: str, scripted_model: ScriptedModel
) -> None:
    """The message before the gate is out, the one after it is not, until somebody opens."""
    await witness.start_turn(thread_id, "model: say before\nmodel: wait go\nmodel: say after")
    assert (await witness.see_item("agentMessage"))["text"] == "before"
    assert await scripted_model.gates.reached("go", within=20)
    await scripted_model.gates.open("go")
    assert (await witness.see_item("agentMessage"))["text"] == "after"
    assert scripted_model.gates.held == []


async def test_an_open_gate_holds_nothing(
    witness: Witness, thread_id: str, scripted_model: ScriptedModel
) -> None:
    """A gate may be opened before anything comes to it."""
    await scripted_model.gates.open("go")
    await witness.start_turn(thread_id, "model: wait go\nmodel: say through")
    assert (await witness.see_item("agentMessage"))["text"] == "through"


async def test_a_model_restarted_within_a_turn_goes_on(
    tmp_path: Path, state_directory: Path, project: Path
) -> None:
    """Nothing but the conversation says where in the script it is, so that a new process knows too."""
    first, port = await _start_model_process(0)
    home = write_codex_home(tmp_path / "home", port)
    async with (
        live_app_server(state_directory, home) as running,
        await Connection.open(running.socket_path, client_version="1") as connection,
    ):
        witness = Witness(connection)
        thread_id = await witness.start_thread(str(project))
        await witness.start_turn(thread_id, "model: ask echo 1\nmodel: say second life")
        request = await witness.see_request("item/commandExecution/requestApproval")
        first.send_signal(signal.SIGKILL)
        await first.communicate()
        second, _ = await _start_model_process(port)
        await connection.answer(request.request_id, {"decision": "accept"})
        assert (await witness.see_item("agentMessage"))["text"] == "second life"
        await witness.see_end()
        second.terminate()
        await second.communicate()
        assert second.returncode == 0


async def test_the_process_is_steered_over_http(tmp_path: Path, state_directory: Path, project: Path) -> None:
    """A test in another process can await a gate, open it, and count what the model saw."""
    ready = tmp_path / "ready.json"
    process, port = await _start_model_process(0, ready)
    assert json.loads(await asyncio.to_thread(ready.read_text)) == {"port": port}
    home = write_codex_home(tmp_path / "home", port)
    async with (
        live_app_server(state_directory, home) as running,
        await Connection.open(running.socket_path, client_version="1") as connection,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http,
    ):
        witness = Witness(connection)
        thread_id = await witness.start_thread(str(project))
        await witness.start_turn(thread_id, "model: wait go\nmodel: say through")
        assert (await http.get("/gates/go/waiting?timeout=20")).json() == {"waiting": True}
        assert (await http.get("/gates")).json() == {"open": [], "waiting": ["go"]}
        assert (await http.post("/gates/go/open")).json()["open"] == ["go"]
        assert (await witness.see_item("agentMessage"))["text"] == "through"
        assert (await http.get("/gates/other/waiting?timeout=0")).json() == {"waiting": False}
        seen = (await http.get("/requests")).json()
        assert (seen["count"], seen["requests"][0]["thread_id"]) == (1, thread_id)
        assert seen["requests"][0]["user_text"] == "model: wait go\nmodel: say through"
    process.terminate()
    await process.communicate()
    assert process.returncode == 0


async def _start_model_process(
    port: int, ready_file: Path | None = None
) -> tuple[asyncio.subprocess.Process, int]:
    """Start the model as a process of its own; return it with its port once it says that it answers."""
    options = [] if ready_file is None else ["--ready-file", str(ready_file)]
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "codex_control_plane_mcp.testing.scripted_model", "--port", str(port)],
        *options,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    return process, int(json.loads(await process.stdout.readline())["port"])
