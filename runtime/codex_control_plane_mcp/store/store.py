"""The store of one state file: transactions that change, reads that do not."""

import contextlib
import queue
import sqlite3
from collections.abc import Generator
from pathlib import Path
from typing import Self

from codex_control_plane_mcp.fail_points import COURSE
from codex_control_plane_mcp.store.bells import Bells
from codex_control_plane_mcp.store.clock import Clock, SystemClock
from codex_control_plane_mcp.store.database import connect, prepare
from codex_control_plane_mcp.store.faults import explained
from codex_control_plane_mcp.store.reading import Reader
from codex_control_plane_mcp.store.transaction import Author, Fence, Transaction


class Store:
    """An open state file; usable from any thread. Made by :meth:`open`."""

    def __init__(self, path: Path, *, clock: Clock, busy_seconds: float) -> None:
        self.path = path
        self.clock = clock
        self.bells = Bells(path.parent / "bells")
        self._busy_seconds = busy_seconds
        self._idle: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()

    @classmethod
    def open(cls, path: Path, *, clock: Clock | None = None, busy_seconds: float = 10.0) -> Self:
        """Return the store of ``path``, created or migrated as needed.

        Raises CODEX_STATE_UNUSABLE (corrupt, newer, read-only, network file system; the file stays as it
        is) and CODEX_STATE_BUSY (locked for longer than ``busy_seconds``).
        """
        prepare(path, busy_seconds=busy_seconds)
        return cls(path, clock=clock or SystemClock(), busy_seconds=busy_seconds)

    def close(self) -> None:
        """Close the idle connections; call it when no thread is inside the store."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def read(self) -> Generator[Reader, None, None]:
        """Give reads of one consistent snapshot."""
        with self._connection() as connection:
            connection.execute("BEGIN")
            try:
                yield Reader(connection)
            finally:
                # Some faults have ended the transaction already.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextlib.contextmanager
    def transaction(
        self, actor_id: str, fence: Fence | None = None
    ) -> Generator[tuple[Transaction, Reader], None, None]:
        """Give a write transaction and reads that see it; commit at the end, roll back on any exception.

        ``actor_id`` names the process in the journal; ``fence`` is the executing worker's. The bells ring
        after a commit that changed something.
        """
        with self._connection() as connection:
            COURSE.before_begin()
            connection.execute("BEGIN IMMEDIATE")
            before = connection.total_changes
            try:
                transaction = Transaction(connection, Author(actor_id, fence), self.clock.now())
                yield transaction, Reader(connection)
                transaction.passes("before_commit")
                connection.execute("COMMIT")
                transaction.passes("committed")
                transaction.passes("reply_lost")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            changed = connection.total_changes > before
        if changed:
            self.bells.ring()

    @contextlib.contextmanager
    def _connection(self) -> Generator[sqlite3.Connection, None, None]:
        with explained(self.path):
            try:
                connection = self._idle.get_nowait()
            except queue.Empty:
                connection = connect(self.path, busy_seconds=self._busy_seconds)
            faulty = False
            try:
                yield connection
            except sqlite3.Error as fault:
                # Such a connection may hold a broken state, unless a rule of the schema said no.
                faulty = not isinstance(fault, sqlite3.IntegrityError)
                raise
            finally:
                if faulty:
                    connection.close()
                else:
                    self._idle.put(connection)
