"""A task over bare JSON-RPC, without an SDK in between, in both generations."""

import asyncio
from collections.abc import Callable, Generator
from typing import cast

import pytest

from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.testing.evidence import report
from codex_control_plane_mcp.testing.prompts import prompt
from codex_control_plane_mcp.testing.raw_client import RawClient, envelope
from codex_control_plane_mcp.testing.rig import ScriptedRig
from codex_control_plane_mcp.testing.task_client import TaskClient

pytestmark = [pytest.mark.live, pytest.mark.anyio]


@pytest.fixture(params=["2025-11-25", "2026-07-28"])
def raw(rig: ScriptedRig, request: pytest.FixtureRequest) -> Generator[TaskClient]:
    """A client that writes and reads lines, with the handshake or with an envelope for each request."""
    with RawClient(rig.environment) as client:
        meta: JsonObject = {}
        if request.param == "2025-11-25":
            client.initialize(request.param)
        else:
            meta = {"_meta": envelope(request.param)}

        def ask(tool: str, arguments: JsonObject) -> JsonObject:
            answer = client.request("tools/call", {"name": tool, "arguments": arguments, **meta})
            return cast("JsonObject", cast("JsonObject", answer["result"])["structuredContent"])

        async def call(tool: str, arguments: JsonObject) -> JsonObject:
            return await asyncio.to_thread(
                cast("Callable[[str, JsonObject], JsonObject]", ask), tool, arguments
            )

        yield TaskClient(call, cwd=str(rig.project), server_pid=client.pid)


async def test_a_task_asks_and_ends(rig: ScriptedRig, raw: TaskClient) -> None:
    """Submit, wait, answer, report: nothing of it needs an SDK."""
    text = prompt("ask echo leave", "say Done by hand.")
    task = await raw.submit(text)
    await raw.answer(await raw.question(task["operationId"]), decision="accept")
    row = await raw.wait_until(task["operationId"], "completed")
    assert report(row) == "Done by hand."
    assert (await raw.health())["overallStatus"] == "healthy"
    assert rig.times_seen(text) == 1
