"""The MCP server: the tools of the spec on the SDK's low-level server, for both protocol generations."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import mcp_types as types
from mcp.server.caching import CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.shared.exceptions import MCPError

from codex_control_plane_contract.contract import INSTRUCTIONS, NAME, TITLE
from codex_control_plane_contract.tools import TOOLS, Tool
from codex_control_plane_mcp.server.dispatch import Dispatcher, UnknownTool
from codex_control_plane_mcp.server.listing import LISTED_RESULT, listed_arguments
from codex_control_plane_mcp.version import program_version

_FRESH: Final = CacheHint(ttl_ms=3_600_000, scope="public")
"""Tools change only with the program, so every client may keep the list for an hour."""

_FULLEST: Final = "codex_submit_task"
"""The tool whose arguments the list describes once for all tools."""

RequestContext = ServerRequestContext[dict[str, Any]]


def build_server(dispatcher: Dispatcher, tools: Mapping[str, Tool] = TOOLS) -> Server[dict[str, Any]]:
    """Return the server of `tools`, whose calls `dispatcher` answers."""

    @cache
    def listed() -> types.ListToolsResult:
        return types.ListToolsResult(tools=[_described(tool) for tool in tools.values()])

    async def list_tools(
        _context: RequestContext, _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return listed()

    async def call_tool(
        _context: RequestContext, params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        try:
            answer = await dispatcher.call(params.name, params.arguments or {})
        except UnknownTool as unknown:
            raise MCPError(types.INVALID_PARAMS, str(unknown)) from None
        return types.CallToolResult(
            content=[types.TextContent(text=answer.text)],
            structured_content=answer.content,
            is_error=answer.failed,
        )

    return Server(
        NAME,
        version=program_version(),
        title=TITLE,
        instructions=INSTRUCTIONS,
        cache_hints={"tools/list": _FRESH, "server/discover": _FRESH},
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _described(tool: Tool) -> types.Tool:
    fullest = TOOLS[_FULLEST]
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=listed_arguments(tool.input_schema, None if tool is fullest else fullest.input_schema),
        output_schema=LISTED_RESULT,
        annotations=types.ToolAnnotations(
            read_only_hint=tool.annotations["readOnlyHint"],
            destructive_hint=tool.annotations["destructiveHint"],
            idempotent_hint=tool.annotations["idempotentHint"],
            open_world_hint=tool.annotations["openWorldHint"],
        ),
    )
