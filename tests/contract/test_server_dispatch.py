"""What becomes of a handler's result or exception, through the SDK in both protocol generations."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import anyio
import jsonschema_rs
import pytest
from mcp import Client

from codex_control_plane_contract.errors import CodexOperationNotFound, CodexStateUnusable
from codex_control_plane_contract.settings import Settings
from codex_control_plane_contract.tools import TOOLS
from codex_control_plane_contract.values import JsonObject, JsonValue
from codex_control_plane_mcp.handlers.context import Context
from codex_control_plane_mcp.server.app import build_server
from codex_control_plane_mcp.server.binding import Binding, Handler
from codex_control_plane_mcp.server.dispatch import Dispatcher
from codex_control_plane_mcp.server.state_file import StateFile

STATUS = "codex_get_operation_status"
LIST = "codex_list_pending_interactions"
EMPTY: JsonObject = {"interactions": [], "count": 0}
SECRET = "sk-" + "abcDEF0123456789abcDEF0123456789"
Mode = Literal["legacy", "auto"]


@pytest.fixture(params=["legacy", "auto"])
def mode(request: pytest.FixtureRequest) -> str:
    """The protocol generation: the handshake, or 2026-07-28."""
    return str(request.param)


def dispatcher(state_db: Path, handler: Handler) -> Dispatcher:
    """Return a dispatcher that answers every tool with `handler`, on a state file of its own."""
    settings = Settings(state_db=state_db, execution_mode="client")
    state = StateFile(settings)
    context = Context(settings=settings, actor_id="test", open_store=state.store, summon=lambda: None)
    return Dispatcher(TOOLS, context, state, bind=lambda tool: Binding.of(tool, handler))


@pytest.mark.anyio
async def test_a_fault_of_ours_is_an_incident_and_leaks_nothing(
    tmp_path: Path, mode: Mode, caplog: pytest.LogCaptureFixture
) -> None:
    """The client gets an id; the log has the same id and the traceback."""

    async def handler(_context: Context, _arguments: object) -> Mapping[str, JsonValue]:
        raise RuntimeError("secret path /home/somebody")

    server = build_server(dispatcher(tmp_path / "state.sqlite", handler))
    with caplog.at_level(logging.ERROR):
        async with Client(server, mode=mode) as client:
            result = await client.call_tool(LIST, {})
    assert result.is_error
    jsonschema_rs.validate(TOOLS[LIST].output_schema, result.structured_content)
    error = result.structured_content["error"]
    assert (error["code"], error["retryable"]) == ("INTERNAL_ERROR", True)
    assert "secret" not in json.dumps(result.structured_content)
    assert error["details"]["incidentId"] in caplog.text
    assert "RuntimeError: secret path" in caplog.text


@pytest.mark.anyio
@pytest.mark.parametrize(
    "result",
    [
        {},
        {**EMPTY, "count": "none"},
        {**EMPTY, "more": 1},
        {**EMPTY, "count": float("nan")},
        {**EMPTY, "x": object()},
    ],
)
async def test_a_result_that_does_not_fit_its_schema_does_not_leave(
    tmp_path: Path, result: Mapping[str, JsonValue], caplog: pytest.LogCaptureFixture
) -> None:
    """It is a fault of ours."""

    async def handler(_context: Context, _arguments: object) -> Mapping[str, JsonValue]:
        return result

    answer = await dispatcher(tmp_path / "state.sqlite", handler).call(LIST, {})
    assert json.loads(answer.text)["error"]["code"] == "INTERNAL_ERROR"
    assert "incident" in caplog.text


@pytest.mark.anyio
async def test_an_error_of_the_contract_is_answered_as_it_is(tmp_path: Path, mode: Mode) -> None:
    """Code, message, details and retryable; keys and tokens in them are taken out."""

    async def handler(_context: Context, _arguments: object) -> Mapping[str, JsonValue]:
        raise CodexOperationNotFound(f"No such operation: {SECRET}", near=[SECRET, "op_2"])

    server = build_server(dispatcher(tmp_path / "state.sqlite", handler))
    async with Client(server, mode=mode) as client:
        result = await client.call_tool(STATUS, {"operation_id": "op_1"})
    assert result.structured_content == {
        "ok": False,
        "error": {
            "code": "CODEX_OPERATION_NOT_FOUND",
            "message": "No such operation: [redacted: OpenAI key]",
            "details": {"near": ["[redacted: OpenAI key]", "op_2"]},
            "retryable": False,
        },
    }


@pytest.mark.anyio
async def test_half_a_surrogate_pair_in_a_result_becomes_a_replacement_character(tmp_path: Path) -> None:
    """No client could read it."""

    async def handler(_context: Context, _arguments: object) -> Mapping[str, JsonValue]:
        raise CodexOperationNotFound("a\ud800b 🎉")

    answer = await dispatcher(tmp_path / "state.sqlite", handler).call(STATUS, {"operation_id": "op_1"})
    answer.text.encode()
    message = json.loads(answer.text)["error"]["message"]
    assert message.startswith("a\ufffd")
    assert message.endswith("b 🎉")


@pytest.mark.anyio
async def test_a_handler_that_waits_delays_no_other(tmp_path: Path, mode: Mode) -> None:
    """The first call is answered by what the second one does."""
    second_came = anyio.Event()

    async def handler(_context: Context, arguments: object) -> Mapping[str, JsonValue]:
        if getattr(arguments, "limit", None) == 1:
            await second_came.wait()
        else:
            second_came.set()
        return EMPTY

    server = build_server(dispatcher(tmp_path / "state.sqlite", handler))
    with anyio.fail_after(30):
        async with Client(server, mode=mode) as client, anyio.create_task_group() as calls:
            calls.start_soon(client.call_tool, LIST, {"limit": 1})
            calls.start_soon(client.call_tool, LIST, {"limit": 2})


@pytest.mark.anyio
async def test_a_state_file_that_cannot_be_used_is_answered_until_it_can(tmp_path: Path) -> None:
    """Every call tries again, so nobody has to restart the server."""
    state_db = tmp_path / "state.sqlite"
    state_db.write_bytes(b"this is no database" * 100)
    state_db.chmod(0o600)

    async def handler(context: Context, _arguments: object) -> Mapping[str, JsonValue]:
        assert context.store.path == state_db
        return EMPTY

    calls = dispatcher(state_db, handler)
    for _ in range(2):
        assert json.loads((await calls.call(LIST, {})).text)["error"]["code"] == "CODEX_STATE_UNUSABLE"
    assert state_db.read_bytes().startswith(b"this is no database")
    state_db.unlink()
    assert not (await calls.call(LIST, {})).failed


@pytest.mark.anyio
async def test_a_state_file_that_was_moved_away_is_not_written_to_any_more(tmp_path: Path) -> None:
    """Workers read the file that has the name."""
    stores = list[object]()

    async def handler(context: Context, _arguments: object) -> Mapping[str, JsonValue]:
        stores.append(context.store)
        return EMPTY

    calls = dispatcher(tmp_path / "state.sqlite", handler)
    await calls.call(LIST, {})
    await calls.call(LIST, {})
    (tmp_path / "state.sqlite").rename(tmp_path / "old.sqlite")
    await calls.call(LIST, {})
    assert stores[0] is stores[1]
    assert stores[1] is not stores[2]


@pytest.mark.anyio
async def test_the_guide_needs_no_state(tmp_path: Path) -> None:
    """It is answered while the state file cannot be used, and does not create one."""
    state_db = tmp_path / "none/state.sqlite"
    settings = Settings(state_db=state_db)
    state = StateFile(settings)

    def broken() -> None:
        raise CodexStateUnusable("unusable")

    context = Context(settings=settings, actor_id="test", open_store=state.store, summon=broken)
    answer = await Dispatcher(TOOLS, context, state).call("codex_get_agent_contract", {})
    assert not answer.failed
    assert not state_db.parent.exists()
