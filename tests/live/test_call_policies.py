"""What a task says of model, effort, sandbox and approvals, as Codex and the model come to know it."""

import pytest

from codex_control_plane_contract.values import JsonValue
from codex_control_plane_mcp.testing.evidence import thread_of
from codex_control_plane_mcp.testing.prompts import prompt
from codex_control_plane_mcp.testing.rig import ScriptedRig
from codex_control_plane_mcp.testing.task_client import TaskClient

pytestmark = [pytest.mark.live, pytest.mark.anyio]


async def completed(client: TaskClient, *steps: str, **policy: JsonValue) -> str:
    """Run a task in a new thread to its end; return the thread."""
    task = await client.submit(prompt(*steps), **policy)
    return thread_of(await client.wait_until(task["operationId"], "completed"))


async def continued(client: TaskClient, thread_id: str, *steps: str, **policy: JsonValue) -> None:
    """Run a task on a thread to its end."""
    task = await client.send(thread_id, prompt(*steps), **policy)
    await client.wait_until(task["operationId"], "completed")


async def test_model_and_effort_are_those_of_the_task(rig: ScriptedRig, client: TaskClient) -> None:
    """They hold for the thread from then on, as Codex has it, until a task names others."""
    thread_id = await completed(client, "say One.", model="gpt-5.4", effort="low")
    assert (rig.model.requests[-1].model, rig.model.requests[-1].effort) == ("gpt-5.4", "low")
    await continued(client, thread_id, "say Two.", effort="high")
    assert (rig.model.requests[-1].model, rig.model.requests[-1].effort) == ("gpt-5.4", "high")


@pytest.mark.parametrize(
    ("sandbox", "made"), [("read-only", False), ("workspace-write", True), ("danger-full-access", True)]
)
async def test_a_task_may_touch_what_it_says(
    rig: ScriptedRig, client: TaskClient, sandbox: str, *, made: bool
) -> None:
    """In its directory, without asking."""
    target = rig.project / f"{sandbox}-{id(client)}"
    await completed(client, f"run touch {target.name}", "say Over.", sandbox=sandbox, approval_policy="never")
    assert target.exists() is made


async def test_a_thread_may_be_left_as_it_is(rig: ScriptedRig, client: TaskClient) -> None:
    """With respect_existing a message runs under what the thread has, else under what it says itself."""
    thread_id = await completed(client, "say One.", sandbox="workspace-write", approval_policy="never")
    for sandbox, made in (("respect_existing", True), ("read-only", False)):
        target = rig.project / f"{sandbox}-{id(client)}-later"
        await continued(
            client,
            thread_id,
            f"run touch {target.name}",
            "say Over.",
            sandbox=sandbox,
            approval_policy="respect_existing",
        )
        assert target.exists() is made


async def test_nobody_is_asked_under_never(client: TaskClient) -> None:
    """The command is refused to the model, and the turn goes on; on-request asks."""
    task = await client.submit(prompt("ask echo one", "say Over."), approval_policy="never")
    await client.wait_until(task["operationId"], "completed")
    for status in ("pending", "answered", "auto_declined"):
        assert not await client.list_interactions(operation_id=task["operationId"], status=status)
    task = await client.submit(prompt("ask echo two", "say Over."), approval_policy="on-request")
    question = await client.question(task["operationId"])
    await client.answer(question, decision="accept")
    await client.wait_until(task["operationId"], "completed")
