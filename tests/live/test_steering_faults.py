"""Words and copies whose replies or processes are lost: never twice, never reported as what they are not."""

from collections.abc import AsyncGenerator, Sequence

import pytest

from codex_control_plane_contract.types import Turn
from codex_control_plane_mcp.testing.crashes.verdict import awaited
from codex_control_plane_mcp.testing.evidence import fault, report, thread_of
from codex_control_plane_mcp.testing.faults.fault import Action, Fault, Kind, Script, Subject
from codex_control_plane_mcp.testing.faults.rig import faulty_rig
from codex_control_plane_mcp.testing.prompts import prompt
from codex_control_plane_mcp.testing.rig import ScriptedRig, scripted_rig
from codex_control_plane_mcp.testing.task_client import PATIENCE, TaskClient

pytestmark = [pytest.mark.live, pytest.mark.anyio]


@pytest.fixture
async def rig() -> AsyncGenerator[ScriptedRig]:
    """A rig for each test, which tries again after a second."""
    async with scripted_rig(CODEX_MCP_RETRY_SECONDS="1") as opened:
        yield opened


async def held_turn(rig: ScriptedRig, client: TaskClient, gate: str) -> tuple[str, Turn]:
    """Return a task and its turn, in which the model is held at a gate."""
    task = (await client.submit(prompt(f"wait {gate}", "say Not steered.")))["operationId"]
    turn = await client.turn_of(task)
    assert await rig.model.gates.reached(gate, PATIENCE)
    return task, turn


async def called(rig: ScriptedRig, operation_id: str, states: Sequence[str]) -> None:
    """Return once the call that hands the words over is in one of these states."""

    def is_so() -> bool:
        with rig.store.read() as reader:
            return any(one.state in states for one in reader.attempts_of(operation_id, "turn_steer"))

    assert await awaited(rig.store, is_so, PATIENCE), f"no call of {operation_id} is {states}"


@pytest.mark.parametrize(("kind", "arrives"), [("reply", True), ("request", False)])
async def test_words_whose_reply_does_not_come_are_settled_by_the_history(kind: Kind, arrives: bool) -> None:
    """Those that Codex has taken are found in the turn; those that never came are not said again."""
    lost: tuple[Subject, Action] = (Subject(kind, "turn/steer"), "drop")
    async with (
        faulty_rig(Script((Fault(*lost),)), CODEX_MCP_RETRY_SECONDS="1") as (rig, _),
        rig.open_client() as client,
    ):
        task, turn = await held_turn(rig, client, "lost")
        words = prompt("say Steered.")
        steer = (await client.steer(turn, words, timeout_seconds=1))["operationId"]
        await called(rig, steer, ["unknown", "accepted"])
        await rig.model.gates.open("lost")
        row = await client.ended(steer)
        assert row["status"] == ("completed" if arrives else "failed")
        ended = await client.wait_until(task, "completed")
        assert report(ended) == ("Steered." if arrives else "Not steered.")
        assert rig.times_seen(words) == int(arrives)


async def test_words_that_outlive_their_worker_are_said_once() -> None:
    """The next worker finds them in the turn, though nobody has heard that Codex took them."""
    lost = Fault(Subject("reply", "turn/steer"), "drop")
    async with (
        faulty_rig(Script((lost,)), CODEX_MCP_RETRY_SECONDS="1") as (rig, _),
        rig.open_client() as client,
    ):
        task, turn = await held_turn(rig, client, "worker")
        words = prompt("wait words", "say Steered.")
        steer = (await client.steer(turn, words))["operationId"]
        assert await rig.model.gates.reached("words", PATIENCE)
        await rig.kill_worker()
        await rig.model.gates.open("words")
        assert (await client.ended(steer))["status"] == "completed"
        assert report(await client.wait_until(task, "completed")) == "Steered."
        assert rig.times_seen(words) == 1


async def test_words_for_a_turn_that_died_with_its_app_server_fail(rig: ScriptedRig) -> None:
    """The successor does not run the turn, and the words are not said to another one."""
    async with rig.open_client() as client:
        task, turn = await held_turn(rig, client, "died")
        await rig.kill_app_server()
        words = prompt("say Too late.")
        steer = (await client.steer(turn, words))["operationId"]
        row = await client.ended(steer)
        assert (row["status"], fault(row)["code"]) == ("failed", "CODEX_TURN_NOT_FOUND")
        assert (await client.ended(task))["status"] == "interrupted"
    assert rig.times_seen(words) == 0


async def test_a_copy_whose_reply_is_lost_is_made_again_and_says_so() -> None:
    """The first copy is in none of Codex's lists and never used; the message goes to the second one only."""
    lost = Fault(Subject("reply", "thread/fork"), "drop")
    async with (
        faulty_rig(Script((lost,)), CODEX_MCP_RETRY_SECONDS="1") as (rig, _),
        rig.open_client() as client,
    ):
        source = thread_of(await client.ended((await client.submit(prompt("say Noted.")))["operationId"]))
        message = prompt("say On the copy.")
        fork = await client.fork(source, message=message, timeout_seconds=1)
        row = await client.wait_until(fork["operationId"], "completed")
        state = row.get("forkState")
        assert state is not None
        assert (state["accepted"], state["ambiguous"], row["attemptCount"]) == (True, True, 2)
        assert rig.times_seen(message) == 1


@pytest.mark.parametrize("message", ["", prompt("wait copy", "say On the copy.")])
async def test_a_copy_outlives_worker_and_app_server(rig: ScriptedRig, message: str) -> None:
    """It is on disk at once, so that one that has been reported is there for whoever goes on with it."""
    more = {"message": message} if message else {}
    async with rig.open_client() as client:
        source = thread_of(await client.ended((await client.submit(prompt("say Noted.")))["operationId"]))
        fork = (await client.fork(source, recovery_policy="report", **more))["operationId"]
        row = await client.wait_until(fork, "running" if message else "completed")
        if message:
            assert await rig.model.gates.reached("copy", PATIENCE)
        await rig.kill_worker()
        await rig.kill_app_server()
        assert (await client.ended(fork))["status"] == ("interrupted" if message else "completed")
        further = await client.send(thread_of(row), prompt("say Further."))
        assert report(await client.wait_until(further["operationId"], "completed")) == "Further."
    assert not message or rig.times_seen(message) == 1
