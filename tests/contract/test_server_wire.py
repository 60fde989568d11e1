"""What no SDK sends: the server answers it, and lives."""

import json
from typing import cast

import pytest

from codex_control_plane_contract.tools import TOOLS
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.server.lines import LINE_LIMIT
from codex_control_plane_mcp.testing.raw_client import RawClient, envelope

GUIDE = "codex_get_agent_contract"
STATUS = "codex_get_operation_status"


def error_of(answer: JsonObject) -> tuple[object, object]:
    """Return the id and the code of a JSON-RPC error."""
    return answer["id"], cast("JsonObject", answer["error"])["code"]


def failure_of(result: JsonObject) -> JsonObject:
    """Return the error of a failed tool call, which says the same in both of its forms."""
    assert result["isError"] is True
    content = cast("list[JsonObject]", result["content"])
    structured = cast("JsonObject", result["structuredContent"])
    assert json.loads(cast("str", content[0]["text"])) == structured
    assert structured["ok"] is False
    return cast("JsonObject", structured["error"])


def assert_alive(raw: RawClient) -> None:
    """Show that the server still answers."""
    assert cast("JsonObject", raw.call(GUIDE, {})["structuredContent"])["ok"] is True


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"{", -32700),
        (b"no json at all", -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping"', -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":NaN}}', -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":1e999}}', -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":' + b"9" * 5000 + b"}}", -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"p\xff\xfeing"}', -32700),
        (b"\x00\x01\x02", -32700),
        (b"[" * 100_000, -32700),
        (b"[]", -32600),
        (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600),
        (b'"text"', -32600),
        (b"{}", -32600),
        (b'{"jsonrpc":"2.0","method":3}', -32600),
        (b'{"jsonrpc":"1.0","result":{}}', -32600),
        (b'{"jsonrpc":"2.0","id":true,"method":3}', -32600),
        (b"x" * (LINE_LIMIT + 1), -32600),
    ],
)
def test_a_broken_line_is_answered(raw: RawClient, line: bytes, code: int) -> None:
    """The answer is a JSON-RPC error without an id; the connection goes on."""
    raw.initialize()
    raw.send_bytes(line + b"\n")
    assert error_of(raw.receive()) == (None, code)
    assert_alive(raw)


@pytest.mark.parametrize("request_id", [77, "a", "", "\x00", "\u202e", "\ud800"])
def test_a_request_is_answered_under_its_id(raw: RawClient, request_id: int | str) -> None:
    """Its sender waits for that id, be the request right, unknown or broken."""
    raw.initialize()
    for version, method, code in (("2.0", "no/such/\ud800", -32601), ("1.0", "ping", -32600)):
        raw.send({"jsonrpc": version, "id": request_id, "method": method})
        assert error_of(raw.receive()) == (request_id, code)
    assert_alive(raw)


def test_a_broken_line_may_be_the_first_one(raw: RawClient) -> None:
    """The protocol generation is still chosen by the first request."""
    raw.send_bytes(b"{\n\n  \r\n")
    assert error_of(raw.receive()) == (None, -32700)
    raw.initialize()
    assert_alive(raw)


def test_an_overlong_line_does_not_grow_the_server(raw: RawClient) -> None:
    """Sixteen times the limit is read and thrown away."""
    raw.initialize()
    for _ in range(16):
        raw.send_bytes(b"x" * LINE_LIMIT)
    raw.send_bytes(b"\n")
    assert error_of(raw.receive()) == (None, -32600)
    assert_alive(raw)


def test_a_request_in_pieces_is_one_request(raw: RawClient) -> None:
    """Lines end at line feeds and nowhere else."""
    raw.initialize()
    for byte in b'{"jsonrpc":"2.0","id":"a","method":"ping"}\r\n':
        raw.send_bytes(bytes([byte]))
    assert raw.receive() == {"jsonrpc": "2.0", "id": "a", "result": {}}


