"""The queue of a store, played step by step: real submissions, decisions and claims under a fence."""

from collections.abc import Sequence
from dataclasses import dataclass

from codex_control_plane_contract.lifecycles import operation
from codex_control_plane_contract.lifecycles.operation import Priority, Sandbox
from codex_control_plane_contract.settings import Settings
from codex_control_plane_contract.types import QueueReason
from codex_control_plane_mcp.scheduling import Schedule, normalised_keys, rank
from codex_control_plane_mcp.store import Fence, Store, Transaction
from codex_control_plane_mcp.store.identifiers import new_id
from codex_control_plane_mcp.testing.played_worker import FAULT


@dataclass(frozen=True, slots=True)
class Wish:
    """What a played client asks for; `project` is the path of the project."""

    project: str = "/p"
    agent: str = ""
    sandbox: Sandbox = "read-only"
    keys: Sequence[str] = ()
    priority: Priority = "normal"
    thread: str | None = None


class PlayedQueue:
    """Submits, starts and ends tasks of one store, as worker `fence.holder`."""

    def __init__(self, store: Store, fence: Fence, settings: Settings) -> None:
        self._store = store
        self._fence = fence
        self._settings = settings

    def submit(self, *wishes: Wish) -> list[str]:
        """Submit tasks in one commit; return their ids."""
        with self._store.transaction("client") as (transaction, _):
            return [self._submit(transaction, wish) for wish in wishes]

    def start(self) -> str | None:
        """Claim the task that comes next, in one transaction; return its id, or None if none may start."""
        with self._store.transaction(self._fence.holder, self._fence) as (transaction, reader):
            row = Schedule(reader, self._settings, now=transaction.now).next()
            if row is None:
                return None
            return transaction.apply(row.claim(worker_id=self._fence.holder)).operation_id

    def start_all(self) -> list[str]:
        """Claim for as long as something may start; return the ids in order."""
        started: list[str] = []
        while (operation_id := self.start()) is not None:
            started.append(operation_id)
        return started

    def end(self, operation_id: str) -> None:
        """End a task that was claimed."""
        with self._store.transaction(self._fence.holder, self._fence) as (transaction, reader):
            row = reader.operation(operation_id)
            assert isinstance(row, operation.StartingAppServer)
            transaction.apply(row.fail(last_error=FAULT), by="worker", evidence="a test ends it")

    def reason(self, operation_id: str, *, pressed: bool = False) -> QueueReason:
        """Return why a task waits."""
        with self._store.read() as reader:
            row = reader.operation(operation_id)
            assert isinstance(row, operation.Queued)
            schedule = Schedule(reader, self._settings, now=self._store.clock.now(), pressed=pressed)
            return schedule.reason(row)

    def _submit(self, transaction: Transaction, wish: Wish) -> str:
        change = operation.submit(
            operation_id=new_id(operation.ID_PREFIX, transaction.now),
            operation_type="start_chat" if wish.thread is None else "send_message",
            payload_hash="hash",
            message="Play along.",
            runs_turn=True,
            project_id=wish.project,
            project_path=wish.project,
            cwd=wish.project,
            sandbox=wish.sandbox,
            approval_policy="never",
            timeout_seconds=60,
            recovery_policy="report",
            max_continuations=1,
            agent_id=wish.agent,
            resource_keys=[*normalised_keys(wish.keys)],
            priority=wish.priority,
            estimated_cost_class="normal",
            ranked_at=rank(transaction.now, wish.priority, self._settings),
            thread_id=wish.thread,
        )
        return transaction.apply(change).operation_id
