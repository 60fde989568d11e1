"""Orders whose work meets a fault that nobody expected."""

import asyncio
from typing import cast

import pytest

from codex_control_plane_mcp.testing.played_worker import PlayedWorker
from codex_control_plane_mcp.testing.tool_caller import ToolCaller
from codex_control_plane_mcp.worker.commands import Commander
from codex_control_plane_mcp.worker.ledger import Ledger
from codex_control_plane_mcp.worker.link import Link


class Broken:
    """Acts on no thread."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    async def carry_out(self, *_: object) -> None:
        """Fail."""
        raise RuntimeError("on purpose")


def test_an_order_that_met_a_fault_is_begun_again(
    client: ToolCaller,
    running: str,
    worker: PlayedWorker,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """After a pause, though nothing else happens that would wake anybody."""
    monkeypatch.setattr("codex_control_plane_mcp.worker.commands.ThreadActor", Broken)
    monkeypatch.setattr("codex_control_plane_mcp.worker.commands._FAULT_PAUSE_SECONDS", 0.01)
    worker.complete(running)
    client.call("codex_start_thread_compaction", thread_id="thread-1", timeout_seconds=1)
    lease = worker.keeper.lease
    assert lease is not None
    ledger = Ledger(client.store, worker.keeper, lease.fence)

    async def carry_out_twice() -> None:
        woken = asyncio.Event()
        commander = Commander(ledger, woken.set, silence_seconds=1)
        for _ in range(2):
            woken.clear()
            await commander.carry_out(cast("Link", None))
            await asyncio.wait_for(woken.wait(), 10)

    try:
        asyncio.run(carry_out_twice())
    finally:
        ledger.close()
    assert caplog.text.count("incident inc_") == 2
