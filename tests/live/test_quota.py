"""The usage limit ends a turn: the task waits for the reset and goes on once, whoever dies meanwhile."""

from collections.abc import AsyncGenerator

import pytest

from codex_control_plane_contract.codex import CONTINUATION_PROMPT
from codex_control_plane_contract.types import Operation
from codex_control_plane_mcp.handlers.times import timestamp
from codex_control_plane_mcp.testing.codex_history import labels
from codex_control_plane_mcp.testing.evidence import fault, report, thread_of
from codex_control_plane_mcp.testing.prompts import prompt
from codex_control_plane_mcp.testing.rig import ScriptedRig, scripted_rig
from codex_control_plane_mcp.testing.task_client import TaskClient

pytestmark = [pytest.mark.live, pytest.mark.anyio]

LATER = 3600


@pytest.fixture
async def rig() -> AsyncGenerator[ScriptedRig]:
    """A rig of its own for each test, since a limit is everybody's; unknown resets are a second away."""
    settings = {"RETRY_SECONDS": "1", "QUOTA_RETRY_SECONDS": "1", "QUOTA_RETRIES": "2", "LEASE_SECONDS": "2"}
    async with scripted_rig(**{f"CODEX_MCP_{name}": value for name, value in settings.items()}) as opened:
        yield opened


def prompts_of(rig: ScriptedRig, row: Operation) -> list[str]:
    """Return every prompt of a task that reached the model, in order, also those that it refused."""
    thread = thread_of(row)
    return [
        each.user_text for each in rig.model.requests if each.thread_id == thread and not each.tool_outputs
    ]


async def labels_of(rig: ScriptedRig, row: Operation) -> list[str]:
    """Return the labels of the prompts in Codex's own history of the task's thread."""
    running = await rig.app_server()
    assert running is not None
    return await labels(running, thread_of(row))


def attempts_of(rig: ScriptedRig, task: str) -> list[str]:
    """Return the calls of turn/start that Codex took, the oldest first."""
    with rig.store.read() as reader:
        calls = reader.attempts_of(task, "turn_start")
    return [call.attempt_id for call in reversed(calls) if call.state == "accepted"]


async def waiting(client: TaskClient, task: str) -> Operation:
    """Return the task once it waits for quota."""
    return await client.wait_until(task, "waiting_for_quota")


async def test_a_task_goes_on_when_the_limit_is_reset(rig: ScriptedRig) -> None:
    """It shows when, and then goes on on its thread; what the thread holds is not said twice."""
    text = prompt("say Never.") + "\nnext: say After the reset."
    rig.model.quota.exhaust(2)
    async with rig.open_client() as client:
        task = (await client.submit(text))["operationId"]
        row = await waiting(client, task)
        assert row.get("resumesAt") == timestamp((rig.model.quota.resets_at or 0) * 1000)
        assert row["nextRecommendedAction"] == "wait_for_quota"
        assert 1 <= row["recommendedPollAfterSeconds"] <= 3
        assert row["phase"] == "waiting"
        assert "usage limit" in fault(row)["message"]
        health = await client.health()
        assert health["activeWork"]["waitingForQuotaCount"] == 1
        assert [one["id"] for one in health["findings"]] == ["usage_limit"]
        done = await client.wait_until(task, "completed")
        assert (await client.health())["overallStatus"] == "healthy"
    assert report(done) == "After the reset."
    assert rig.model.quota.refusals == 1
    assert prompts_of(rig, done) == [text, CONTINUATION_PROMPT]
    assert await labels_of(rig, done) == attempts_of(rig, task)


async def test_a_limit_in_the_middle_of_the_work_is_waited_for(rig: ScriptedRig) -> None:
    """What was done before stays in the thread; the next turn only goes on."""
    text = prompt("wait before", "run echo work", "say Never.") + "\nnext: say The rest."
    async with rig.open_client() as client:
        task = (await client.submit(text))["operationId"]
        assert await rig.model.gates.reached("before", 20)
        rig.model.quota.exhaust(2)
        await rig.model.gates.open("before")
        first = await waiting(client, task)
        row = await client.wait_until(task, "completed")
    assert report(row) == "The rest."
    assert row.get("continuationState", {}).get("earlierTurnIds") == first.get("continuationState", {}).get(
        "earlierTurnIds"
    )
    assert prompts_of(rig, row) == [text, CONTINUATION_PROMPT]
    assert await labels_of(rig, row) == attempts_of(rig, task)


async def test_a_limit_survives_every_process(rig: ScriptedRig) -> None:
    """Server, worker and app-server are killed while the task waits; the time is kept and it goes on once."""
    text = prompt("say Never.") + "\nnext: say Still here."
    rig.model.quota.exhaust(3)
    async with rig.open_client() as client:
        task = (await client.submit(text))["operationId"]
        first = await waiting(client, task)
        await rig.kill_server(client)
        await rig.kill_worker()
        await rig.kill_app_server()
    async with rig.open_client() as client:
        assert (await client.status(task)).get("resumesAt") == first.get("resumesAt")
        row = await client.wait_until(task, "completed")
    assert report(row) == "Still here."
    assert prompts_of(rig, row) == [text, CONTINUATION_PROMPT]
    assert await labels_of(rig, row) == attempts_of(rig, task)


