"""What nobody can find out is said, waits, and is decided by an operator: with a real Codex in the way."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from codex_control_plane_mcp.cli.__main__ import main
from codex_control_plane_mcp.testing.evidence import fault, report, thread_of
from codex_control_plane_mcp.testing.other_codex import held_elsewhere
from codex_control_plane_mcp.testing.prompts import prompt
from codex_control_plane_mcp.testing.rig import ScriptedRig, scripted_rig
from codex_control_plane_mcp.testing.task_client import PATIENCE, TaskClient

pytestmark = [pytest.mark.live, pytest.mark.anyio]


@pytest.fixture
async def rig() -> AsyncGenerator[ScriptedRig]:
    """A rig in which a worker runs only when a test starts one."""
    async with scripted_rig(CODEX_MCP_EXECUTION_MODE="client") as opened:
        yield opened


def resolve(rig: ScriptedRig, *arguments: str) -> int:
    """Run the operator's command on the rig's state file."""
    return main(["resolve", *arguments, "--state-db", str(rig.store.path)])


async def in_doubt(client: TaskClient, operation_id: str) -> list[str]:
    """Wait until a task says which evidence is missing; return the choices that it offers."""
    async with asyncio.timeout(PATIENCE):
        # A doubt is no change of state, so a waiting call does not end with it.
        while "lastError" not in (row := await client.status(operation_id, wait_seconds=1)):
            pass
    details = fault(row)["details"]
    assert str(details["missingEvidence"]).startswith("how the turn ended; missing is thread/turns/list")
    choices = details["resolveChoices"]
    assert isinstance(choices, list)
    return [str(choice) for choice in choices]


async def test_a_turn_in_a_thread_that_another_codex_keeps_is_decided_by_an_operator(
    rig: ScriptedRig,
) -> None:
    """The task says what is missing and waits; declared lost it ends, and its request can be repeated."""
    text = prompt("wait a decision", "say Decided.")
    async with rig.open_client() as client:
        await rig.start_worker()
        task = (await client.submit(text))["operationId"]
        thread_id = thread_of(await client.wait_until(task, "running"))
        assert await rig.model.gates.reached("a decision", PATIENCE)
        await rig.kill_worker()
        await rig.kill_app_server()
        async with held_elsewhere(rig, thread_id):
            await rig.start_worker()
            assert await in_doubt(client, task) == ["declare_lost"]
            assert (await client.status(task))["status"] == "running"
            assert await asyncio.to_thread(resolve, rig, task, "declare_lost", "--reason", "a test") == 0
            row = await client.ended(task)
        assert row["status"] == "unknown_after_app_server_exit"
        assert fault(row)["details"]["resolveChoices"] == ["submit_again"]
        await rig.model.gates.open("a decision")
        assert await asyncio.to_thread(resolve, rig, task, "submit_again", "--reason", "a test") == 0
        with rig.store.read() as reader:
            again = reader.replacement_of(task)
        assert again is not None
        assert report(await client.wait_until(again.operation_id, "completed")) == "Decided."


async def test_a_doubt_goes_away_by_itself(rig: ScriptedRig) -> None:
    """Once the other Codex lets go of the thread, its history decides, and nobody has to."""
    text = prompt("wait for long", "say Never.")
    async with rig.open_client() as client:
        await rig.start_worker()
        task = (await client.submit(text, recovery_policy="report"))["operationId"]
        thread_id = thread_of(await client.wait_until(task, "running"))
        assert await rig.model.gates.reached("for long", PATIENCE)
        await rig.kill_worker()
        await rig.kill_app_server()
        async with held_elsewhere(rig, thread_id):
            await rig.start_worker()
            await in_doubt(client, task)
        row = await client.ended(task)
    assert row["status"] == "interrupted"
    assert "missingEvidence" not in fault(row)["details"]
    assert rig.times_seen(text) == 1
