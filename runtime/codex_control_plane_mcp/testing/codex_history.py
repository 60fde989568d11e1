"""What Codex itself holds of a thread, read behind everybody's back."""

from codex_control_plane_mcp.codex.app_server_record import RunningAppServer
from codex_control_plane_mcp.codex.connection import Connection
from codex_control_plane_mcp.codex.json_types import JsonObject, JsonValue


async def labels(running: RunningAppServer, thread_id: str) -> list[str]:
    """Return the `clientUserMessageId` of every prompt in a thread, the oldest first."""
    connection = await Connection.open(running.socket_path, client_version="test", opt_out=())
    try:
        params = {"threadId": thread_id, "limit": 100, "sortDirection": "asc", "itemsView": "full"}
        page = await connection.call("thread/turns/list", params)
    finally:
        await connection.close()
    items = [item for turn in _objects(page["data"]) for item in _objects(turn.get("items"))]
    return [str(item.get("clientId")) for item in items if item.get("type") == "userMessage"]


def _objects(value: JsonValue) -> list[JsonObject]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
