"""codex_start_chat and codex_send_message: the operations of codex_submit_task for older clients."""

from pathlib import Path

import pytest

from codex_control_plane_contract.codex import CONTEXT_PROMPT
from codex_control_plane_contract.tools import TOOLS
from codex_control_plane_contract.values import JsonValue
from codex_control_plane_mcp.projects import project_id_of
from codex_control_plane_mcp.testing.played_worker import PlayedWorker
from codex_control_plane_mcp.testing.tool_caller import ToolCaller


def only_task(client: ToolCaller, root: Path) -> str:
    """Return the id of the one task that is active."""
    with client.store.read() as reader:
        [task] = reader.active_prompts(project_id_of(root), prompt_hash="", inputs_hash=None, limit=2)
    return task.operation_id


def test_a_chat_is_started_as_a_task(client: ToolCaller, root: Path) -> None:
    """What is asked for is stored like a submission."""
    answer = client.call(
        "codex_start_chat",
        project_id=str(root),
        message="Do it.",
        title="T",
        model="m",
        sandbox="workspace-write",
    )
    assert (answer["status"], answer["nextRecommendedAction"]) == ("queued", "wait_for_background_worker")
    with client.store.read() as reader:
        row = reader.operation(answer["operationId"])
    assert row is not None
    assert (row.operation_type, row.title, row.model) == ("start_chat", "T", "m")
    assert (row.sandbox, row.cwd) == ("workspace-write", str(root))
    assert client.summons == 1


def test_a_message_is_sent_as_a_task(client: ToolCaller, running: str, worker: PlayedWorker) -> None:
    """It goes where its chat works."""
    worker.complete(running)
    answer = client.call(
        "codex_send_message", chat_id="thread-1", message="And now?", sandbox="respect_existing"
    )
    with client.store.read() as reader:
        row = reader.operation(answer["operationId"])
    assert row is not None
    assert (row.operation_type, row.sandbox) == ("send_message", "respect_existing")
    assert answer["threadId"] == "thread-1"


@pytest.mark.parametrize("tool", ["codex_start_chat", "codex_send_message"])
def test_a_new_chat_has_nothing_to_respect(client: ToolCaller, root: Path, tool: str) -> None:
    """The sandbox word for existing threads belongs to codex_send_message only."""
    given: dict[str, JsonValue] = {"project_id": str(root), "message": "x", "sandbox": "respect_existing"}
    answer = client.call(tool, **given, **({"chat_id": "t"} if tool == "codex_send_message" else {}))
    assert answer["ok"] is (tool == "codex_send_message")


def test_the_guard_holds_for_every_form(client: ToolCaller, root: Path, task: str) -> None:
    """The same prompt is a duplicate by whatever tool it comes."""
    fault = client.call("codex_start_chat", project_id=str(root), message="Do it.")["error"]
    assert (fault["code"], fault["details"]["existingOperationId"]) == ("CODEX_DUPLICATE_PROMPT_ACTIVE", task)


def test_the_first_message_is_waited_for(client: ToolCaller, root: Path, worker: PlayedWorker) -> None:
    """The call returns as soon as Codex has said something, with the status by then."""

    def work() -> None:
        operation_id = only_task(client, root)
        worker.run(operation_id)
        worker.show(operation_id, kind="agent_message", text="I look at it." + "x" * 600)

    client.on_summon = work
    answer = client.call(
        "codex_start_chat",
        project_id=str(root),
        message="Do it.",
        first_message_timeout_seconds=45,
        first_message_max_chars=500,
    )
    assert answer["status"] == "running"
    assert answer["firstMessage"]["text"].startswith("I look at it.")
    assert answer["firstMessage"]["truncated"] is True


@pytest.mark.parametrize(
    ("mode", "told"),
    [("normal", "The API is frozen."), ("command", "The API is frozen."), ("append_context", CONTEXT_PROMPT)],
)
def test_a_mode_says_how_the_message_is_meant(
    client: ToolCaller, running: str, worker: PlayedWorker, mode: str, told: str
) -> None:
    """Context is told to be no more than that; a command is a prompt like any other."""
    worker.complete(running)
    answer = client.call("codex_send_message", chat_id="thread-1", message="The API is frozen.", mode=mode)
    with client.store.read() as reader:
        row = reader.operation(answer["operationId"])
    assert row is not None
    assert row.message.startswith(told)
    assert row.message.endswith("The API is frozen.")


def test_an_end_without_a_message_ends_the_wait(client: ToolCaller, root: Path, worker: PlayedWorker) -> None:
    """Nobody waits for what cannot come any more."""

    def stop() -> None:
        client.call("codex_interrupt_turn", operation_id=only_task(client, root))

    client.on_summon = stop
    answer = client.call(
        "codex_start_chat", project_id=str(root), message="Do it.", first_message_timeout_seconds=45
    )
    assert worker
    assert answer["status"] == "cancelled"
    assert "firstMessage" not in answer


@pytest.mark.parametrize("tool", ["codex_start_chat", "codex_send_message"])
def test_they_are_thin(tool: str) -> None:
    """Every argument of theirs is one of codex_submit_task, but the wait and the mode of old."""

    def arguments_of(name: str) -> set[str]:
        properties = TOOLS[name].input_schema["properties"]
        assert isinstance(properties, dict)
        return set(properties)

    own = {"first_message_timeout_seconds", "first_message_max_chars", "mode"}
    assert arguments_of(tool) - arguments_of("codex_submit_task") <= own
