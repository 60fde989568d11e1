"""A client that vanishes after it has submitted, and another one that comes an hour later."""

from datetime import datetime

import pytest

from codex_control_plane_mcp.testing.crashes.armed_server import unarmed
from codex_control_plane_mcp.testing.evidence import report
from codex_control_plane_mcp.testing.prompts import prompt
from codex_control_plane_mcp.testing.rig import ScriptedRig

pytestmark = [pytest.mark.live, pytest.mark.anyio]

_HOUR_SECONDS = 3600
_LATER = ("--later", str(_HOUR_SECONDS * 1000))


async def test_an_hour_later_everything_is_as_it_was_promised(rig: ScriptedRig) -> None:
    """The work is done, the question is closed by its deadline, and the key still names the first task."""
    done_text = prompt("wait absence", "say Done while nobody looked.")
    asking_text = prompt("ask echo may-i", "say Went on without.")
    async with rig.open_client() as client:
        done = (await client.submit(done_text, client_request_id="absent"))["operationId"]
        asking = (await client.submit(asking_text))["operationId"]
        question = await client.question(asking)
        await client.wait_until(done, "running")
        await rig.kill_server(client)
    await rig.model.gates.open("absence")
    await rig.kill_worker()
    await rig.start_worker(*_LATER, command=unarmed("worker"))
    later = [*unarmed("server"), *_LATER]
    async with rig.open_client(command=later, CODEX_MCP_EXECUTION_MODE="client") as client:
        row = await client.wait_until(done, "completed")
        assert report(row) == "Done while nobody looked."
        again = await client.submit(done_text, client_request_id="absent")
        assert (again["operationId"], again["idempotent"]) == (done, True)
        row = await client.wait_until(asking, "completed")
        assert report(row) == "Went on without."
        assert _seconds(row["updatedAt"]) - _seconds(row["createdAt"]) >= _HOUR_SECONDS
        [closed] = await client.list_interactions(operation_id=asking, status="auto_declined")
        assert closed["interactionId"] == question["interactionId"]
    assert (rig.times_seen(done_text), rig.times_seen(asking_text)) == (1, 1)


def _seconds(timestamp: str) -> float:
    return datetime.fromisoformat(timestamp).timestamp()