def test_an_unknown_tool_is_a_protocol_error_that_names_the_nearest(raw: RawClient) -> None:
    """The protocol prescribes -32602."""
    raw.initialize()
    answer = raw.request("tools/call", {"name": "codex_get_operation_state", "arguments": {}})
    error = cast("JsonObject", answer["error"])
    assert error["code"] == -32602
    assert (
        error["message"]
        == "Unknown tool: codex_get_operation_state. Did you mean codex_get_operation_status?"
    )
    for name in ("", "\x00", "\u202e", "x" * 100_000):
        assert error_of(raw.request("tools/call", {"name": name, "arguments": {}}))[1] == -32602
    assert error_of(raw.request("tools/call", {"name": "\ud800", "arguments": {}}))[1] == -32602
    assert_alive(raw)


@pytest.mark.parametrize(
    ("tool", "arguments", "path", "said"),
    [
        (STATUS, {}, "operation_id", "operation_id is required."),
        (STATUS, {"operationId": "op_1"}, "operationId", "Did you mean operation_id?"),
        (STATUS, {"operation_id": 3}, "operation_id", "is an integer, but must be a string"),
        (STATUS, {"operation_id": None}, "operation_id", "is null, but must be a string"),
        (STATUS, {"operation_id": ""}, "operation_id", "needs 1 at least"),
        (STATUS, {"operation_id": "x" * 101}, "operation_id", "has 101 characters, but may have 100 at most"),
        (STATUS, {"operation_id": "x", "wait_seconds": 46}, "wait_seconds", "must be 45 or less"),
        (STATUS, {"operation_id": "x", "wait_seconds": -1}, "wait_seconds", "must be 0 or more"),
        (
            STATUS,
            {"operation_id": "x", "wait_seconds": 1.5},
            "wait_seconds",
            "is a number, but must be an integer",
        ),
        (STATUS, {"operation_id": "x", "wait_seconds": True}, "wait_seconds", "is a boolean"),
        (STATUS, {"operation_id": "a\ud800"}, "operation_id", "lone surrogate"),
        (STATUS, {"operation_id": "x", "\ud800": 1}, "arguments", "lone surrogate"),
        (
            "codex_submit_task",
            {"operation_type": "start_chat", "message": "x" * 200_001},
            "message",
            "200001",
        ),
        (
            "codex_submit_task",
            {"operation_type": "start-chat", "message": "x"},
            "operation_type",
            "mean start_chat?",
        ),
        (
            "codex_submit_task",
            {"operation_type": "start_chat", "message": "x", "forse": 1},
            "forse",
            "not an argument",
        ),
        (
            "codex_answer_pending_interaction",
            {"interaction_id": "x", "answers": {"q": ["a", 3]}},
            "answers.q[1]",
            "must be a string",
        ),
    ],
)
def test_arguments_that_do_not_fit_are_explained(
    raw: RawClient, tool: str, arguments: JsonObject, path: str, said: str
) -> None:
    """The answer is INVALID_ARGUMENT, names the path, and is short whatever was sent."""
    raw.initialize()
    error = failure_of(raw.call(tool, arguments))
    assert error["code"] == "INVALID_ARGUMENT"
    assert error["retryable"] is False
    assert cast("JsonObject", error["details"])["path"] == path
    assert said in cast("str", error["message"])
    assert len(json.dumps(error)) < 2000


def test_allowed_lists_what_fits(raw: RawClient) -> None:
    """An unknown argument lists the known ones; a wrong word lists the right ones."""
    raw.initialize()
    details = failure_of(raw.call(GUIDE, {"details": "full"}))["details"]
    assert details == {"path": "details", "allowed": ["client_type", "detail", "include_examples"]}
    details = failure_of(raw.call(GUIDE, {"detail": "all"}))["details"]
    assert details == {"path": "detail", "allowed": ["compact", "full"]}


