"""One link to the app-server at a time, whoever asks for it meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from codex_control_plane_contract.settings import Settings
from codex_control_plane_mcp.worker import linking
from codex_control_plane_mcp.worker.ledger import Ledger
from codex_control_plane_mcp.worker.session import Session

pytestmark = pytest.mark.anyio


class SlowLedger:
    """A ledger whose commits wait until they are let go."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.go = asyncio.Event()

    async def change(self, _decision: object) -> None:
        """Wait."""
        self.asked.set()
        await self.go.wait()


async def _silence() -> AsyncIterator[object]:
    await asyncio.Event().wait()
    yield None


async def _the_end() -> AsyncIterator[object]:
    for message in list[object]():
        yield message


async def _nothing() -> None:
    return


def session(messages: Callable[[], AsyncIterator[object]] = _silence) -> Session:
    """Return a session of one app-server; in it nothing is ever said, unless given otherwise."""
    return cast(
        "Session",
        SimpleNamespace(
            generation=1,
            app_server=SimpleNamespace(version="1", identity=SimpleNamespace(pid=1), started_at_ms=1),
            binary=SimpleNamespace(source="path"),
            connection=SimpleNamespace(messages=messages, close=_nothing),
        ),
    )


def test_the_first_death_is_made_good_at_once() -> None:
    """Only the next one soon after has to wait, and each further one counts."""
    deaths = linking.Deaths()
    deaths.opened(1, 0)
    assert not deaths.closed(1)
    deaths.opened(2, 1)
    assert deaths.closed(2)
    deaths.opened(3, 10)
    assert deaths.closed(11)
    assert deaths.in_a_row == 2


def test_a_connection_that_is_cut_is_no_death() -> None:
    """The same app-server is found again."""
    deaths = linking.Deaths()
    for moment in range(5):
        deaths.opened(1, moment)
        assert not deaths.closed(moment + 0.5)


def test_a_steady_app_server_wipes_the_slate() -> None:
    """Its death is a first one again."""
    deaths = linking.Deaths()
    for generation in (1, 2, 3):
        deaths.opened(generation, generation)
        deaths.closed(generation)
    assert deaths.in_a_row == 2
    assert not deaths.closed(1000)


async def test_a_link_that_is_being_made_is_not_made_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A round that comes while the new link is still being recorded takes that one."""
    opened = list[Session]()

    async def open_session(_settings: Settings, _directory: Path) -> Session:
        opened.append(session())
        return opened[-1]

    monkeypatch.setattr(linking, "open_session", open_session)
    ledger = SlowLedger()
    links = linking.Linking(cast("Ledger", ledger), Settings(), tmp_path, wake=lambda: None)
    first = asyncio.ensure_future(links.ready())
    await ledger.asked.wait()
    looked = links.current()
    ledger.go.set()
    assert await first is await links.ready()
    assert looked in (None, await first)
    assert len(opened) == 1
    await links.close()


async def test_a_connection_that_is_cut_again_and_again_is_made_anew_after_pauses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first cut is made good at once; what cuts the second will cut the third, too."""
    woken = asyncio.Event()
    opened = list[Session]()

    async def open_session(_settings: Settings, _directory: Path) -> Session:
        opened.append(session(_the_end))
        return opened[-1]

    monkeypatch.setattr(linking, "open_session", open_session)
    ledger = SlowLedger()
    ledger.go.set()
    links = linking.Linking(cast("Ledger", ledger), Settings(), tmp_path, wake=woken.set)
    async with asyncio.timeout(30):
        while (pause := links.retry_in()) is None:
            links.current()
            await woken.wait()
            woken.clear()
    assert pause > 0
    assert links.current() is None
    assert len(opened) == 2
    await links.close()
