"""The official SDK's client on a real server process whose pid is known."""

import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Literal, TypeAlias, cast

from mcp import Client, StdioServerParameters

from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.testing.task_client import ToolCall

Mode: TypeAlias = Literal["auto", "legacy"]
"""The protocol generation: `auto` takes the newest that both sides speak, `legacy` the handshake of 2025."""

COMMAND: Final = (sys.executable, "-m", "codex_control_plane_mcp.server")
"""How the server is started."""

_RECORDED: Final = 'echo $$ > "$0"; exec "$@"'
# The SDK keeps the process to itself, so the process tells who it is before it becomes the server.


@asynccontextmanager
async def connect(
    environment: Mapping[str, str], *, mode: Mode, pid_file: Path, command: Sequence[str] = COMMAND
) -> AsyncGenerator[ToolCall]:
    """Start a server and connect to it as any client does; the server's pid is in `pid_file` then.

    What the block raises is raised as it is, without the exception groups of the SDK's tasks around it.
    """
    server = StdioServerParameters(
        command="/bin/sh", args=["-c", _RECORDED, str(pid_file), *command], env=dict(environment)
    )
    try:
        async with Client(server, mode=mode) as client:

            async def call(tool: str, arguments: JsonObject) -> JsonObject:
                result = await client.call_tool(tool, arguments)
                return cast("JsonObject", result.structured_content)

            yield call
    except ExceptionGroup as group:
        raise _first(cast("Exception", group)) from None


def _first(error: Exception) -> Exception:
    """Return the first exception in a group that is no group."""
    if not isinstance(error, ExceptionGroup):
        return error
    return _first(cast("ExceptionGroup[Exception]", error).exceptions[0])