def test_a_deep_nesting_is_refused_as_an_argument_or_as_json(raw: RawClient) -> None:
    """Neither reader nor validator runs out of stack."""
    raw.initialize()
    for depth in (100, 400, 900, 2000, 50_000):
        content = b'{"a":' * depth + b"1" + b"}" * depth
        raw.send_bytes(
            b'{"jsonrpc":"2.0","id":"d","method":"tools/call","params":{"name":"codex_answer_pending_interaction",'
            b'"arguments":{"decision":1,"interaction_id":"x","content":' + content + b"}}}\n"
        )
        answer = raw.receive()
        if "error" in answer:
            assert error_of(answer)[1] in (-32700, -32602)
        else:
            assert failure_of(cast("JsonObject", answer["result"]))["code"] == "INVALID_ARGUMENT"
    assert_alive(raw)


@pytest.mark.parametrize(
    "name", ["Ωmega 🎉", "\x00", "\u202eevil\u202c", "'; DROP TABLE operation; --", "%s{0}"]
)
def test_hostile_texts_pass_as_texts(raw: RawClient, name: str) -> None:
    """They are neither refused nor damaged nor run."""
    raw.initialize()
    assert raw.call(GUIDE, {"client_type": name})["isError"] is False
    failure = failure_of(raw.call(GUIDE, {name: 1}))
    assert failure["code"] == "INVALID_ARGUMENT"
    assert cast("JsonObject", failure["details"])["path"] == name


def test_an_integral_float_is_an_integer(raw: RawClient) -> None:
    """1.0 and 1 are the same number in JSON Schema."""
    raw.initialize()
    failure = failure_of(
        raw.call(STATUS, {"operation_id": "op_x", "wait_seconds": 0.0, "last_messages": 99.0})
    )
    assert cast("JsonObject", failure["details"])["path"] == "last_messages"


def test_calls_on_one_connection_run_at_once(raw: RawClient) -> None:
    """A hundred calls are sent before the first answer is read, and each is answered under its id."""
    raw.initialize()
    for number in range(100):
        arguments: JsonObject = {"detail": "full"} if number % 2 else {"detail": "wrong"}
        params: JsonObject = {"name": GUIDE, "arguments": arguments}
        raw.send({"jsonrpc": "2.0", "id": f"call-{number}", "method": "tools/call", "params": params})
    answers = raw.receive_all(f"call-{number}" for number in range(100))
    for number in range(100):
        result = cast("JsonObject", answers[f"call-{number}"]["result"])
        assert result["isError"] is (number % 2 == 0)


def test_the_newer_generation_is_served_without_a_handshake(raw: RawClient) -> None:
    """Every request carries its own envelope."""
    discovered = raw.request("server/discover", {"_meta": envelope()})["result"]
    assert cast("JsonObject", discovered)["supportedVersions"] == ["2026-07-28"]
    listed = cast("JsonObject", raw.request("tools/list", {"_meta": envelope()})["result"])
    assert (listed["cacheScope"], listed["ttlMs"]) == ("public", 3_600_000)
    params: JsonObject = {"name": GUIDE, "arguments": {}, "_meta": envelope()}
    result = cast("JsonObject", raw.request("tools/call", params)["result"])
    assert result["resultType"] == "complete"


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2099-01-01"])
def test_every_handshake_version_lists_all_tools(raw: RawClient, version: str) -> None:
    """One output schema that an old version cannot take would hide every tool."""
    opened = raw.initialize(version)
    assert opened["protocolVersion"] == (version if version < "2026" else "2025-11-25")
    listed = cast("JsonObject", raw.request("tools/list")["result"])
    tools = cast("list[JsonObject]", listed["tools"])
    assert [tool["name"] for tool in tools] == list(TOOLS)


def test_nothing_but_messages_is_written_to_stdout(raw: RawClient) -> None:
    """And nothing at all to stderr."""
    raw.initialize()
    assert_alive(raw)
    raw.close_input()
    assert raw.exit_code() == 0
    assert raw.stderr == ""
