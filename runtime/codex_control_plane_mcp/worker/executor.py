"""The executor: what the holder of the lease does, one round after the other, each woken by an event.

A round is short and never waits for Codex: it declines what is overdue, closes what is done, starts what may
start. Tasks of their own carry operations, commands and reconciliation; whatever they change rings the bell
for the next round.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from codex_control_plane_contract.codex import ReplyInvalid
from codex_control_plane_contract.errors import ControlPlaneError, InternalError
from codex_control_plane_contract.lifecycles import operation
from codex_control_plane_contract.settings import Settings
from codex_control_plane_mcp import doubts
from codex_control_plane_mcp.codex.errors import CallError
from codex_control_plane_mcp.scheduling import Schedule
from codex_control_plane_mcp.store import STATE_FAULTS, Reader, Transaction
from codex_control_plane_mcp.store.goal_standing import GoalStanding
from codex_control_plane_mcp.worker import asking, doubting, goal_decisions
from codex_control_plane_mcp.worker.carrying import Carrying
from codex_control_plane_mcp.worker.commands import Commander, close_fulfilled
from codex_control_plane_mcp.worker.continuation import replenish
from codex_control_plane_mcp.worker.faults import Deferred
from codex_control_plane_mcp.worker.goal_keeping import GoalKeeper
from codex_control_plane_mcp.worker.ledger import Ledger
from codex_control_plane_mcp.worker.link import Link
from codex_control_plane_mcp.worker.linking import Linking
from codex_control_plane_mcp.worker.lookup import goes_on
from codex_control_plane_mcp.worker.pressure import Pressure
from codex_control_plane_mcp.worker.quota import Patience
from codex_control_plane_mcp.worker.reconciliation import Reconciler
from codex_control_plane_mcp.worker.starting import Claimed, Starter
from codex_control_plane_mcp.worker.steering import Steerer
from codex_control_plane_mcp.worker.unexpected import note_fault

_LOG = logging.getLogger(__name__)
# Pace of a second look at what could not be settled.
_PAUSE_SECONDS = 2.0
_LONGEST_PAUSE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Agenda:
    """What one look at the store shows; times are milliseconds since the epoch."""

    overdue: bool
    claimable: bool
    in_hand: Sequence[operation.Operation]
    commands: bool
    goals: Sequence[GoalStanding]
    now: int
    due: Sequence[int | None]


class Executor:
    """Drives Codex for as long as its fence holds."""

    def __init__(self, ledger: Ledger, settings: Settings, state_directory: Path) -> None:
        self._ledger = ledger
        self._settings = settings
        self._pressure = Pressure(ledger, limit=settings.max_app_server_pending_requests)
        self._patience = Patience.of(settings)
        self._woken = asyncio.Event()
        self._steerer = Steerer(ledger, retry_seconds=settings.retry_seconds)
        self._starter = Starter(ledger, settings, self._steerer)
        self._commander = Commander(ledger, self.wake, silence_seconds=settings.silence_seconds)
        self._goals = GoalKeeper(ledger, self.wake)
        self._linking = Linking(ledger, settings, state_directory, wake=self.wake)
        self._carrying = Carrying(self.wake, self._note_fault)
        self._settled: dict[str, Link] = {}
        self._settled_with: Link | None = None
        self.busy = True

    def wake(self) -> None:
        """Ask for a round; to be called from the event loop."""
        self._woken.set()

    async def run(self) -> None:
        """Work until cancelled. Raises FenceLost once the lease is gone."""
        while True:
            self._woken.clear()
            try:
                due = await self._round()
            except ControlPlaneError as fault:
                # The store is locked, full or away: nothing is lost by trying again.
                _LOG.warning("round given up: %s", fault)
                due = _PAUSE_SECONDS
            try:
                async with asyncio.timeout(due):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def drain(self, seconds: float) -> None:
        """Let what is on its way to Codex arrive, for at most so long."""
        await self._carrying.drain(seconds)

    async def close(self) -> None:
        """Stop every task at once; the app-server and what runs in it go on."""
        await self._carrying.cancel()
        await self._commander.cancel()
        await self._goals.cancel()
        await self._linking.close()

    async def stop_app_server(self) -> None:
        """End the app-server; to be called with no work in it."""
        await self._linking.stop_app_server()

    async def _round(self) -> float | None:
        """Do what is due now; return in how many seconds something falls due next, None if nothing does."""
        agenda = await self._ledger.read(self._look)
        if agenda.overdue or agenda.commands:
            await self._ledger.change(self._clear)
        if agenda.claimable or agenda.overdue:
            await self._claim()
        look = None
        goals_due = any(standing.is_due for standing in agenda.goals)
        self.busy = bool(agenda.in_hand or agenda.commands or goals_due or self._carrying)
        if agenda.in_hand or agenda.commands or goals_due:
            link = self._linking.current()
            if link is not None:
                if self._settled_with is not link:
                    await self._ledger.change(
                        partial(asking.close_leftovers, generation=link.session.generation)
                    )
                self._reconcile(agenda.in_hand, link)
                look = self._attend(agenda.in_hand, link)
                await self._commander.carry_out(link)
        if self._linking.link is not None:
            self._goals.carry_out(agenda.goals, self._linking.link)
        return self._pause(agenda, look)

    async def _claim(self) -> None:
        """Take up what may start, one after the other, for as long as Codex keeps up with its calls."""
        while not await self._pressure.is_too_high(link := self._linking.open_link):
            claimed = await self._starter.claim(link, seen_by=self._linking.link)
            if claimed is None:
                return
            self._carrying.carry(claimed.operation_id, partial(self._start, claimed, link))

    def _look(self, reader: Reader) -> Agenda:
        now, goals = self._ledger.store.clock.now(), reader.goal_standings()
        return Agenda(
            overdue=bool(reader.lapsed_interactions(now) or reader.replenished_operations(now))
            or any(standing.is_void for standing in goals),
            claimable=Schedule(reader, self._settings, now=now).next() is not None
            or bool(reader.queued_without_turn(now)),
            in_hand=reader.operations_in_hand(),
            commands=bool(reader.open_commands()),
            goals=goals,
            now=now,
            due=[reader.next_attempt_due(now), reader.next_deadline(), reader.next_reset()],
        )

    def _clear(self, transaction: Transaction, reader: Reader) -> None:
        for question in reader.lapsed_interactions(transaction.now):
            asking.lapse(transaction, question)
        replenish(transaction, reader)
        goal_decisions.drop_threadless(transaction, reader)
        close_fulfilled(transaction, reader, worker_id=self._ledger.worker_id)

    def _pause(self, agenda: Agenda, look: float | None) -> float | None:
        pauses = [max(time - agenda.now, 0) / 1000 for time in agenda.due if time is not None]
        retry = self._linking.retry_in()
        if retry is not None and self.busy:
            pauses.append(retry)
        if look is not None:
            pauses.append(look)
        if self._pressure.is_on:
            # Replies wake nobody.
            pauses.append(_PAUSE_SECONDS)
        # The store's clock decides, and a computer that slept has another idea of how much time has passed.
        return min([*pauses, _LONGEST_PAUSE_SECONDS]) if pauses else None

    def _reconcile(self, in_hand: Sequence[operation.Operation], link: Link) -> None:
        """Settle, once per link, what was in hand before this link and is carried by no task."""
        if self._settled_with is not link:
            # What has begun on this very link, before this round came to see it, needs no settling.
            self._settled = {name: other for name, other in self._settled.items() if other is link}
            self._settled_with = link
        known = {row.operation_id for row in in_hand} | self._carrying.operations()
        self._settled = {name: other for name, other in self._settled.items() if name in known}
        for row in in_hand:
            if row.operation_id not in self._carrying and self._settled.get(row.operation_id) is not link:
                self._carrying.carry(row.operation_id, partial(self._settle, row.operation_id, link))

    def _attend(self, in_hand: Sequence[operation.Operation], link: Link) -> float | None:
        """Look after the turns on which nothing was heard for too long.

        Returns in how many seconds the next one is to be looked up if it stays silent, None without a turn.
        """
        now = asyncio.get_running_loop().time()
        turns = {row.turn_id: row for row in in_hand if isinstance(row, operation.InTurn)}
        threads = {turn_id: row.thread_id for turn_id, row in turns.items()}
        for turn_id in link.silences.attend(threads, now):
            row = turns[turn_id]
            if row.operation_id not in self._carrying:
                self._carrying.carry(row.operation_id, partial(self._look_up, row, link))
        due = link.silences.next_look()
        return None if due is None else due - now

    async def _start(self, claimed: Claimed, link: Link | None) -> None:
        self._settled.pop(claimed.operation_id, None)
        try:
            link = link or await self._linking.admitted()
        except STATE_FAULTS:
            raise
        except ControlPlaneError as error:
            await self._starter.give_back(claimed.operation_id, error)
            return
        if await self._starter.start(claimed, link):
            self._settled[claimed.operation_id] = link
        else:
            await self._settle(claimed.operation_id, link)

    async def _note_fault(self, operation_id: str, error: InternalError) -> None:
        """Write a fault of ours on its task, which is settled anew."""
        self._settled.pop(operation_id, None)
        retry_ms = self._settings.retry_seconds * 1000
        await self._ledger.change(
            lambda tx, reader: note_fault(tx, reader, operation_id, error, retry_ms=retry_ms)
        )

    async def _look_up(self, row: operation.InTurn, link: Link) -> None:
        """Settle a silent turn, unless Codex says that it goes on."""
        try:
            if await goes_on(self._ledger, link, row):
                return
        except (CallError, ReplyInvalid) as fault:
            # The next look, or the next link, asks again.
            _LOG.warning("cannot look up the silent turn %s: %s", row.turn_id, fault)
            return
        _LOG.warning("turn %s was silent and is not what it was: its history decides", row.turn_id)
        self._settled.pop(row.operation_id, None)
        await self._settle(row.operation_id, link)

    async def _settle(self, operation_id: str, link: Link) -> None:
        """Reconcile one operation; what cannot be settled now is tried again with a pause."""
        row = await self._ledger.read(lambda reader: reader.operation(operation_id))
        if row is None:
            return
        try:
            await Reconciler(self._ledger, link, self._patience, self._steerer).reconcile(row)
        except (Deferred, *STATE_FAULTS) as reason:
            _LOG.warning("cannot settle %s yet: %s", operation_id, reason)
            if isinstance(reason, Deferred):
                message = f"What became of it cannot be looked up yet: {reason}"
                await self._ledger.change(lambda tx, reader: doubting.note(tx, reader, operation_id, message))
            await asyncio.sleep(_PAUSE_SECONDS)
            return
        if doubts.in_doubt(row):
            await self._ledger.change(lambda tx, reader: doubting.clear(tx, reader, operation_id))
        self._settled[operation_id] = link
