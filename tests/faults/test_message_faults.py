"""Message faults: what a script strikes, what a message is about, and what each action does to it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.asyncio.server import ServerConnection, unix_serve
from websockets.exceptions import ConnectionClosed

from codex_control_plane_mcp.codex.json_types import JsonObject
from codex_control_plane_mcp.testing.faults.fault import (
    ACTIONS,
    Action,
    Direction,
    Fault,
    Script,
    Subject,
    Weather,
    read_script,
)
from codex_control_plane_mcp.testing.faults.lane import Cut, Lane
from codex_control_plane_mcp.testing.faults.traffic import Traffic

REPLY = Subject("reply", "turn/start")


def test_a_fault_strikes_the_nth_and_as_many_as_it_says() -> None:
    """Messages of other subjects are left alone."""
    script = Script((Fault(REPLY, "drop", nth=2, times=2),))
    assert [script.strike(REPLY, occurrence) for occurrence in range(1, 5)] == [None, "drop", "drop", None]
    assert script.strike(Subject("request", "turn/start"), 2) is None


def test_a_script_is_read_as_it_was_written() -> None:
    """It travels to the proxy as a file."""
    script = Script((Fault(REPLY, "cut_after"),), Weather(7, 0.5, ("drop", "delay")), Path("/a/wire"))
    assert read_script(script.as_text()) == script
    assert read_script(Script().as_text()) == Script()


def test_the_same_seed_brings_the_same_weather() -> None:
    """What a message meets does not depend on what came in between, so a run can be repeated."""

    def met(seed: int) -> list[Action | None]:
        weather = Weather(seed, 0.5)
        return [weather.strike(REPLY, occurrence) for occurrence in range(1, 101)]

    assert met(1) == met(1) != met(2)
    assert {*met(1)} == {None, *ACTIONS}


def test_the_weather_is_as_bad_as_it_says() -> None:
    """A rate of 0 strikes nothing, a rate of 1 everything."""
    assert {Weather(1, 0.0).strike(REPLY, occurrence) for occurrence in range(50)} == {None}
    assert None not in {Weather(1, 1.0).strike(REPLY, occurrence) for occurrence in range(50)}


@pytest.mark.parametrize(
    ("direction", "message", "subject"),
    [
        ("to_codex", {"id": 2, "method": "turn/start"}, Subject("request", "turn/start")),
        ("from_codex", {"id": 1, "result": {}}, Subject("reply", "thread/start")),
        ("from_codex", {"id": 1, "error": {}}, Subject("reply", "thread/start")),
        ("from_codex", {"method": "turn/started"}, Subject("notification", "turn/started")),
        ("from_codex", {"id": 0, "method": "item/ask"}, Subject("question", "item/ask")),
        ("to_codex", {"id": 5, "result": {}}, Subject("answer", "item/asked")),
        ("from_codex", {"id": 9, "result": {}}, None),
        ("to_codex", {"id": 9, "result": {}}, None),
    ],
)
def test_a_message_is_about_a_method(
    direction: Direction, message: JsonObject, subject: Subject | None
) -> None:
    """A reply is about the call that it replies to, an answer about the question, whoever was asked."""
    traffic = Traffic({"5": "item/asked"})
    traffic.subject("to_codex", {"id": 1, "method": "thread/start"})
    assert traffic.subject(direction, message) == subject


@dataclass(frozen=True)
class Road:
    """A lane with a place to send from and one where its frames arrive; its far end can be closed."""

    sender: ClientConnection
    lane: Lane
    sink: ServerConnection
    receiver: ClientConnection

    async def carry(self, text: str, action: Action | None) -> None:
        """Send a frame and let it meet an action."""
        await self.sender.send(text)
        await self.lane.carry(await self.lane.receive(), action)

    async def arrived(self) -> list[str | bytes]:
        """Return all that has arrived, once nothing more can come."""
        await self.sink.close()
        return [frame async for frame in self.receiver]


@asynccontextmanager
async def road(path: Path) -> AsyncGenerator[Road]:
    """Give a road over a socket at the path."""
    arrived: asyncio.Queue[ServerConnection] = asyncio.Queue()

    async def accept(connection: ServerConnection) -> None:
        arrived.put_nowait(connection)
        await connection.wait_closed()

    async with (
        unix_serve(accept, str(path)),
        unix_connect(str(path), "ws://localhost/") as sender,
        unix_connect(str(path), "ws://localhost/") as receiver,
    ):
        source, sink = await arrived.get(), await arrived.get()
        yield Road(sender, Lane(source, sink), sink, receiver)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("action", "arrives"),
    [
        (None, ["message 0", "message 1"]),
        ("drop", ["message 1"]),
        ("delay", ["message 0", "message 1"]),
        ("duplicate", ["message 0", "message 0", "message 1"]),
        ("reorder", ["message 1", "message 0"]),
        ("truncate", ["mess", "message 1"]),
    ],
)
async def test_what_an_action_does_to_the_first_of_two_messages(
    tmp_path: Path, action: Action | None, arrives: list[str]
) -> None:
    """The connection lives on, and the second one comes whole."""
    async with road(tmp_path / "s") as taken:
        await taken.carry("message 0", action)
        await taken.carry("message 1", None)
        assert await taken.arrived() == arrives


@pytest.mark.anyio
@pytest.mark.parametrize(("action", "arrives"), [("cut_before", []), ("cut_after", ["message 0"])])
async def test_a_cut_breaks_the_connection(tmp_path: Path, action: Action, arrives: list[str]) -> None:
    """Before the message has arrived, or after it."""
    async with road(tmp_path / "s") as taken:
        with pytest.raises(Cut):
            await taken.carry("message 0", action)
        assert await taken.arrived() == arrives


@pytest.mark.anyio
async def test_what_is_to_be_overtaken_goes_on_when_nothing_comes(tmp_path: Path) -> None:
    """A message with none behind it is late, not lost."""
    async with road(tmp_path / "s") as taken:
        await taken.carry("last", "reorder")
        waiting = asyncio.create_task(taken.lane.receive())
        assert await taken.receiver.recv() == "last"
        await taken.sender.close()
        with pytest.raises(ConnectionClosed):
            await waiting
