"""What must hold after every crash, whatever broke: nothing open, nothing twice, nothing forbidden."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from codex_control_plane_contract.lifecycles import operation
from codex_control_plane_mcp.codex.connection import Connection
from codex_control_plane_mcp.codex.errors import CallRefused
from codex_control_plane_mcp.codex.json_types import JsonObject
from codex_control_plane_mcp.store import Listener, Store
from codex_control_plane_mcp.store.conformance import first_violation
from codex_control_plane_mcp.testing.rig import ScriptedRig

_LOOKED_AT = 100


@dataclass(frozen=True, slots=True)
class Task:
    """An acknowledged operation, its prompt, how it may end, and how often the model may get the prompt."""

    operation_id: str
    prompt: str
    statuses: Sequence[str]
    most: int = 1


async def awaited(store: Store, fulfilled: Callable[[], bool], within: float) -> bool:
    """Return whether something comes true within so many seconds; looks when the bells ring."""
    loop = asyncio.get_running_loop()
    rung = asyncio.Event()
    with store.bells.listen() as listener:
        loop.add_reader(listener.fileno(), _hear, listener, rung)
        try:
            async with asyncio.timeout(within):
                while not await asyncio.to_thread(fulfilled):
                    await rung.wait()
                    rung.clear()
        except TimeoutError:
            return False
        finally:
            loop.remove_reader(listener.fileno())
    return True


def open_rows(store: Store) -> Mapping[str, int]:
    """Return how many rows of each kind are open, without the kinds that have none."""
    with store.read() as reader:
        counts = {**reader.open_work(), "attempts": len(reader.open_attempts())}
    return {name: count for name, count in counts.items() if count}


def described_open_rows(store: Store) -> str:
    """Return what is open, for a person who asks why."""
    with store.read() as reader:
        rows = [
            *reader.operations_in_hand(),
            *reader.open_commands(),
            *reader.open_attempts(),
            *reader.open_interactions(),
        ]
    return f"{dict(open_rows(store))}: {rows}"


async def complaints(rig: ScriptedRig, tasks: Sequence[Task]) -> list[str]:
    """Return what is wrong after the story of these tasks."""
    wrong: list[str] = []
    for task in tasks:
        row = _row(rig, task)
        seen = rig.times_seen(task.prompt)
        if row.state not in task.statuses:
            wrong.append(f"{task.operation_id} is {row.state}, not {task.statuses}: {row.last_error}")
        if seen > task.most or (seen == 0 and row.state in ("completed", "steered")):
            wrong.append(f"{task.operation_id} is {row.state} and reached the model {seen} times")
        if row.thread_id is not None:
            counted = Counter(await _prompts_in_history(rig, row.thread_id))
            wrong += [
                f"Codex has {times} times in a thread: {text}" for text, times in counted.items() if times > 1
            ]
    if violation := first_violation(rig.store.path):
        wrong.append(f"the journal is not what the spec allows: {violation}")
    return wrong


def _hear(listener: Listener, rung: asyncio.Event) -> None:
    listener.drain()
    rung.set()


def _row(rig: ScriptedRig, task: Task) -> operation.Operation:
    with rig.store.read() as reader:
        row = reader.operation(task.operation_id)
    assert row is not None, f"the acknowledged {task.operation_id} is gone"
    return row


async def _prompts_in_history(rig: ScriptedRig, thread_id: str) -> list[str]:
    """Return the prompts of a thread in Codex's own history."""
    running = await rig.app_server()
    if running is None:
        return []
    async with await Connection.open(running.socket_path, client_version="crash") as connection:
        return await _prompts(connection, thread_id)


async def _prompts(connection: Connection, thread_id: str) -> list[str]:
    try:
        page = await connection.call(
            "thread/turns/list", {"threadId": thread_id, "limit": _LOOKED_AT, "itemsView": "full"}
        )
    except CallRefused:
        # A thread that never got a turn, or whose file the story took away.
        return []
    turns = cast("list[JsonObject]", page["data"])
    items = [item for turn in turns for item in cast("list[JsonObject]", turn.get("items", []))]
    return [_text(item) for item in items if item.get("type") == "userMessage"]


def _text(item: JsonObject) -> str:
    parts = cast("list[JsonObject]", item.get("content", []))
    return "".join(str(part.get("text", "")) for part in parts)
