"""codex_interrupt_turn: the wish is stored once, carried out, and refused for finished work."""

import asyncio
from typing import Any

import pytest

from codex_control_plane_contract.values import JsonValue
from codex_control_plane_mcp.testing.played_worker import PlayedWorker
from codex_control_plane_mcp.testing.tool_caller import ToolCaller

TOOL = "codex_interrupt_turn"


def test_a_queued_task_is_cancelled_at_once(client: ToolCaller, task: str) -> None:
    """No worker is needed."""
    answer = client.call(TOOL, operation_id=task)
    assert (answer["status"], answer["interruptRequested"]) == ("cancelled", True)
    assert (answer["nextRecommendedAction"], answer["pollRecommended"]) == ("none", False)
    assert "commandId" not in answer


def test_a_running_turn_gets_a_command(client: ToolCaller, running: str) -> None:
    """The wish is in the store, and the worker is summoned; the call returns when its time is up."""
    summons = client.summons
    answer = client.call(TOOL, operation_id=running, timeout_seconds=1)
    assert answer["status"] == "running"
    assert answer["commandId"].startswith("cmd_")
    assert (answer["threadId"], answer["turnId"]) == ("thread-1", "turn-1")
    assert answer["nextRecommendedAction"] == "poll_operation_status"
    assert client.summons == summons + 1
    with client.store.read() as reader:
        [command] = reader.open_commands()
    assert (command.command_type, command.subject_id) == ("interrupt_turn", running)


def test_asking_twice_is_asking_once(client: ToolCaller, running: str) -> None:
    """The second call finds the wish of the first."""
    first = client.call(TOOL, operation_id=running, timeout_seconds=1)
    second = client.call(TOOL, thread_id="thread-1", turn_id="turn-1", timeout_seconds=1)
    assert second["commandId"] == first["commandId"]
    with client.store.read() as reader:
        journal = reader.journal_of_operation(running)
    assert [entry.event for entry in journal].count("request_interrupt") == 1


def test_a_claimed_task_is_asked_to_stop(client: ToolCaller, task: str, worker: PlayedWorker) -> None:
    """It may be on its way to Codex, so only the worker can say how it ends."""
    worker.claim(task)
    answer = client.call(TOOL, operation_id=task, timeout_seconds=1)
    assert answer["status"] == "starting_app_server"
    assert answer["commandId"]


def test_the_call_returns_when_the_turn_ends(client: ToolCaller, running: str, worker: PlayedWorker) -> None:
    """Long before its time is up."""
    client.on_summon = lambda: worker.interrupt(running)

    async def scenario() -> dict[str, Any]:
        return await asyncio.wait_for(
            client.answer(TOOL, {"operation_id": running, "timeout_seconds": 120}), 30
        )

    assert asyncio.run(scenario())["status"] == "interrupted"


def test_finished_work_is_refused(client: ToolCaller, running: str, worker: PlayedWorker) -> None:
    """The error says how and when it ended."""
    worker.complete(running)
    fault = client.call(TOOL, operation_id=running)["error"]
    assert fault["code"] == "INVALID_ARGUMENT"
    assert "already ended" in fault["message"]
    assert fault["details"]["status"] == "completed"
    assert fault["details"]["completedAt"].endswith("Z")


def test_an_unknown_operation_is_not_found(client: ToolCaller) -> None:
    """The id must come from a submission."""
    assert client.call(TOOL, operation_id="op_x")["error"]["code"] == "CODEX_OPERATION_NOT_FOUND"


def test_an_unknown_turn_is_not_found(client: ToolCaller, running: str) -> None:
    """A turn of another thread is another turn."""
    assert running
    answer = client.call(TOOL, thread_id="thread-2", turn_id="turn-1")
    assert answer["error"]["code"] == "CODEX_TURN_NOT_FOUND"


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({}, "operation_id"),
        ({"thread_id": "t"}, "turn_id"),
        ({"turn_id": "t"}, "thread_id"),
        ({"operation_id": "op", "thread_id": "t", "turn_id": "t"}, "operation_id"),
    ],
)
def test_a_task_must_be_named_in_one_way(
    client: ToolCaller, arguments: dict[str, JsonValue], path: str
) -> None:
    """operation_id, or thread_id with turn_id."""
    fault = client.call(TOOL, **arguments)["error"]
    assert (fault["code"], fault["details"]["path"]) == ("INVALID_ARGUMENT", path)
