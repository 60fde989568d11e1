"""Waiting for a change of the store: no ring is lost, and time has an end."""

import asyncio
import threading
from pathlib import Path

from codex_control_plane_mcp.handlers.waiting import first_found, on_thread
from codex_control_plane_mcp.store import Bells


def test_what_is_there_already_is_found_at_once(tmp_path: Path) -> None:
    """The first look needs no bell."""
    with Bells(tmp_path / "bells").listen() as listener:
        assert asyncio.run(first_found(lambda: "here", listener, 60)) == "here"


def test_a_ring_leads_to_another_look(tmp_path: Path) -> None:
    """What a bell announces is found."""
    bells = Bells(tmp_path / "bells")
    looks = iter([None, "now"])

    def look() -> str | None:
        found = next(looks)
        bells.ring()
        return found

    with bells.listen() as listener:
        assert asyncio.run(first_found(look, listener, 60)) == "now"


def test_a_ring_before_the_first_look_is_harmless(tmp_path: Path) -> None:
    """An old ring costs one look more, and not one after the other for as long as the call waits."""
    bells = Bells(tmp_path / "bells")
    looks: list[str] = []
    with bells.listen() as listener:
        bells.ring()
        assert asyncio.run(first_found(lambda: looks.append("look"), listener, 0.2)) is None
    assert len(looks) <= 2


def test_waiting_ends_when_the_time_is_up(tmp_path: Path) -> None:
    """Nothing found is an answer."""
    with Bells(tmp_path / "bells").listen() as listener:
        assert asyncio.run(first_found(lambda: None, listener, 0.01)) is None


def test_work_leaves_the_event_loop_free() -> None:
    """A slow read delays no other call."""

    async def scenario() -> None:
        release = threading.Event()
        work = asyncio.create_task(on_thread(lambda: release.wait(60)))
        await asyncio.sleep(0)
        release.set()
        assert await work is True

    asyncio.run(scenario())
