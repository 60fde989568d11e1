"""Workers and the orders to them, as clients see them."""

from typing import cast

from codex_control_plane_contract.tools import TOOLS
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.testing.played_worker import FAULT, PlayedWorker
from codex_control_plane_mcp.testing.tool_caller import ToolCaller

WORKERS = "codex_get_worker_status"
COMMAND = "codex_get_worker_command_status"


def order(client: ToolCaller, running: str) -> str:
    """Ask to stop a running task; return the id of the order."""
    return cast(
        "str", client.call("codex_interrupt_turn", operation_id=running, timeout_seconds=1)["commandId"]
    )


def test_its_examples_are_answered(client: ToolCaller) -> None:
    """Every call that the spec shows succeeds, without a worker too."""
    for example in TOOLS[WORKERS].examples:
        assert client.call(WORKERS, **cast("JsonObject", example["input"]))["workers"] == []


def test_the_holder_of_the_lease_is_the_executor(client: ToolCaller, worker: PlayedWorker) -> None:
    """With what keeps it from working, if something does."""
    (shown,) = client.call(WORKERS)["workers"]
    assert (shown["workerId"], shown["role"], shown["status"]) == (worker.worker_id, "executor", "executing")
    assert "lastFault" not in shown
    worker.report(fault=FAULT)
    assert client.call(WORKERS)["workers"][0]["lastFault"] == FAULT


def test_recent_orders_are_shown_on_request(client: ToolCaller, running: str) -> None:
    """The newest first, and no more than asked for."""
    command = order(client, running)
    assert "recentCommands" not in client.call(WORKERS)
    assert client.call(WORKERS, include_recent_commands=True)["recentCommands"] == [
        {"commandId": command, "commandType": "interrupt_turn", "status": "queued"}
    ]


def test_an_order_is_followed_to_its_end(client: ToolCaller, worker: PlayedWorker, running: str) -> None:
    """Poll it while it is open; then it says what came of it."""
    command = order(client, running)
    waiting = client.call(COMMAND, command_id=command)
    assert (waiting["status"], waiting["nextRecommendedAction"]) == ("queued", "poll_worker_command")
    worker.carry_out(command, {"note": "done"})
    done = client.call(COMMAND, command_id=command)
    assert (done["status"], done["result"]) == ("completed", {"note": "done"})
    assert (done["pollRecommended"], done["resultTruncated"]) == (False, False)


def test_a_long_result_is_left_out(client: ToolCaller, worker: PlayedWorker, running: str) -> None:
    """Half a JSON object is none."""
    command = order(client, running)
    worker.carry_out(command, {"note": "x" * 100})
    answer = client.call(COMMAND, command_id=command, max_result_chars=50)
    assert answer["resultTruncated"] is True
    assert "result" not in answer
    assert "resultTruncated" not in client.call(COMMAND, command_id=command, include_result=False)


def test_an_unknown_order_is_the_callers_mistake(client: ToolCaller) -> None:
    """The answer says where ids come from."""
    answer = client.call(COMMAND, command_id="cmd_unknown")
    assert answer["error"]["code"] == "INVALID_ARGUMENT"
    assert answer["error"]["details"]["path"] == "command_id"
