"""Following threads: every message of Codex about a thread, in order, turned into one decision each."""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncGenerator, Callable, Set
from functools import partial

from codex_control_plane_contract import codex
from codex_control_plane_mcp import plans, questions
from codex_control_plane_mcp.codex.errors import CallError
from codex_control_plane_mcp.codex.messages import Notification, ServerRequest
from codex_control_plane_mcp.store import FenceLost, Reader, Transaction
from codex_control_plane_mcp.worker import asking, progress, proposing, refusals
from codex_control_plane_mcp.worker.endings import codex_error, read_end
from codex_control_plane_mcp.worker.follower import Follower
from codex_control_plane_mcp.worker.ledger import Ledger
from codex_control_plane_mcp.worker.quota import Patience, UsageLimits
from codex_control_plane_mcp.worker.session import Session
from codex_control_plane_mcp.worker.silence import Silences
from codex_control_plane_mcp.worker.turns import end_turn

_LOG = logging.getLogger(__name__)
_UNSUPPORTED = -32601
_CALL_SECONDS = 10.0
_GOAL_CHANGES = frozenset({codex.ThreadGoalUpdated.method, codex.ThreadGoalCleared.method})


class Following:
    """The followers of one session: of each thread that a task is on, from when it is first held.

    Codex tells every client of every thread; what it says of the others is passed over.
    """

    def __init__(
        self,
        session: Session,
        ledger: Ledger,
        silences: Silences,
        *,
        approval_seconds: int,
        patience: Patience,
        wake: Callable[[], None],
    ) -> None:
        self._session = session
        self._ledger = ledger
        self._silences = silences
        self._approval_ms = approval_seconds * 1000
        self._patience = patience
        self._limits = UsageLimits()
        self._wake = wake
        self._followers: dict[str, Follower] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._ends: dict[str, asyncio.Event] = {}
        self._goal_changes: set[str] = set()
        self.started_turns: set[str] = set()
        self.asked: set[str] = set()

    @property
    def threads(self) -> Set[str]:
        """The threads that are followed."""
        return self._followers.keys()

    async def run(self) -> None:
        """Read the session to its end; return when everything that arrived is recorded."""
        try:
            async for message in self._session.connection.messages():
                await self._dispatch(message)
        finally:
            for follower in self._followers.values():
                follower.inbox.put_nowait(None)
            for end in self._ends.values():
                end.set()
        await asyncio.gather(*self._tasks)

    async def cancel(self) -> None:
        """Stop at once; nothing more is recorded."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def holding(self, thread_id: str) -> AsyncGenerator[None, None]:
        """Follow a thread, and let its messages wait while its turn is being started or reconciled."""
        follower = self._followers.setdefault(thread_id, Follower())
        async with follower.alone():
            follower.left = False
            yield
        self._forget_left(thread_id, follower)

    def end_of_turn(self, thread_id: str) -> asyncio.Event:
        """Return what is set when a turn of a followed thread ends, or the session does."""
        return self._ends.setdefault(thread_id, asyncio.Event())

    async def caught_up(self, thread_id: str) -> None:
        """Return when every message of a followed thread that has arrived so far is recorded."""
        if thread_id not in self._followers:
            return
        reached = asyncio.Event()
        self._put(thread_id, reached)
        async with asyncio.timeout(_CALL_SECONDS):
            await reached.wait()

    def take_goal_changes(self) -> Set[str]:
        """Return the threads of whose goals Codex has told something since this was asked last."""
        changed, self._goal_changes = self._goal_changes, set()
        return changed

    async def _dispatch(self, message: Notification | ServerRequest) -> None:
        self._silences.hear(message.params, asyncio.get_running_loop().time())
        thread_id = message.params.get("threadId")
        if isinstance(thread_id, str):
            if message.method in _GOAL_CHANGES:
                # In no order with what is asked of goals, so it says no more than that one may look.
                self._goal_changes.add(thread_id)
                self._wake()
            elif thread_id in self._followers:
                self._put(thread_id, message)
        elif isinstance(message, ServerRequest):
            await self._refuse(message)
        else:
            self._note(message)

    def _note(self, message: Notification) -> None:
        """Take in at once what is said of no thread: it comes before the end of the turn that it explains."""
        notification = codex.read_notification(message.method, message.params)
        if isinstance(notification, codex.AccountRateLimitsUpdated):
            self._limits.note(notification.rate_limits)

    def _put(self, thread_id: str, message: Notification | ServerRequest | asyncio.Event) -> None:
        follower = self._followers[thread_id]
        follower.inbox.put_nowait(message)
        if follower.task is None:
            follower.task = asyncio.create_task(self._follow(thread_id, follower))
            self._tasks.add(follower.task)
            follower.task.add_done_callback(self._tasks.discard)

    def _forget_left(self, thread_id: str, follower: Follower) -> None:
        """Forget a thread that no task is on any more."""
        if follower.is_spent and self._followers.get(thread_id) is follower:
            del self._followers[thread_id]
            follower.inbox.put_nowait(None)

    async def _follow(self, thread_id: str, follower: Follower) -> None:
        while (message := await follower.inbox.get()) is not None:
            if isinstance(message, asyncio.Event):
                message.set()
            elif not await self._taken(follower, message):
                return
            self._forget_left(thread_id, follower)

    async def _taken(self, follower: Follower, message: Notification | ServerRequest) -> bool:
        """Record one message; return False if that failed, and with it the link."""
        async with follower.alone():
            try:
                await self._take(follower, message)
            except FenceLost:
                return False
            except Exception:  # noqa: BLE001 -- boundary of one message; reconciliation repairs the rest
                _LOG.exception("message %s could not be recorded", message.method)
                await self._session.connection.close()
                return False
        return True

    async def _take(self, follower: Follower, message: Notification | ServerRequest) -> None:
        if isinstance(message, ServerRequest):
            await self._ask(follower, message)
            return
        notification = codex.read_notification(message.method, message.params)
        match notification:
            case codex.TurnStarted():
                # The turn at work in a review is none of ours; it says that the review can be stopped.
                self._begun(notification.turn.get("rootTurnId") or notification.turn["id"])
            case codex.ItemStarted():
                await self._item_started(follower, notification)
            case codex.ItemCompleted():
                await self._keep_plan(notification)
                await self._show(notification.turn_id, progress.completed(notification.item))
            case codex.ThreadTokenUsageUpdated():
                follower.token_usage = notification.token_usage
            case codex.ErrorNotification():
                await self._error(follower, notification)
            case codex.TurnCompleted():
                await self._turn_completed(follower, notification)
            case codex.ServerRequestResolved():
                await self._resolved(notification)
            case codex.ThreadStatusChanged():
                self._status_changed(notification)
            case (
                codex.AccountRateLimitsUpdated()
                | codex.ThreadGoalUpdated()
                | codex.ThreadGoalCleared()
                | None
            ):
                return

    def _status_changed(self, notification: codex.ThreadStatusChanged) -> None:
        """Expect the end of a turn whose thread is at rest: ``turn/completed`` should be the next word."""
        now = asyncio.get_running_loop().time()
        if notification.status.get("type") != "active" and self._silences.rest(notification.thread_id, now):
            self._wake()

    async def _item_started(self, follower: Follower, notification: codex.ItemStarted) -> None:
        self._begun(notification.turn_id)
        item = notification.item
        changes, item_id = item.get("changes"), item.get("id")
        if isinstance(changes, list) and isinstance(item_id, str):
            # Codex shows a diff only here; item/fileChange/requestApproval comes without it.
            follower.changes[item_id] = changes
        await self._show(notification.turn_id, progress.started(item))

    def _begun(self, turn_id: str) -> None:
        """Let a turn be interrupted from now on; its first item says so too, if `turn/started` is lost."""
        if turn_id not in self.started_turns:
            self.started_turns.add(turn_id)
            self._wake()

    async def _show(self, turn_id: str, shown: progress.Shown | None) -> None:
        if shown is None:
            return

        def record(transaction: Transaction, reader: Reader) -> None:
            row = reader.turn(turn_id)
            if row is not None:
                progress.show(transaction, row, shown)
                transaction.touch(row.progress())

        await self._ledger.change(record)

    async def _keep_plan(self, notification: codex.ItemCompleted) -> None:
        proposals = plans.proposals([notification.item])
        if proposals:
            await self._ledger.change(
                lambda tx, _: proposing.keep(tx, notification.thread_id, notification.turn_id, proposals)
            )

    async def _error(self, follower: Follower, notification: codex.ErrorNotification) -> None:
        message = notification.error.get("message")
        text = message if isinstance(message, str) else "Codex reports an error."
        if not notification.will_retry:
            follower.error = codex_error(notification.error)
        kind = "warning" if notification.will_retry else "error"
        await self._show(notification.turn_id, {"kind": kind, "text": text[:2000], "item_id": None})

    async def _turn_completed(self, follower: Follower, notification: codex.TurnCompleted) -> None:
        try:
            ended = await self._in_full(notification)
        except proposing.ItemsUnread as reason:
            _LOG.warning(
                "turn %s ended, and what it brought cannot be read yet: %s", notification.turn["id"], reason
            )
            # It is looked up soon, as if the word of its end were lost.
            self._silences.rest(notification.thread_id, asyncio.get_running_loop().time())
            self._wake()
            return
        usage, error = follower.token_usage, follower.error
        follower.token_usage, follower.error = None, None
        follower.changes.clear()

        def record(transaction: Transaction, reader: Reader) -> None:
            end = read_end(
                ended,
                reader,
                source="notification",
                method="turn/completed",
                token_usage=usage,
                error=error,
                resets_at=self._limits.resets_at(transaction.now),
            )
            if end is not None:
                asking.close_delivering(transaction, reader, ended["id"], evidence="turn/completed")
                end_turn(transaction, reader, ended["id"], end, self._patience)

        await self._ledger.change(record)
        self.started_turns.discard(ended["id"])
        if (awaited := self._ends.pop(notification.thread_id, None)) is not None:
            awaited.set()
        await self.leave(notification.thread_id)
        self._wake()

    async def _in_full(self, notification: codex.TurnCompleted) -> codex.Turn:
        """Return the turn as it was told; with all its items where they hold more than was heard.

        That is a plan that nobody has heard, and always a review: in its stead a placeholder is told.
        """
        ended = notification.turn
        if not await self._ledger.read(partial(_has_more_to_tell, turn_id=ended["id"])):
            return ended
        return await proposing.with_items(self._session.calls, notification.thread_id, ended)

    async def leave(self, thread_id: str) -> None:
        """Let Codex unload a thread that nothing of ours is on, and forget it; to be called by who holds it.

        Subscribed threads stay in the memory of Codex for ever, followed ones in ours.
        """
        if await self._ledger.read(lambda reader: reader.thread_in_use(thread_id)) is None:
            self._followers[thread_id].left = True
            with contextlib.suppress(CallError):
                await self._session.calls.thread_unsubscribe(timeout=_CALL_SECONDS, thread_id=thread_id)

    async def _resolved(self, notification: codex.ServerRequestResolved) -> None:
        request_id = json.dumps(notification.request_id)

        def record(transaction: Transaction, reader: Reader) -> None:
            question = reader.interaction_by_request(request_id, self._session.generation)
            if question is not None:
                asking.resolve(transaction, reader, question, evidence="serverRequest/resolved")

        await self._ledger.change(record)
        self.asked.discard(request_id)
        self._wake()

    async def _ask(self, follower: Follower, request: ServerRequest) -> None:
        asked = codex.read_server_request(request.method, request.params)
        if asked is None:
            await self._refuse(request)
            return
        item_id = request.params.get("itemId")
        changes = follower.changes.get(item_id) if isinstance(item_id, str) else None
        recording = asking.Recording(
            asked=questions.Asked(request.method, asked.kind, request.params, changes),
            request_id=json.dumps(request.request_id),
            generation=self._session.generation,
            approval_ms=self._approval_ms,
        )
        await self._ledger.change(recording)
        self.asked.add(recording.request_id)
        self._wake()

    async def _refuse(self, request: ServerRequest) -> None:
        reason = codex.REFUSED_REQUESTS.get(request.method, "This client does not know this request.")
        _LOG.warning("refused server request %s: %s", request.method, reason)
        with contextlib.suppress(CallError):
            await self._session.connection.refuse(request.request_id, _UNSUPPORTED, reason)
        await self._ledger.change(partial(refusals.count, self._ledger.worker_id, request.method))


def _has_more_to_tell(reader: Reader, *, turn_id: str) -> bool:
    carried = reader.turn(turn_id)
    task = reader.operation(carried.operation_id) if carried is not None else None
    reviews = task is not None and task.review_target is not None
    return reviews or reader.lacks_plan(turn_id)
