"""Which threads a worker follows, and for how long; the store is real, Codex says what the test says."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import cast

import pytest

from codex_control_plane_contract.settings import Settings
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.codex.messages import Notification
from codex_control_plane_mcp.store import Store
from codex_control_plane_mcp.testing.held_lease import hold_lease
from codex_control_plane_mcp.worker.following import Following
from codex_control_plane_mcp.worker.ledger import Ledger
from codex_control_plane_mcp.worker.quota import Patience
from codex_control_plane_mcp.worker.session import Session
from codex_control_plane_mcp.worker.silence import Silences

pytestmark = pytest.mark.anyio

ENDED = Notification("turn/completed", {"threadId": "ours", "turn": {"id": "turn-1", "status": "completed"}})
IDLE: JsonObject = {"type": "idle"}


class Talk:
    """A connection on which Codex says what the test has it say, and is slow to let a thread go."""

    def __init__(self) -> None:
        self._said: asyncio.Queue[Notification | None] = asyncio.Queue()
        self.leaving = asyncio.Event()
        self.may_leave = asyncio.Event()
        self.unsubscribed: list[str] = []

    def say(self, message: Notification | None) -> None:
        """Let this be heard; None is the end."""
        self._said.put_nowait(message)

    async def messages(self) -> AsyncIterator[Notification]:
        """Yield what was said."""
        while (message := await self._said.get()) is not None:
            yield message

    async def thread_unsubscribe(self, *, thread_id: str, **_: object) -> None:
        """Let go of a thread as soon as the test allows it."""
        self.leaving.set()
        await self.may_leave.wait()
        self.unsubscribed.append(thread_id)


@asynccontextmanager
async def followed(store: Store, talk: Talk) -> AsyncGenerator[Following]:
    """Give the followers of a talk; at the end all that was said is taken."""
    keeper, fence = hold_lease(store, worker_id="wrk_1", seconds=60)
    ledger = Ledger(store, keeper, fence)
    session = cast("Session", SimpleNamespace(generation=1, connection=talk, calls=talk))
    following = Following(
        session,
        ledger,
        Silences(20),
        approval_seconds=900,
        patience=Patience.of(Settings()),
        wake=lambda: None,
    )
    reading = asyncio.create_task(following.run())
    yield following
    talk.say(None)
    await reading
    ledger.close()
    keeper.release()


async def test_a_thread_of_somebody_else_is_not_followed(store: Store) -> None:
    """Codex tells of every thread to everybody, for as long as a connection lasts."""
    talk = Talk()
    async with followed(store, talk) as following:
        for number in range(3):
            talk.say(Notification("thread/status/changed", {"threadId": f"other-{number}", "status": IDLE}))
    assert following.threads == set()


async def test_a_thread_is_forgotten_when_its_turn_has_ended_and_no_task_is_on_it(store: Store) -> None:
    """What is still said of it then is the last of it."""
    talk = Talk()
    talk.may_leave.set()
    async with followed(store, talk) as following:
        async with following.holding("ours"):
            talk.say(ENDED)
            assert following.threads == {"ours"}
        talk.say(Notification("thread/status/changed", {"threadId": "ours", "status": IDLE}))
        await talk.leaving.wait()
        await following.caught_up("ours")
        assert following.threads == set()
    assert talk.unsubscribed == ["ours"]


async def test_a_thread_that_is_wanted_while_it_is_left_is_kept(store: Store) -> None:
    """The next task waits until Codex has let it go, and finds the follower that holds back its messages."""
    talk = Talk()
    async with followed(store, talk) as following:
        async with following.holding("ours"):
            talk.say(ENDED)
        await talk.leaving.wait()
        waiting = asyncio.create_task(hold(following, talk))
        await asyncio.sleep(0)
        talk.may_leave.set()
        await waiting
        assert following.threads == {"ours"}


async def hold(following: Following, talk: Talk) -> None:
    """Hold the thread, which must have been let go by then."""
    async with following.holding("ours"):
        assert talk.unsubscribed == ["ours"]
