"""Reviews whose reply, worker or app-server is lost: never two of them, and never one that hangs."""

from collections.abc import AsyncGenerator
from typing import Final

import pytest

from codex_control_plane_contract.types import Workflow
from codex_control_plane_mcp.testing.evidence import end_source, fault, thread_of
from codex_control_plane_mcp.testing.faults.fault import Fault, Script, Subject
from codex_control_plane_mcp.testing.faults.rig import faulty_rig
from codex_control_plane_mcp.testing.prompts import prompt
from codex_control_plane_mcp.testing.rig import ScriptedRig, scripted_rig
from codex_control_plane_mcp.testing.task_client import TaskClient

pytestmark = [pytest.mark.live, pytest.mark.anyio]

REQUEST: Final = Subject("request", "review/start")
REPLY: Final = Subject("reply", "review/start")
COMPLETED: Final = Subject("notification", "turn/completed")
PATIENT: Final = 90.0
"""How long a review may take that is lost and found."""


@pytest.fixture
async def rig() -> AsyncGenerator[ScriptedRig]:
    """A rig for each test, which tries again after a second."""
    async with scripted_rig(CODEX_MCP_RETRY_SECONDS="1") as opened:
        yield opened


async def a_thread(client: TaskClient) -> str:
    """Return a thread with history."""
    task = await client.submit(prompt("say Well begun."))
    return thread_of(await client.wait_until(task["operationId"], "completed"))


def reported(row: Workflow) -> str:
    """Return the text of the report."""
    found = row.get("finalReport")
    assert found is not None, row
    return found["text"]


@pytest.mark.parametrize("inline", [False, True])
@pytest.mark.parametrize(
    "faults",
    [
        (Fault(REPLY, "drop"),),
        (Fault(REPLY, "cut_before"),),
        (Fault(REPLY, "cut_after"),),
        (Fault(REQUEST, "drop"),),
        (Fault(REQUEST, "cut_before"),),
        (Fault(REQUEST, "cut_after"),),
        (Fault(REPLY, "drop"), Fault(COMPLETED, "drop", times=1000)),
    ],
    ids=lambda faults: "-".join(f"{one.subject.kind}-{one.action}" for one in faults),
)
async def test_a_review_whose_messages_are_lost_is_held_once(faults: tuple[Fault, ...], inline: bool) -> None:
    """It is known by its place in the history; where nothing stands in that place it was never begun."""
    async with (
        faulty_rig(Script(faults), CODEX_MCP_RETRY_SECONDS="1", CODEX_MCP_SILENCE_SECONDS="1") as (
            rig,
            codex,
        ),
        rig.open_client() as client,
    ):
        thread = {"thread_id": await a_thread(client)} if inline else {}
        script = prompt("say Once.")
        begun = await client.review(target_type="custom", instructions=script, timeout_seconds=2, **thread)
        row = await client.in_phase(begun["workflowId"], "completed", within=PATIENT)
        assert reported(row) == "Once."
        assert rig.times_seen(script) == 1
        assert faults[0].subject in [one.subject for one in codex.struck()]


async def test_a_review_outlives_its_worker(rig: ScriptedRig) -> None:
    """The next worker finds it at work and takes its report."""
    async with rig.open_client() as client:
        script = prompt("wait killed", "say Survived.")
        begun = await client.review(target_type="custom", instructions=script)
        assert await rig.model.gates.reached("killed", 30)
        await client.in_phase(begun["workflowId"], "reviewing")
        await rig.kill_worker()
        await rig.model.gates.open("killed")
        row = await client.in_phase(begun["workflowId"], "completed", within=PATIENT)
        assert reported(row) == "Survived."
        assert rig.times_seen(script) == 1


async def test_a_review_is_stopped_after_its_worker_died(rig: ScriptedRig) -> None:
    """The next worker asks the history which turn is at work in it, and stops that."""
    async with rig.open_client() as client:
        script = prompt("wait stopped", "say Never.")
        begun = await client.review(target_type="custom", instructions=script)
        assert await rig.model.gates.reached("stopped", 30)
        await client.in_phase(begun["workflowId"], "reviewing")
        await rig.kill_worker()
        stopped = await client.call(
            "codex_interrupt_turn", workflow_id=begun["workflowId"], timeout_seconds=90
        )
        assert stopped["status"] == "interrupted"
        assert "finalReport" not in await client.workflow(begun["workflowId"])


async def test_a_review_that_dies_with_the_app_server_is_reported(rig: ScriptedRig) -> None:
    """Its history shows only the turn at work in it, broken off; it is not begun again unasked."""
    async with rig.open_client() as client:
        script = prompt("wait dying", "say Never.")
        begun = await client.review(target_type="custom", instructions=script)
        assert await rig.model.gates.reached("dying", 30)
        await client.in_phase(begun["workflowId"], "reviewing")
        await rig.kill_app_server()
        row = await client.in_phase(begun["workflowId"], "failed", within=PATIENT)
        task = await client.status(begun["reviewOperationId"])
        assert (task["status"], end_source(task)) == ("interrupted", "after_restart")
        assert fault(task)["code"] == "CODEX_APP_SERVER_UNAVAILABLE"
        assert "finalReport" not in row
        assert rig.times_seen(script) == 1


async def test_a_review_at_the_usage_limit_is_begun_again(rig: ScriptedRig) -> None:
    """It waits for the reset in the queue, and its report is that of the second try."""
    async with rig.open_client() as client:
        rig.model.quota.exhaust(2)
        script = prompt("say After the reset.")
        begun = await client.review(target_type="custom", instructions=script)
        waiting = await client.wait_until(begun["reviewOperationId"], "waiting_for_quota")
        assert "resumesAt" in waiting
        row = await client.workflow(begun["workflowId"])
        assert (row["phase"], row["nextRecommendedAction"]) == ("queued", "wait_for_quota")
        rig.model.quota.restore()
        row = await client.in_phase(begun["workflowId"], "completed", within=PATIENT)
        assert reported(row) == "After the reset."
        assert rig.times_seen(script) == 2