async def test_a_worker_killed_after_the_reset_changes_nothing(rig: ScriptedRig) -> None:
    """However far the continuation had come, the next worker neither loses nor repeats it."""
    text = prompt("say Never.") + "\nnext: say Once."
    async with rig.open_client() as client:
        rig.model.quota.exhaust(1)
        task = (await client.submit(text))["operationId"]
        await waiting(client, task)
        await client.wait_until(task, "starting_thread", "starting_turn", "running", "completed")
        await rig.kill_worker()
        row = await client.wait_until(task, "completed")
    assert prompts_of(rig, row) == [text, CONTINUATION_PROMPT]
    assert await labels_of(rig, row) == attempts_of(rig, task)


async def test_a_limit_that_is_met_while_nobody_looks_is_waited_for(rig: ScriptedRig) -> None:
    """Only the message of the error tells the time then, to the minute; it is found in the thread."""
    text = prompt("wait unseen", "run true", "say Never.")
    async with rig.open_client() as client:
        task = (await client.submit(text))["operationId"]
        assert await rig.model.gates.reached("unseen", 20)
        await rig.kill_server(client)
        await rig.kill_worker()
    rig.model.quota.exhaust(LATER)
    await rig.model.gates.open("unseen")
    async with rig.open_client() as client:
        row = await waiting(client, task)
        assert row.get("resumesAt") == timestamp(((rig.model.quota.resets_at or 0) // 60 + 1) * 60_000)
        assert (await client.interrupt(task))["status"] == "interrupted"
    assert prompts_of(rig, row) == [text]


async def test_a_task_that_waits_for_quota_can_be_stopped(rig: ScriptedRig) -> None:
    """Codex has had a turn of it, so it is interrupted; by its id or by its last turn, and for good."""
    rig.model.quota.exhaust(LATER)
    texts = [prompt("say Never."), prompt("say Never.")]
    async with rig.open_client() as client:
        tasks = [(await client.submit(text))["operationId"] for text in texts]
        rows = [await waiting(client, task) for task in tasks]
        assert (await client.interrupt(tasks[0]))["status"] == "interrupted"
        [turn_id] = rows[1].get("continuationState", {}).get("earlierTurnIds", [])
        named = await client.call("codex_interrupt_turn", thread_id=thread_of(rows[1]), turn_id=turn_id)
        assert (named["status"], named["turnId"]) == ("interrupted", turn_id)
        ended = await client.status(tasks[0])
        assert "resumesAt" not in ended
        assert (await client.health())["activeWork"]["waitingForQuotaCount"] == 0
    assert [rig.times_seen(text) for text in texts] == [1, 1]


async def test_a_limit_without_a_time_is_tried_again_within_bounds(rig: ScriptedRig) -> None:
    """Each try waits longer than the last; then the task fails with what Codex said."""
    rig.model.quota.exhaust()
    text = prompt("say Never.")
    async with rig.open_client() as client:
        task = (await client.submit(text))["operationId"]
        first = await waiting(client, task)
        assert first.get("continuationState", {}).get("quotaRetryCount") == 1
        row = await client.wait_until(task, "failed")
    assert "usage limit" in fault(row)["message"]
    assert fault(row)["details"] == {"codexErrorInfo": "usageLimitExceeded"}
    assert prompts_of(rig, row) == [text, CONTINUATION_PROMPT, CONTINUATION_PROMPT]
    assert await labels_of(rig, row) == attempts_of(rig, task)


async def test_a_limit_without_a_time_that_is_lifted_is_noticed(rig: ScriptedRig) -> None:
    """The next try finds it lifted, and the task completes."""
    rig.model.quota.exhaust()
    text = prompt("say Never.") + "\nnext: say Lifted."
    async with rig.open_client() as client:
        task = (await client.submit(text))["operationId"]
        await waiting(client, task)
        rig.model.quota.restore()
        row = await client.wait_until(task, "completed")
    assert report(row) == "Lifted."
    assert prompts_of(rig, row) == [text, CONTINUATION_PROMPT]


async def test_a_waiting_task_holds_no_slot(rig: ScriptedRig) -> None:
    """With one slot in all, another task runs while the first waits."""
    rig.environment["CODEX_MCP_MAX_ACTIVE_TURNS_GLOBAL"] = "1"
    rig.model.quota.exhaust(LATER)
    async with rig.open_client() as client:
        task = (await client.submit(prompt("say Never.")))["operationId"]
        await waiting(client, task)
        rig.model.quota.restore()
        other = (await client.submit(prompt("say Meanwhile.")))["operationId"]
        assert report(await client.wait_until(other, "completed")) == "Meanwhile."
        assert (await client.interrupt(task))["status"] == "interrupted"
