"""A call that changes nothing is made again while no reply comes; any other is made once."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, unix_serve

from codex_control_plane_mcp.codex import connection
from codex_control_plane_mcp.codex.connection import Connection
from codex_control_plane_mcp.codex.errors import CallRefused, CallUnanswered

pytestmark = pytest.mark.anyio

METHOD = "thread/read"
_NO = {"code": 1, "message": "no"}


class Peer:
    """What answers a greeting and, of the calls after it, none but the ``answered``-th."""

    def __init__(self, answered: int, *, error: bool = False) -> None:
        self._answered = answered
        self._error = error
        self.heard: list[int] = []
        self.hears = asyncio.Event()

    async def serve(self, websocket: ServerConnection) -> None:
        """Hear one connection to its end."""
        async for frame in websocket:
            message = json.loads(frame)
            if message["method"] == "initialize":
                await websocket.send(json.dumps({"id": message["id"], "result": {"userAgent": "peer/1.0.0"}}))
            elif message["method"] == METHOD:
                self.heard.append(message["id"])
                self.hears.set()
                if len(self.heard) == self._answered:
                    said = (
                        {"error": {"code": 1, "message": "no"}} if self._error else {"result": {"is": "so"}}
                    )
                    await websocket.send(json.dumps({"id": message["id"], **said}))


@asynccontextmanager
async def connected(peer: Peer, directory: Path) -> AsyncGenerator[Connection]:
    """Give a connection to a peer."""
    path = directory / "peer.sock"
    async with (
        unix_serve(peer.serve, str(path)),
        await Connection.open(path, client_version="test") as opened,
    ):
        yield opened


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first pause is so short that a peer which is silent once costs no time."""
    monkeypatch.setattr(connection, "ASK_AGAIN_SECONDS", 0.01)


async def test_a_question_whose_message_is_lost_is_asked_again(tmp_path: Path) -> None:
    """On the same connection, and the answer is that of the one that arrived."""
    peer = Peer(answered=3)
    async with connected(peer, tmp_path) as opened:
        assert await opened.ask(METHOD, {}) == {"is": "so"}
        assert opened.pending_calls == 0
    assert len({*peer.heard}) == 3


async def test_a_question_that_is_refused_is_not_asked_again(tmp_path: Path) -> None:
    """A refusal is an answer."""
    peer = Peer(answered=1, error=True)
    async with connected(peer, tmp_path) as opened:
        with pytest.raises(CallRefused):
            await opened.ask(METHOD, {})
    assert len(peer.heard) == 1


async def test_a_question_has_its_time_and_no_more(tmp_path: Path) -> None:
    """Each pause is twice the last, and the last ends with the time."""
    peer = Peer(answered=100)
    async with connected(peer, tmp_path) as opened:
        with pytest.raises(CallUnanswered):
            await opened.ask(METHOD, {}, timeout=0.2)
    assert 2 <= len(peer.heard) <= 5


async def test_nothing_is_asked_of_a_connection_that_closed(tmp_path: Path) -> None:
    """The reply is lost with it, and nobody asks into the void."""
    peer = Peer(answered=100)
    async with connected(peer, tmp_path) as opened:
        asking = asyncio.create_task(opened.ask(METHOD, {}))
        await peer.hears.wait()
        await opened.close()
        with pytest.raises(CallUnanswered):
            await asking


async def test_what_may_change_something_is_called_once(tmp_path: Path) -> None:
    """Nobody knows whether it was done."""
    peer = Peer(answered=2)
    async with connected(peer, tmp_path) as opened:
        with pytest.raises(CallUnanswered):
            await opened.call(METHOD, {}, timeout=0.1)
    assert len(peer.heard) == 1
