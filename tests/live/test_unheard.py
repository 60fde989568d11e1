"""What a worker does when it does not hear what a real Codex says: it looks for itself, within a bound."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

import pytest

from codex_control_plane_contract.types import Operation
from codex_control_plane_mcp.testing.evidence import end_source, report, shown, thread_of
from codex_control_plane_mcp.testing.faults.fault import Fault, Script, Subject, unheard
from codex_control_plane_mcp.testing.faults.rig import faulty_rig
from codex_control_plane_mcp.testing.faults.stories import NOTIFICATIONS
from codex_control_plane_mcp.testing.prompts import prompt
from codex_control_plane_mcp.testing.rig import ScriptedRig
from codex_control_plane_mcp.testing.task_client import PATIENCE, TaskClient

pytestmark = [pytest.mark.live, pytest.mark.anyio]

APPROVAL: Final = Subject("question", "item/commandExecution/requestApproval")


@asynccontextmanager
async def deaf_rig(*faults: Fault) -> AsyncGenerator[tuple[ScriptedRig, TaskClient]]:
    """Give a rig with a client, and a worker that does not hear everything and looks after a second."""
    async with (
        faulty_rig(Script(faults), CODEX_MCP_SILENCE_SECONDS="1") as (rig, _),
        rig.open_client() as client,
    ):
        yield rig, client


def commands(row: Operation) -> list[str]:
    """Return the commands of which the progress tells, in order, as the shell was given them."""
    return [line.rpartition(" -lc ")[2] for line in shown(row)]


async def test_a_turn_that_ends_unheard_is_found() -> None:
    """Its end is read from the history of a connection that lives, and the thread takes the next task."""
    async with deaf_rig(*unheard("turn/completed")) as (rig, client):
        texts = [prompt("say First."), prompt("say Second.")]
        task = (await client.submit(texts[0]))["operationId"]
        row = await client.wait_until(task, "completed")
        assert (report(row), end_source(row), row["attemptCount"]) == ("First.", "reconciled", 1)
        task = (await client.send(thread_of(row), texts[1]))["operationId"]
        row = await client.wait_until(task, "completed")
        assert (report(row), end_source(row), row["attemptCount"]) == ("Second.", "reconciled", 1)
        assert [rig.times_seen(text) for text in texts] == [1, 1]


async def test_a_turn_of_which_nothing_is_heard_is_found_with_all_that_it_did() -> None:
    """Not even that its thread is idle: silence is enough, and the history shows each item once."""
    async with deaf_rig(*unheard(*NOTIFICATIONS)) as (rig, client):
        text = prompt("run echo unheard", "run exit 3", "say Unheard.")
        task = (await client.submit(text))["operationId"]
        row = await client.wait_until(task, "completed")
        assert (report(row), end_source(row)) == ("Unheard.", "reconciled")
        # The command that fails has a line of its begin and one of its end.
        assert commands(row) == ["'echo unheard'", "'exit 3'", "'exit 3'"]
        assert rig.times_seen(text) == 1


async def test_a_turn_that_fails_unheard_is_found() -> None:
    """Codex's history keeps the reason."""
    async with deaf_rig(*unheard("turn/completed", "error")) as (_, client):
        task = (await client.submit(prompt("fail 400")))["operationId"]
        row = await client.ended(task)
        assert (row["status"], end_source(row)) == ("failed", "reconciled")


async def test_a_turn_whose_begin_was_not_heard_can_be_stopped() -> None:
    """A look finds it at work and leaves it so; from then on Codex takes an interrupt."""
    async with deaf_rig(*unheard("turn/started")) as (rig, client):
        text = prompt("wait never", "say Never.")
        task = (await client.submit(text))["operationId"]
        await client.wait_until(task, "running")
        assert await rig.model.gates.reached("never", PATIENCE)
        await client.interrupt(task)
        row = await client.ended(task)
        assert (row["status"], end_source(row)) == ("interrupted", "notification")
        assert rig.times_seen(text) == 1


async def test_a_question_that_was_not_heard_is_asked_again() -> None:
    """Codex waits for an answer that nobody knows of, until a look finds it waiting."""
    async with deaf_rig(Fault(APPROVAL, "drop")) as (rig, client):
        made = rig.project / "made"
        task = (await client.submit(prompt(f"ask touch {made}", "say Asked.")))["operationId"]
        await client.answer(await client.question(task), decision="accept")
        row = await client.wait_until(task, "completed")
        assert (report(row), made.exists()) == ("Asked.", True)


async def test_an_answer_whose_arrival_was_not_heard_is_confirmed() -> None:
    """The turn goes on, and a look finds that Codex asks no more."""
    async with deaf_rig(*unheard("serverRequest/resolved")) as (rig, client):
        made = rig.project / "made"
        text = prompt(f"ask touch {made}", "wait after", "say Confirmed.")
        task = (await client.submit(text))["operationId"]
        question = await client.question(task)
        await client.answer(question, decision="accept")
        await client.wait_until(task, "running")
        [answered] = await client.list_interactions(operation_id=task, status="answered")
        assert answered["interactionId"] == question["interactionId"]
        await rig.model.gates.open("after")
        row = await client.wait_until(task, "completed")
        assert (report(row), end_source(row), made.exists()) == ("Confirmed.", "notification", True)


async def test_a_connection_that_is_cut_is_made_again_and_nothing_is_missed() -> None:
    """The thread is resumed, what was on its way when it was cut is shown, and no line comes twice."""
    # The prompt's item and the first command's go down with the connection.
    missed = [
        Fault(Subject("notification", method), "drop", times=2)
        for method in ("item/started", "item/completed")
    ]
    cut = Fault(Subject("notification", "thread/tokenUsage/updated"), "cut_before")
    async with deaf_rig(*missed, cut) as (rig, client):
        text = prompt("run echo one", "run echo two", "wait later", "say Heard again.")
        task = (await client.submit(text))["operationId"]
        assert await rig.model.gates.reached("later", 20)
        await rig.model.gates.open("later")
        row = await client.wait_until(task, "completed")
        assert (report(row), commands(row)) == ("Heard again.", ["'echo one'", "'echo two'"])
        assert rig.times_seen(text) == 1


async def test_what_happened_between_two_workers_is_shown_once(rig: ScriptedRig) -> None:
    """The next worker shows what nobody heard, and repeats nothing that the first has shown."""
    text = prompt("run echo heard", "wait alone", "run echo missed", "wait together", "say Both.")
    async with rig.open_client() as client:
        task = (await client.submit(text))["operationId"]
        assert await rig.model.gates.reached("alone", 20)
        await rig.kill_server(client)
        await rig.kill_worker()
    await rig.model.gates.open("alone")
    assert await rig.model.gates.reached("together", 20)
    async with rig.open_client() as client:
        await rig.model.gates.open("together")
        row = await client.wait_until(task, "completed")
    assert (report(row), commands(row)) == ("Both.", ["'echo heard'", "'echo missed'"])
