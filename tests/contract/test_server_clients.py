"""The official client, in both protocol generations, against a real server process."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Literal

import anyio
import jsonschema_rs
import pytest
from mcp import Client, StdioServerParameters
from mcp.shared.exceptions import MCPError

from codex_control_plane_contract.contract import CONTRACT_VERSION, INSTRUCTIONS, NAME, TITLE
from codex_control_plane_contract.errors import ERRORS
from codex_control_plane_contract.tools import TOOLS
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.testing.raw_client import COMMAND

GUIDE = "codex_get_agent_contract"
Mode = Literal["legacy", "auto"]


@pytest.fixture(params=["legacy", "auto"])
def mode(request: pytest.FixtureRequest) -> str:
    """The protocol generation: the handshake, or 2026-07-28."""
    return str(request.param)


@asynccontextmanager
async def connected(environment: dict[str, str], mode: Mode) -> AsyncGenerator[Client]:
    """Give a client that is connected to a server of its own."""
    server = StdioServerParameters(command=COMMAND[0], args=[*COMMAND[1:]], env=environment)
    with anyio.fail_after(60):
        async with Client(server, mode=mode) as client:
            yield client


@pytest.mark.anyio
async def test_the_server_introduces_itself(environment: dict[str, str], mode: Mode) -> None:
    """Name, title, version and instructions are those of the spec."""
    async with connected(environment, mode) as client:
        assert client.server_info is not None
        assert (client.server_info.name, client.server_info.title) == (NAME, TITLE)
        assert client.server_info.version
        assert client.instructions == INSTRUCTIONS
        assert (client.protocol_version == "2026-07-28") is (mode == "auto")


@pytest.mark.anyio
async def test_every_tool_says_what_a_client_needs_to_know(environment: dict[str, str], mode: Mode) -> None:
    """Title, description, all four hints, and schemas that every client can take."""
    async with connected(environment, mode) as client:
        listed = (await client.list_tools()).tools
    assert [tool.name for tool in listed] == list(TOOLS)
    for tool in listed:
        assert tool.title
        assert tool.description
        assert len(tool.description) <= 2048
        assert tool.annotations is not None
        hints = tool.annotations.model_dump(exclude={"title"})
        assert None not in hints.values()
        assert tool.output_schema is not None
        for schema in (tool.input_schema, tool.output_schema):
            jsonschema_rs.meta.validate(schema)
            assert schema["type"] == "object"
        assert not {"oneOf", "anyOf", "allOf"} & tool.input_schema.keys()
        assert tool.input_schema["additionalProperties"] is False


@pytest.mark.anyio
async def test_the_guide_says_the_same_twice(environment: dict[str, str], mode: Mode) -> None:
    """The text is the structured result in compact JSON; the client has checked it against the schema."""
    async with connected(environment, mode) as client:
        result = await client.call_tool(GUIDE, {"detail": "full", "include_examples": True})
    assert not result.is_error
    content = result.content[0]
    assert content.type == "text"
    structured: JsonObject = result.structured_content
    assert json.loads(content.text) == structured
    assert json.dumps(structured, ensure_ascii=False, separators=(",", ":")) == content.text
    assert structured["contractVersion"] == CONTRACT_VERSION
    errors = structured["errors"]
    assert isinstance(errors, list)
    assert [error["code"] for error in errors if isinstance(error, dict)] == list(ERRORS)
    assert all(isinstance(error, dict) and error["when"] and error["next"] for error in errors)


@pytest.mark.anyio
async def test_a_failure_fits_the_output_schema_of_its_tool(environment: dict[str, str], mode: Mode) -> None:
    """Some clients check it there and would hide an error that does not fit."""
    async with connected(environment, mode) as client:
        for name, tool in TOOLS.items():
            result = await client.call_tool(name, {"no_such_argument": 1})
            assert result.is_error
            jsonschema_rs.validate(tool.output_schema, result.structured_content)
            assert result.structured_content["error"]["code"] == "INVALID_ARGUMENT"


@pytest.mark.anyio
async def test_an_unknown_tool_is_refused(environment: dict[str, str], mode: Mode) -> None:
    """As a protocol error in both generations."""
    async with connected(environment, mode) as client:
        with pytest.raises(
            MCPError, match=r"Unknown tool: codex_submit\. Did you mean codex_submit_task\?"
        ) as caught:
            await client.call_tool("codex_submit", {})
    assert caught.value.code == -32602


@pytest.mark.anyio
async def test_concurrent_calls_are_all_answered(environment: dict[str, str], mode: Mode) -> None:
    """Fifty at once on one connection."""
    results = list[bool]()

    async def call(client: Client) -> None:
        results.append((await client.call_tool(GUIDE, {})).is_error)

    async with connected(environment, mode) as client, anyio.create_task_group() as calls:
        for _ in range(50):
            calls.start_soon(call, client)
    assert results == [False] * 50
