"""Backpressure: what the worker makes of the calls that Codex has not answered."""

import os
from types import SimpleNamespace
from typing import cast

import pytest

from codex_control_plane_contract.lifecycles import worker
from codex_control_plane_mcp.process_identity import identify
from codex_control_plane_mcp.store import Store
from codex_control_plane_mcp.testing.held_lease import hold_lease
from codex_control_plane_mcp.testing.manual_clock import NOON
from codex_control_plane_mcp.worker.ledger import Ledger
from codex_control_plane_mcp.worker.link import Link
from codex_control_plane_mcp.worker.pressure import Pressure


def link_with(pending: int) -> Link:
    """Return a link on which so many calls wait for their replies."""
    connection = SimpleNamespace(pending_calls=pending)
    return cast("Link", SimpleNamespace(session=SimpleNamespace(connection=connection)))


@pytest.mark.anyio
async def test_the_worker_says_when_it_begins_and_when_it_is_over(store: Store) -> None:
    """At the limit nothing is to be started; the row of the worker tells the servers."""
    identity = identify(os.getpid())
    assert identity is not None
    keeper, fence = hold_lease(store, worker_id="wrk_1", seconds=60)
    with store.transaction("wrk_1") as (transaction, _):
        transaction.apply(
            worker.register(
                worker_id="wrk_1",
                pid=identity.pid,
                process_started=identity.started,
                hostname="here",
                version="0",
                contract_hash="",
                execution_mode="worker",
            )
        )

    def pressed_at() -> int | None:
        with store.read() as reader:
            row = reader.worker("wrk_1")
        assert row is not None
        return row.pressed_at

    ledger = Ledger(store, keeper, fence)
    pressure = Pressure(ledger, limit=8)
    assert not await pressure.is_too_high(None)
    assert not await pressure.is_too_high(link_with(7))
    assert pressed_at() is None
    assert await pressure.is_too_high(link_with(8))
    assert pressed_at() == NOON
    assert not await pressure.is_too_high(link_with(7))
    assert pressed_at() is None
    ledger.close()
    keeper.release()
