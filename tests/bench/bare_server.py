"""The yardstick: an MCP server with one echo tool and nothing else, on the SDK alone."""

import json
from typing import Any

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.server.stdio import stdio_server

ECHO = types.Tool(
    name="echo",
    description="Return the arguments.",
    input_schema={"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
    output_schema={"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
)


async def list_tools(
    _context: ServerRequestContext[Any], _params: types.PaginatedRequestParams | None
) -> types.ListToolsResult:
    """Return the one tool."""
    return types.ListToolsResult(tools=[ECHO])


async def call_tool(
    _context: ServerRequestContext[Any], params: types.CallToolRequestParams
) -> types.CallToolResult:
    """Return the arguments, twice, as every tool does."""
    echoed = {"text": (params.arguments or {})["text"]}
    return types.CallToolResult(
        content=[types.TextContent(text=json.dumps(echoed))], structured_content=echoed
    )


async def serve() -> None:
    """Serve stdio until it ends."""
    server = Server("bare", version="0", on_list_tools=list_tools, on_call_tool=call_tool)
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


if __name__ == "__main__":
    anyio.run(serve)
