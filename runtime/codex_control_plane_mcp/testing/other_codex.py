"""Another Codex on the same home, which holds a thread that a worker wants."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from codex_control_plane_mcp.codex.connection import Connection
from codex_control_plane_mcp.testing.live_app_server import end_live, start_live
from codex_control_plane_mcp.testing.rig import ScriptedRig


@asynccontextmanager
async def held_elsewhere(rig: ScriptedRig, thread_id: str) -> AsyncGenerator[None]:
    """Let another Codex be the writer of a thread, which no app-server of the rig may hold."""
    elsewhere = rig.directory / "elsewhere"
    elsewhere.mkdir(mode=0o700, exist_ok=True)
    try:
        running = await start_live(elsewhere, rig.home)
        async with await Connection.open(running.socket_path, client_version="other") as other:
            await other.call("thread/resume", {"threadId": thread_id})
            yield
    finally:
        await end_live(elsewhere)
