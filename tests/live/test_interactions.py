"""Every kind of question of a real Codex, answered in its form and in no other."""

from collections.abc import AsyncGenerator
from typing import cast

import pytest

from codex_control_plane_contract.types import Interaction
from codex_control_plane_contract.values import JsonObject, JsonValue
from codex_control_plane_mcp.testing.prompts import prompt
from codex_control_plane_mcp.testing.rig import ScriptedRig, scripted_rig
from codex_control_plane_mcp.testing.stub_mcp_server import codex_settings
from codex_control_plane_mcp.testing.task_client import CallFailed, TaskClient

pytestmark = [pytest.mark.live, pytest.mark.anyio]

ACCEPT: JsonObject = {"action": "accept", "content": {}}


@pytest.fixture(scope="module")
async def rig(anyio_backend: str) -> AsyncGenerator[ScriptedRig]:  # noqa: ARG001 -- anyio wants it
    """A rig whose Codex uses an MCP server, and may ask for permissions."""
    settings = f"features.request_permissions_tool = true\n{codex_settings()}"
    async with scripted_rig(codex_settings=settings) as opened:
        yield opened


@pytest.fixture(scope="module")
async def client(rig: ScriptedRig) -> AsyncGenerator[TaskClient]:
    """A client of a server of its own."""
    async with rig.open_client() as opened:
        yield opened


async def asked(client: TaskClient, *steps: str) -> tuple[str, Interaction]:
    """Return a new task and the question that its first step asks."""
    task = (await client.submit(prompt(*steps)))["operationId"]
    return task, await client.question(task)


async def refused(client: TaskClient, question: Interaction, **answer: JsonValue) -> JsonValue:
    """Return the place that a refused answer names; the question stays open for another."""
    with pytest.raises(CallFailed) as failed:
        await client.answer(question, **answer)
    assert failed.value.code == "INVALID_ARGUMENT"
    [still] = await client.list_interactions(operation_id=question["operationId"])
    assert (still["status"], still["answerRecorded"]) == ("pending", False)
    return failed.value.error["details"]["path"]


def output(rig: ScriptedRig) -> str:
    """Return what the last tool gave back to the model."""
    return rig.model.requests[-1].tool_outputs[-1]


async def test_the_form_of_an_mcp_server_is_filled_in(rig: ScriptedRig, client: TaskClient) -> None:
    """Codex passes any content on; what does not fit the form is refused before it is sent."""
    task, question = await asked(client, "use stub ask {}", "say Done.")
    assert (question["kind"], question["prompt"]) == ("elicitation", "stub asks: What is your name?")
    assert question["answerSchema"].get("schema", {})["required"] == ["name"]
    assert await refused(client, question, action="accept", content={"name": 1}) == "content.name"
    assert await refused(client, question, action="accept") == "content"
    answered = await client.answer(question, action="accept", content={"name": "Bob"})
    assert answered["status"] == "answered"
    await client.wait_until(task, "completed")
    assert "accept: {'name': 'Bob'}" in output(rig)


@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_the_form_of_an_mcp_server_may_be_left_empty(
    rig: ScriptedRig, client: TaskClient, action: str
) -> None:
    """The turn goes on, and the MCP server is told which it was."""
    task, question = await asked(client, "use stub ask {}", "say Done.")
    await client.answer(question, action=action)
    await client.wait_until(task, "completed")
    assert f"{action}: None" in output(rig)


async def test_a_page_to_visit_is_shown(rig: ScriptedRig, client: TaskClient) -> None:
    """The person who decides sees where they are sent."""
    task, question = await asked(client, "use stub visit {}", "say Done.")
    assert question["prompt"] == "stub asks: Log in there. (at https://example.com/login)"
    await client.answer(question, action="accept")
    await client.wait_until(task, "completed")
    assert "accept" in output(rig)


async def test_leave_for_an_mcp_tool_is_asked_with_what_it_is_to_do(
    rig: ScriptedRig, client: TaskClient
) -> None:
    """It can be given for the whole session in Codex's own words, which are checked against its schema."""
    task, question = await asked(
        client, 'use stub write {"text": "one"}', 'use stub write {"text": "two"}', "say Done."
    )
    assert question["kind"] == "elicitation"
    assert 'run tool "write"?' in question["prompt"]
    assert '{"text":"one"}' in question["prompt"]
    assert question["riskSummary"]["summary"] == "Lets a tool of an MCP server run."
    assert await refused(client, question, raw_response={"action": "allow"}) == "raw_response.action"
    assert await refused(client, question, raw_response={**ACCEPT, "meta": {}}) == "raw_response"
    assert await refused(client, question, raw_response=ACCEPT, action="accept") == "action"
    await client.answer(question, raw_response={**ACCEPT, "_meta": {"persist": "session"}})
    await client.wait_until(task, "completed")
    assert "wrote two" in output(rig)
    assert len(await client.list_interactions(operation_id=task, status="answered")) == 1


async def test_a_decision_that_codex_offers_as_an_object_is_taken(
    rig: ScriptedRig, client: TaskClient
) -> None:
    """It makes the command a rule, so that it is not asked again; any other rule is refused."""
    task, question = await asked(client, "ask echo lasting", "ask echo lasting", "say Done.")
    [offered] = question.get("decisionPayloads", [])
    for words in (["rm"], ["echo"], "echo"):
        wrong: JsonObject = {
            "acceptWithExecpolicyAmendment": {"execpolicy_amendment": cast("JsonValue", words)}
        }
        assert await refused(client, question, decision_payload=wrong) == "decision_payload"
        assert await refused(client, question, raw_response={"decision": wrong}) == "raw_response.decision"
    await client.answer(question, decision_payload=offered)
    await client.wait_until(task, "completed")
    assert len(await client.list_interactions(operation_id=task, status="answered")) == 1
    assert lasting_rules(rig) == ['prefix_rule(pattern=["echo", "lasting"], decision="allow")']


def lasting_rules(rig: ScriptedRig) -> list[str]:
    """Return the rules that Codex keeps in its home."""
    return (rig.home / "rules" / "default.rules").read_text().splitlines()


async def test_no_more_is_granted_than_was_asked_for(client: TaskClient) -> None:
    """At any depth; Codex would take a malformed grant as a refusal, and more than was asked for nothing."""
    task, question = await asked(client, "widen /srv", "say Done.")
    assert question["prompt"].startswith("Codex asks for more permissions: write in /srv.")
    wider: JsonObject = {"fileSystem": {"write": ["/srv", "/etc"]}}
    assert await refused(client, question, permissions=wider) == "permissions.fileSystem.write[1]"
    other: JsonObject = {"network": {"enabled": True}}
    assert str(await refused(client, question, permissions=other)).startswith("permissions.network")
    malformed: JsonObject = {"fileSystem": {"write": "/srv"}}
    assert await refused(client, question, permissions=malformed) == "permissions.fileSystem"
    await client.answer(question, permissions={"fileSystem": {"write": ["/srv"]}}, scope="turn")
    await client.wait_until(task, "completed")
