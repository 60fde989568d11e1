"""Starting an operation when the store, not Codex, is at fault: the store is real, and so is its lock."""

import sqlite3
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from codex_control_plane_contract.errors import CodexStateBusy
from codex_control_plane_contract.lifecycles import attempt, operation
from codex_control_plane_contract.settings import Settings
from codex_control_plane_mcp.store import Store
from codex_control_plane_mcp.testing.held_lease import hold_lease
from codex_control_plane_mcp.worker.ledger import Ledger
from codex_control_plane_mcp.worker.link import Link
from codex_control_plane_mcp.worker.starting import Starter
from codex_control_plane_mcp.worker.steering import Steerer


class AcceptingCalls:
    """Says yes to every call, and locks the store for good before it says yes to turn/start."""

    def __init__(self, lock: sqlite3.Connection) -> None:
        self._lock = lock
        self.prompts: list[str] = []

    async def thread_start(self, **_: object) -> object:
        """Accept."""
        return {"thread": {"id": "thread-1"}, "model": "mock-model"}

    async def turn_start(self, *, client_user_message_id: str, **_: object) -> object:
        """Accept, while nothing can be recorded any more."""
        self.prompts.append(client_user_message_id)
        self._lock.execute("BEGIN IMMEDIATE")
        return {"turn": {"id": "turn-1", "status": "inProgress"}}


class NoMessages:
    """Followers of threads on which nothing is said."""

    @asynccontextmanager
    async def holding(self, _: str) -> AsyncGenerator[None, None]:
        """Hold nothing."""
        yield


@pytest.fixture
def impatient_store(tmp_path: Path) -> Iterator[Store]:
    """A store that gives up a lock at once, with one operation in the queue."""
    with Store.open(tmp_path / "state" / "state.sqlite", busy_seconds=0.05) as store:
        with store.transaction("client") as (transaction, _):
            transaction.apply(
                operation.submit(
                    operation_id="op_1",
                    operation_type="start_chat",
                    payload_hash="hash",
                    message="Do it once.",
                    runs_turn=True,
                    project_id="project",
                    project_path="/",
                    agent_id="",
                    resource_keys=[],
                    priority="normal",
                    estimated_cost_class="normal",
                    ranked_at=0,
                    cwd="/",
                    sandbox="read-only",
                    approval_policy="never",
                    timeout_seconds=5,
                    recovery_policy="report",
                    max_continuations=1,
                )
            )
        yield store


@pytest.mark.anyio
async def test_a_locked_store_after_the_reply_never_gives_a_sent_prompt_back(impatient_store: Store) -> None:
    """What Codex has accepted is left to reconciliation: given back to the queue it would be sent again."""
    keeper, fence = hold_lease(impatient_store, worker_id="wrk_1", seconds=60)
    ledger = Ledger(impatient_store, keeper, fence)
    lock = sqlite3.connect(impatient_store.path, isolation_level=None, check_same_thread=False)
    calls = AcceptingCalls(lock)
    link = cast(
        "Link", SimpleNamespace(session=SimpleNamespace(generation=1, calls=calls), following=NoMessages())
    )
    starter = Starter(ledger, replace(Settings(), retry_seconds=1), Steerer(ledger, retry_seconds=1))
    claimed = await starter.claim(link, seen_by=link)
    assert claimed is not None
    with pytest.raises(CodexStateBusy):
        await starter.start(claimed, link)
    lock.close()
    with impatient_store.read() as reader:
        assert isinstance(reader.operation("op_1"), operation.StartingTurn)
        assert isinstance(reader.open_attempt_of("op_1", "turn_start"), attempt.Sent)
    assert len(calls.prompts) == 1
    ledger.close()
    keeper.release()
