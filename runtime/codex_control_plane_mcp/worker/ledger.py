"""The executing worker's access to the store: off the event loop, fenced, one write at a time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from codex_control_plane_mcp.store import Fence, FenceLost, LeaseKeeper, Reader, Store, Transaction

ResultT = TypeVar("ResultT")


class Ledger:
    """Reads and changes for one holder of the executor lease.

    A decision is a function of the open transaction and of reads inside it, so what it reads cannot change
    under it; several worker tasks never race. Writes queue on one thread, reads on another: the event loop
    never waits for the disk (docs/architecture.md, Nothing blocks).
    """

    def __init__(self, store: Store, keeper: LeaseKeeper, fence: Fence) -> None:
        self.store = store
        self.worker_id = fence.holder
        self._keeper = keeper
        self._fence = fence
        self._writing = ThreadPoolExecutor(1, "store-write")
        self._reading = ThreadPoolExecutor(1, "store-read")

    def close(self) -> None:
        """Wait for what is under way and end the threads."""
        self._writing.shutdown()
        self._reading.shutdown()

    def require_lease(self) -> None:
        """Raise FenceLost unless the lease is certain; asked right before a call that changes something."""
        if self._keeper.lease is None:
            raise FenceLost("the executor lease is not certain any more")

    async def read(self, question: Callable[[Reader], ResultT]) -> ResultT:
        """Return the answer to ``question`` on one consistent snapshot."""

        def ask() -> ResultT:
            with self.store.read() as reader:
                return question(reader)

        return await asyncio.get_running_loop().run_in_executor(self._reading, ask)

    async def change(self, decision: Callable[[Transaction, Reader], ResultT]) -> ResultT:
        """Commit what ``decision`` applies and return what it returns.

        Raises FenceLost once the lease is not certain any more; nothing is committed then.
        """

        def decide() -> ResultT:
            self.require_lease()
            with self.store.transaction(self.worker_id, self._fence) as (transaction, reader):
                return decision(transaction, reader)

        # Shielded: a commit that has begun is waited for, so that its outcome is never in doubt here.
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._writing, decide))
