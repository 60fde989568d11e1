"""An MCP server for Codex to use, over stdio, whose tools ask: ``python -m …testing.stub_mcp_server``.

`ask` asks the person through a form, `visit` sends them to a URL, and `write` is a tool for which Codex asks
leave itself, because it does not say that it only reads. Each returns what came of it, as text.
"""

import sys
from typing import Any, Final

from mcp.server.mcpserver import Context, MCPServer
from mcp_types import ToolAnnotations

NAME: Final = "stub"
_READS: Final = ToolAnnotations(read_only_hint=True)
_FORM: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"name": {"type": "string", "minLength": 1}},
    "required": ["name"],
}


def codex_settings() -> str:
    """Return the lines of Codex's configuration that make it use this server, and wait until it is there."""
    key = f"mcp_servers.{NAME}"
    run = f'{key}.command = "{sys.executable}"\n{key}.args = ["-P", "-m", "{__name__}"]\n'
    return f"{run}{key}.required = true\n"


def make_server() -> MCPServer[Any]:
    """Return the server with its tools."""
    server: MCPServer[Any] = MCPServer(NAME)

    @server.tool(annotations=_READS)
    async def ask(context: Context[Any, Any]) -> str:
        """Ask for a name."""
        answer = await context.session.elicit_form("What is your name?", _FORM)
        return f"{answer.action}: {answer.content}"

    @server.tool(annotations=_READS)
    async def visit(context: Context[Any, Any]) -> str:
        """Send somebody to a page."""
        answer = await context.session.elicit_url("Log in there.", "https://example.com/login", "visit-1")
        return f"visited: {answer.action}"

    @server.tool()
    async def write(text: str) -> str:
        """Write something."""
        return f"wrote {text}"

    return server


if __name__ == "__main__":
    make_server().run()
