"""Linking: one session at a time, made when there is work for it, made again when it breaks."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from codex_control_plane_contract.errors import CodexAppServerUnavailable, ControlPlaneError
from codex_control_plane_contract.settings import Settings
from codex_control_plane_contract.types import Error
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.codex import app_server
from codex_control_plane_mcp.store import Reader, Transaction
from codex_control_plane_mcp.worker.following import Following
from codex_control_plane_mcp.worker.ledger import Ledger
from codex_control_plane_mcp.worker.link import Link
from codex_control_plane_mcp.worker.quota import Patience
from codex_control_plane_mcp.worker.session import Session, open_session, require_login
from codex_control_plane_mcp.worker.silence import Silences

_LOG = logging.getLogger(__name__)
_STOP_GRACE_SECONDS = 5.0
_MOST_DOUBLINGS = 3
# An app-server that dies sooner than this after its predecessor did is not started again at once.
_STEADY_SECONDS = 30.0
# The first pause before a connection that is cut again and again is made anew; it doubles up to eightfold.
_CUT_PAUSE_SECONDS = 0.25


class Linking:
    """Owns the link to the app-server."""

    def __init__(
        self, ledger: Ledger, settings: Settings, state_directory: Path, *, wake: Callable[[], None]
    ) -> None:
        self._ledger = ledger
        self._settings = settings
        self._state_directory = state_directory
        self._wake = wake
        self._link: Link | None = None
        self._connecting: asyncio.Task[Link] | None = None
        self._reading: asyncio.Task[None] | None = None
        self._admitted: Link | None = None
        self._refused = False
        self._failures = 0
        self._deaths = Deaths()
        self._not_before = 0.0

    @property
    def link(self) -> Link | None:
        """The link, if there is one now; it may not take new tasks."""
        return self._link

    @property
    def open_link(self) -> Link | None:
        """The link, if there is one now that takes new tasks."""
        return self._link if self._link is self._admitted else None

    def current(self) -> Link | None:
        """Return the link, or None; begin to make one then, unless the last try has failed just now."""
        if self._link is None and self._connecting is None and self._pause() <= 0:
            task = self._begin()
            # Nobody may wait for it: its fault is on the worker's row.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return self._link

    async def ready(self) -> Link:
        """Return the link, made if need be.

        Raises what :func:`open_session` raises, and CODEX_APP_SERVER_UNAVAILABLE while an app-server that
        keeps dying is left alone.
        """
        if self._link is not None:
            return self._link
        if self._connecting is None and self._deaths.in_a_row and self._pause() > 0:
            raise self._dying()
        return await asyncio.shield(self._connecting or self._begin())

    async def admitted(self) -> Link:
        """Return the link once Codex can take a new task. Raises as `ready`, and if a login is missing.

        Only what begins needs a login: turns in flight are followed, answered and stopped without.
        """
        link = await self.ready()
        if link is not self._admitted:
            try:
                await require_login(link.session)
            except ControlPlaneError as error:
                self._refused = True
                await self._report(error.as_error(), _described(link.session))
                raise
            self._admitted = link
            if self._refused:
                self._refused = False
                await self._report(None, _described(link.session))
        return link

    def retry_in(self) -> float | None:
        """Return in how many seconds a link that failed or broke is tried again; None if none did, or one
        is being made: its end is told by ``wake``."""
        if self._link is not None or self._connecting is not None:
            return None
        failed = self._failures or self._deaths.in_a_row or self._deaths.breaks_in_a_row > 1
        return max(self._pause(), 0.0) if failed else None

    async def close(self) -> None:
        """Give the link up; the app-server goes on."""
        for task in (self._connecting, self._reading):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        if self._link is not None:
            await self._link.following.cancel()
            await self._link.session.connection.close()
            self._link = None

    async def stop_app_server(self) -> None:
        """End the app-server of the state directory, which must have no work in it."""
        await self.close()
        running = await app_server.adopt(self._state_directory)
        if running is not None:
            await app_server.stop(running, _STOP_GRACE_SECONDS)

    def _begin(self) -> asyncio.Task[Link]:
        self._connecting = asyncio.create_task(self._connect(), name="link")
        self._connecting.add_done_callback(lambda _: self._wake())
        return self._connecting

    async def _connect(self) -> Link:
        try:
            return await self._open()
        finally:
            # Not before the link is there: whoever looked in between would make a second one.
            self._connecting = None

    async def _open(self) -> Link:
        try:
            session = await open_session(self._settings, self._state_directory)
        except ControlPlaneError as error:
            self._failures += 1
            pause = self._settings.retry_seconds << min(self._failures - 1, _MOST_DOUBLINGS)
            self._not_before = asyncio.get_running_loop().time() + pause
            await self._report(error.as_error(), None)
            raise
        self._failures = 0
        self._deaths.opened(session.generation, asyncio.get_running_loop().time())
        self._link = link = self._linked(session)
        self._reading = asyncio.create_task(self._read(link), name="following")
        self._wake()
        await self._report(None, _described(session))
        return link

    def _linked(self, session: Session) -> Link:
        silences = Silences(self._settings.silence_seconds)
        following = Following(
            session,
            self._ledger,
            silences,
            approval_seconds=self._settings.approval_response_timeout_seconds,
            patience=Patience.of(self._settings),
            wake=self._wake,
        )
        return Link(session, following, silences)

    async def _read(self, link: Link) -> None:
        """Take the link's messages to the end; then there is no link, and the next round makes another."""
        await link.following.run()
        _LOG.warning("the connection to the app-server ended")
        self._link = None
        now = asyncio.get_running_loop().time()
        if self._deaths.closed(now):
            pause = self._settings.retry_seconds << min(self._deaths.in_a_row - 1, _MOST_DOUBLINGS)
            self._not_before = now + pause
            await self._report(self._dying().as_error(), None)
        elif (further := self._deaths.breaks_in_a_row - 1) > 0:
            self._not_before = now + _CUT_PAUSE_SECONDS * (1 << min(further - 1, _MOST_DOUBLINGS))
        self._wake()

    def _dying(self) -> CodexAppServerUnavailable:
        longest = self._settings.retry_seconds << _MOST_DOUBLINGS
        return CodexAppServerUnavailable(
            f"The app-server keeps ending within {_STEADY_SECONDS:.0f} seconds of its start; "
            f"the worker starts it again after a pause of up to {longest} seconds.",
            finding="app_server_exited",
        )

    def _pause(self) -> float:
        return self._not_before - asyncio.get_running_loop().time()

    async def _report(self, fault: Error | None, described: JsonObject | None) -> None:
        def tell(transaction: Transaction, reader: Reader) -> None:
            row = reader.worker(self._ledger.worker_id)
            if row is not None:
                transaction.touch(row.report_fault(last_fault=fault))
                transaction.touch(row.report_app_server(app_server=described))

        await self._ledger.change(tell)


class Deaths:
    """How often in a row an app-server died soon after it was started; times are the event loop's seconds.

    A connection that was merely cut is no death: the next one finds the same generation. ``breaks_in_a_row``
    counts the connections that did not last, whatever ended them.
    """

    def __init__(self) -> None:
        self.in_a_row = 0
        self.breaks_in_a_row = 0
        self._generation: int | None = None
        self._opened_at = 0.0
        self._soon = False

    def opened(self, generation: int, now: float) -> None:
        """Take note of a connection."""
        if self._generation not in (None, generation) and self._soon:
            self.in_a_row += 1
        self._generation, self._opened_at = generation, now

    def closed(self, now: float) -> bool:
        """Take note of its end; return whether the next one has to wait, because a death came before."""
        self._soon = now - self._opened_at < _STEADY_SECONDS
        self.breaks_in_a_row += 1
        if not self._soon:
            self.in_a_row = self.breaks_in_a_row = 0
        return self.in_a_row > 0


def _described(session: Session) -> JsonObject:
    return {
        "generation": session.generation,
        "version": session.app_server.version,
        "pid": session.app_server.identity.pid,
        "binarySource": session.binary.source,
        "startedAt": session.app_server.started_at_ms,
    }
