"""What SIGKILL of server, worker and app-server leaves of the work: all of it."""

import pytest

from codex_control_plane_mcp.testing.evidence import end_source, fault, report, thread_of
from codex_control_plane_mcp.testing.prompts import prompt
from codex_control_plane_mcp.testing.rig import ScriptedRig
from codex_control_plane_mcp.testing.sdk_client import Mode
from codex_control_plane_mcp.testing.task_client import PATIENCE

pytestmark = [pytest.mark.live, pytest.mark.anyio]


@pytest.mark.parametrize(("before", "after"), [("auto", "legacy"), ("legacy", "auto")])
async def test_nothing_is_lost_when_server_and_worker_are_killed(
    rig: ScriptedRig, before: Mode, after: Mode
) -> None:
    """A turn goes on without us, an approval waits, and the next server finds both, whatever it speaks."""
    first, second = f"{before}-killed", f"{before}-went-on"
    made = rig.project / f"{before}-made"
    texts = [
        prompt(f"wait {first}", "run echo meanwhile", f"wait {second}", "say Survived."),
        prompt(f"ask touch {made}", "say Answered."),
    ]
    async with rig.open_client(before) as client:
        running = (await client.submit(texts[0]))["operationId"]
        waiting = (await client.submit(texts[1]))["operationId"]
        question = await client.question(waiting)
        await client.wait_until(running, "running")
        await rig.kill_server(client)
        await rig.kill_worker()
    assert await rig.model.gates.reached(first, 20)
    await rig.model.gates.open(first)
    assert await rig.model.gates.reached(second, 20)
    async with rig.open_client(after) as client:
        assert (await client.status(running))["status"] == "running"
        assert await client.list_interactions(operation_id=waiting) == [question]
        await rig.model.gates.open(second)
        assert report(await client.wait_until(running, "completed")) == "Survived."
        answered = await client.answer(question, decision="accept")
        assert answered["answerRecorded"]
        row = await client.wait_until(waiting, "completed")
        assert (report(row), row["attemptCount"], made.exists()) == ("Answered.", 1, True)
    assert [rig.times_seen(text) for text in texts] == [1, 1]


async def test_a_turn_that_ends_while_nobody_looks_is_reported(rig: ScriptedRig) -> None:
    """Its end is read from Codex's history, and the task says so; looking is enough to learn of it."""
    text = prompt("wait unseen", "say Nobody saw this.")
    async with rig.open_client() as client:
        task = (await client.submit(text))["operationId"]
        await client.wait_until(task, "running")
        await rig.kill_server(client)
        await rig.kill_worker()
    size = len(rig.model.requests)
    await rig.model.gates.open("unseen")
    assert size == len(rig.model.requests)
    async with rig.open_client() as client:
        row = await client.wait_until(task, "completed")
    assert report(row) == "Nobody saw this."
    assert rig.times_seen(text) == 1


@pytest.mark.parametrize("starter", ["this server", "another server"])
async def test_a_killed_worker_is_replaced_while_a_client_only_looks(rig: ScriptedRig, starter: str) -> None:
    """The server that lives starts the next worker, whoever started the last; the turn notices nothing."""
    text = prompt(f"wait {starter}", "say Still here.")
    if starter == "this server" and rig.executing_worker() is not None:
        await rig.kill_worker()
    async with rig.open_client(CODEX_MCP_LEASE_SECONDS="2") as client:
        task = (await client.submit(text))["operationId"]
        await client.wait_until(task, "running")
        killed = await rig.kill_worker()
        await rig.model.gates.open(starter)
        row = await client.wait_until(task, "completed")
        [worker] = [one for one in (await client.health())["workers"] if one["executor"]]
    assert worker["pid"] != killed
    assert (report(row), row["attemptCount"]) == ("Still here.", 1)
    assert rig.times_seen(text) == 1


async def test_a_worker_killed_at_any_moment_of_the_start_sends_the_prompt_once(rig: ScriptedRig) -> None:
    """The next worker finds out what became of the prompt before it sends one."""
    texts = [prompt(f"say Start {number}.") for number in range(4)]
    async with rig.open_client() as client:
        for text in texts:
            task = (await client.submit(text))["operationId"]
            await client.wait_until(task, "starting_thread", "starting_turn", "running", "completed")
            await rig.kill_worker()
            row = await client.wait_until(task, "completed")
            assert report(row) == text.partition("say ")[2].partition("\n")[0]
    assert [rig.times_seen(text) for text in texts] == [1] * len(texts)


async def test_a_task_survives_a_server_that_dies_before_it_runs(rig: ScriptedRig) -> None:
    """What was acknowledged is on disk; the next server that starts sees to it without being asked."""
    text = prompt("say Late, but here.")
    async with rig.open_client(CODEX_MCP_EXECUTION_MODE="client") as client:
        if rig.executing_worker() is not None:
            await rig.kill_worker()
        task = await client.submit(text)
        assert task["status"] == "queued"
        await rig.kill_server(client)
    async with rig.open_client() as client:
        await client.wait_until(task["operationId"], "completed")
    assert rig.times_seen(text) == 1


async def test_work_that_dies_with_the_app_server_says_so(rig: ScriptedRig) -> None:
    """No task is left running, no question open, nothing runs twice, and the next task runs."""
    texts = [prompt("wait never", "say Lost."), prompt("ask touch never", "say Lost."), prompt("say Fresh.")]
    async with rig.open_client() as client:
        running = (await client.submit(texts[0]))["operationId"]
        waiting = (await client.submit(texts[1]))["operationId"]
        question = await client.question(waiting)
        await client.wait_until(running, "running")
        generation = (await client.health())["appServer"].get("generation", 0)
        await rig.kill_app_server()
        for task in (running, waiting):
            row = await client.ended(task)
            assert row["status"] == "interrupted"
            assert fault(row)["code"] == "CODEX_APP_SERVER_UNAVAILABLE"
            assert end_source(row) == "after_restart"
        [orphan] = await client.list_interactions(
            operation_id=waiting, status="orphaned_after_app_server_exit"
        )
        assert orphan["interactionId"] == question["interactionId"]
        fresh = (await client.submit(texts[2]))["operationId"]
        await client.wait_until(fresh, "completed")
        assert (await client.health())["appServer"].get("generation") == generation + 1
    assert [rig.times_seen(text) for text in texts] == [1, 1, 1]


async def test_everything_killed_at_once_is_no_different(rig: ScriptedRig) -> None:
    """Server, worker and app-server together: the queue goes on, and what ran ends honestly."""
    texts = [prompt("wait never", "say Lost."), prompt("say Queued.")]
    async with rig.open_client() as client:
        running = (await client.submit(texts[0]))["operationId"]
        row = await client.wait_until(running, "running")
        assert await rig.model.gates.reached("never", PATIENCE)
        queued = (await client.send(thread_of(row), texts[1]))["operationId"]
        await rig.kill_server(client)
        await rig.kill_worker()
        await rig.kill_app_server()
    async with rig.open_client() as client:
        assert (await client.ended(running))["status"] == "interrupted"
        assert report(await client.wait_until(queued, "completed")) == "Queued."
    assert [rig.times_seen(text) for text in texts] == [1, 1]
