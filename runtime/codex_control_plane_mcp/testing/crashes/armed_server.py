"""A server with a trap, and a client that does not give up when the server breaks."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import cast

from codex_control_plane_contract.fail_points import FailPoint
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.testing.crashes.wire import Wire
from codex_control_plane_mcp.testing.raw_client import RawClient, ServerSilent
from codex_control_plane_mcp.testing.task_client import CallFailed, TaskClient
from codex_control_plane_mcp.testing.trap import Action

_ARMED = (sys.executable, "-P", "-m", "codex_control_plane_mcp.testing.armed")


def unarmed(role: str) -> list[str]:
    """Return the command that starts a process which takes the same arguments, without a trap."""
    return [*_ARMED, "none", "none", "none", role]


def armed(point: FailPoint, action: Action, wire: Wire, role: str) -> list[str]:
    """Return the command that starts a process with a trap."""
    return [*_ARMED, point, action, str(wire.path), role]


@asynccontextmanager
async def armed_server(
    environment: Mapping[str, str], point: FailPoint, action: Action, wire: Wire, *, other: TaskClient
) -> AsyncGenerator[TaskClient]:
    """Start a server with a trap; give a client that asks ``other`` when that server breaks."""
    with RawClient(environment, command=armed(point, action, wire, "server")) as raw:
        await asyncio.to_thread(raw.initialize)

        async def call(tool: str, arguments: JsonObject) -> JsonObject:
            try:
                result = await asyncio.to_thread(raw.call, tool, arguments)
            except ServerSilent:
                return await _ask(other, tool, arguments)
            content = cast("JsonObject", result["structuredContent"])
            return content if content.get("ok") is True else await _ask(other, tool, arguments)

        killer = asyncio.create_task(_kill_when_held(raw, action, wire), name="killer")
        try:
            yield TaskClient(call, cwd=environment["CODEX_ALLOWED_ROOTS"])
        finally:
            killer.cancel()


async def _ask(other: TaskClient, tool: str, arguments: JsonObject) -> JsonObject:
    """Say it again to another server; what the first one did before it broke may make it refuse."""
    try:
        return await other.call(tool, **arguments)
    except CallFailed as failed:
        return {"ok": False, "error": cast("JsonObject", failed.error)}


async def _kill_when_held(raw: RawClient, action: Action, wire: Wire) -> None:
    if action == "stop" and await wire.sprung(60):
        os.kill(raw.pid, signal.SIGKILL)
