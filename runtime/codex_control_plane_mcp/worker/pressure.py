"""Backpressure: no task is started while Codex has too many of our calls to answer (contract §8)."""

from codex_control_plane_mcp.store import Reader, Transaction
from codex_control_plane_mcp.worker.ledger import Ledger
from codex_control_plane_mcp.worker.link import Link


class Pressure:
    """Measures it before each start, and keeps the worker's row up to date, which servers read it from."""

    def __init__(self, ledger: Ledger, *, limit: int) -> None:
        self._ledger = ledger
        self._limit = limit
        self.is_on = False

    async def is_too_high(self, link: Link | None) -> bool:
        """Return whether `limit` or more calls wait for their replies; without a link none does."""
        is_on = link is not None and link.session.connection.pending_calls >= self._limit
        if is_on != self.is_on:
            self.is_on = is_on
            await self._ledger.change(self._report)
        return is_on

    def _report(self, transaction: Transaction, reader: Reader) -> None:
        row = reader.worker(self._ledger.worker_id)
        if row is not None:
            transaction.touch(row.report_pressure() if self.is_on else row.report_relief())
