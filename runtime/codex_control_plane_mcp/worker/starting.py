"""Starting: one claimed operation from the queue to a running turn, each call to Codex an attempt.

Three commits: claimed, with the first call on record; thread open, with the prompt's call on record; running.
A call's ``sent`` is committed before its first byte leaves, so what was never committed was never sent.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeAlias

from codex_control_plane_contract.codex import CONTINUATION_PROMPT, ReplyInvalid
from codex_control_plane_contract.errors import ControlPlaneError
from codex_control_plane_contract.lifecycles import attempt, operation
from codex_control_plane_contract.settings import Settings
from codex_control_plane_contract.types import Error
from codex_control_plane_mcp.codex.errors import CallError, CallNotSent, CallRefused, CallUnanswered
from codex_control_plane_mcp.scheduling import Schedule
from codex_control_plane_mcp.store import Reader, Transaction
from codex_control_plane_mcp.worker import calls, opening, steering
from codex_control_plane_mcp.worker.faults import StartFailed, busy, refusal, thread_lost, unavailable
from codex_control_plane_mcp.worker.history import holds_label, read_turns
from codex_control_plane_mcp.worker.inputs import Message, message_of
from codex_control_plane_mcp.worker.ledger import Ledger
from codex_control_plane_mcp.worker.link import Link
from codex_control_plane_mcp.worker.loaded_thread import LoadedThread
from codex_control_plane_mcp.worker.policies import approval_policy, collaboration_mode, sandbox_policy
from codex_control_plane_mcp.worker.requeueing import put_back, void_calls, withdraw
from codex_control_plane_mcp.worker.steering import Steerer, Words
from codex_control_plane_mcp.worker.turns import begin_turn
from codex_control_plane_mcp.worker.vanishing import ThreadDeleted, deletion, orphan_start

_NAME_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Opened:
    """An operation whose thread comes next; ``calling`` is the recorded call that makes a new one."""

    row: operation.StartingThread
    calling: attempt.Sent | None

    @property
    def operation_id(self) -> str:
        """The operation."""
        return self.row.operation_id


@dataclass(frozen=True, slots=True)
class Prompt:
    """An operation whose prompt is next; ``calling`` is the recorded turn/start, ``message`` what it says."""

    row: operation.StartingTurn
    calling: attempt.Sent
    message: Message
    thread: LoadedThread


Claimed: TypeAlias = operation.StartingAppServer | Opened | Words
"""What the worker has taken: without a link, with a thread to open, or with words to hand over."""


class Starter:
    """Carries claimed operations to a running turn, and those without a turn to their end."""

    def __init__(self, ledger: Ledger, settings: Settings, steerer: Steerer) -> None:
        self._ledger = ledger
        self._steerer = steerer
        self._settings = settings

    async def claim(self, link: Link | None, *, seen_by: Link | None) -> Claimed | None:
        """Take the next operation that may start out of the queue, or return None.

        With a link at hand its first call is put on record in the same commit. ``seen_by`` is the link on
        which turns were seen to run, which may not take new tasks yet.
        """

        def decide(transaction: Transaction, reader: Reader) -> Claimed | None:
            row = Schedule(reader, self._settings, now=transaction.now).next()
            row = row or _next_without_turn(reader, seen_by, transaction.now)
            if row is None:
                return None
            claimed = transaction.apply(row.claim(worker_id=self._ledger.worker_id))
            return claimed if link is None else self._opened(transaction, claimed, link)

        return await self._ledger.change(decide)

    async def start(self, claimed: Claimed, link: Link) -> bool:
        """Bring the operation to ``running``, or hand its words over; on a fault put it back or end it.

        Returns False if the outcome of turn/start or turn/steer is unknown, which only reconciliation can
        settle. A fault of the store goes through: the operation stays as it is, and reconciliation finds
        what was sent.
        """
        opened = (
            await self._open(claimed.operation_id, link)
            if isinstance(claimed, operation.StartingAppServer)
            else claimed
        )
        if opened is None:
            return True
        if isinstance(opened, Words):
            return await self._steerer.hand_over(opened, link)
        row = opened.row
        try:
            if row.thread_id is not None:
                started = await self._continue_thread(row, row.thread_id, link)
                if started is not None:
                    return started
            return await self._begin_thread(opened, link)
        except StartFailed as failed:
            await self.give_back(row.operation_id, failed.error)
        except ThreadDeleted as deleted:
            await self._ledger.change(partial(orphan_start, row, str(deleted)))
        return True

    async def give_back(self, operation_id: str, error: ControlPlaneError) -> None:
        """Requeue the operation where waiting may cure the fault, else fail it; nothing reached the model."""

        def decide(transaction: Transaction, reader: Reader) -> None:
            row = reader.operation(operation_id)
            if isinstance(row, operation.Starting):
                void_calls(transaction, reader, row, evidence=error.message)
                put_back(transaction, reader, row, error, retry_ms=self._settings.retry_seconds * 1000)

        await self._ledger.change(decide)

    async def _open(self, operation_id: str, link: Link) -> Opened | Words | None:
        """Begin with an operation that had to wait for the link; None if it is to be stopped."""

        def decide(transaction: Transaction, reader: Reader) -> Opened | Words | None:
            row = reader.operation(operation_id)
            if not isinstance(row, operation.StartingAppServer) or withdraw(transaction, reader, row):
                return None
            return self._opened(transaction, row, link)

        return await self._ledger.change(decide)

    def _opened(
        self, transaction: Transaction, row: operation.StartingAppServer, link: Link
    ) -> Opened | Words:
        if row.operation_type == "steer_turn":
            return steering.begin(transaction, row, link, self._ledger.worker_id)
        opened = transaction.apply(row.open_thread(app_server_generation=link.session.generation))
        return Opened(
            opened, None if opened.thread_id else self._record(transaction, opened, opening.kind_of(opened))
        )

    def _open_turn(
        self,
        operation_id: str,
        thread: LoadedThread,
        message: Message,
        transaction: Transaction,
        reader: Reader,
    ) -> Prompt | None:
        row = reader.operation(operation_id)
        calling = reader.open_attempt_of(operation_id, opening.kind_of(row)) if row is not None else None
        evidence = "reply to thread/resume"
        if isinstance(calling, attempt.Sent):
            evidence = f"reply to {calling.kind.replace('_', '/')}"
            transaction.apply(calling.accept(evidence=evidence, thread_id=thread.thread_id))
        if not isinstance(row, operation.StartingThread) or withdraw(transaction, reader, row):
            return None
        ready = transaction.apply(row.open_turn(thread_id=thread.thread_id), evidence=evidence)
        if message.images:
            transaction.touch(ready.note_images(input_items=[image.as_json() for image in message.images]))
        return Prompt(ready, self._record(transaction, ready, "turn_start"), message, thread)

    def _record(
        self,
        transaction: Transaction,
        row: operation.StartingThread | operation.StartingTurn,
        kind: Literal["thread_start", "thread_fork", "turn_start"],
    ) -> attempt.Sent:
        return calls.record_sent(
            transaction,
            kind=kind,
            operation_id=row.operation_id,
            subject_id=row.operation_id,
            worker_id=self._ledger.worker_id,
            generation=row.app_server_generation,
            thread_id=row.thread_id,
        )

    async def _continue_thread(
        self, row: operation.StartingThread, thread_id: str, link: Link
    ) -> bool | None:
        """Submit on a thread that exists; None if it is one of ours that never came to be."""
        # Held from before the resume, so that the follower of an earlier turn does not leave the thread in
        # between, until the turn is on record: its messages would find no owner before.
        async with link.following.holding(thread_id):
            thread = await self._resumed(row, thread_id, link)
            if thread is None:
                return None
            return await self._hand_over(row, thread, await self._due_message(row, thread_id, link), link)

    async def _due_message(self, row: operation.StartingThread, thread_id: str, link: Link) -> Message:
        """Return what Codex is to be told now: the message, or to go on with it where the thread holds it.

        Said twice it would be done twice; what the thread does not hold has never reached the model.
        """
        if row.continues_turn_id is None:
            return await message_of(row, self._settings)
        attempts = await self._ledger.read(lambda reader: reader.attempts_of(row.operation_id, "turn_start"))
        labels = {each.attempt_id for each in attempts}
        try:
            turns = await read_turns(
                link.session.calls, thread_id, timeout=row.timeout_seconds, labels=labels
            )
        except CallRefused as refused:
            raise StartFailed(refusal(refused)) from refused
        except (CallError, ReplyInvalid) as fault:
            raise StartFailed(unavailable(fault)) from fault
        if any(holds_label(turn, labels) for turn in turns):
            return Message.of_text(CONTINUATION_PROMPT)
        return await message_of(row, self._settings)

    async def _begin_thread(self, opened: Opened, link: Link) -> bool:
        """Submit on a new thread."""
        # Before the thread: an image that does not come leaves no thread behind.
        message = await message_of(opened.row, self._settings)
        calling = opened.calling
        if calling is None:
            calling = await self._ledger.change(
                lambda transaction, _: self._record(transaction, opened.row, opening.kind_of(opened.row))
            )
        thread = await self._new_thread(opened.row, calling, link)
        async with link.following.holding(thread.thread_id):
            if not opened.row.runs_turn:
                await self._finish_fork(opened.row, thread.thread_id, link)
                return True
            return await self._hand_over(opened.row, thread, message, link)

    async def _hand_over(
        self, row: operation.StartingThread, thread: LoadedThread, message: Message, link: Link
    ) -> bool:
        prompt = await self._ledger.change(partial(self._open_turn, row.operation_id, thread, message))
        return prompt is None or await self._submit(prompt, link)

    async def _new_thread(
        self, row: operation.StartingThread, calling: attempt.Sent, link: Link
    ) -> LoadedThread:
        self._ledger.require_lease()
        try:
            return await opening.call_codex(row, calling, link)
        except CallRefused as refused:
            error = refusal(refused)
            await self._settle(calls.refuse, calling, error.as_error())
            raise StartFailed(error) from refused
        except (CallUnanswered, CallNotSent, ReplyInvalid) as fault:
            # Whatever became of it, an unused thread holds no prompt of this task.
            raise StartFailed(unavailable(fault)) from fault

    async def _resumed(
        self, row: operation.StartingThread, thread_id: str, link: Link
    ) -> LoadedThread | None:
        """Load the thread; return None if it is one of ours that never came to be."""
        try:
            reply = await link.session.calls.thread_resume(
                timeout=row.timeout_seconds, thread_id=thread_id, exclude_turns=True
            )
        except CallRefused as refused:
            never_used = row.operation_type in ("start_chat", "fork_thread") and row.continues_turn_id is None
            if thread_lost(refused) and never_used:
                return None
            await self._require_thread(thread_id, link)
            raise StartFailed(refusal(refused)) from refused
        except (CallError, ReplyInvalid) as fault:
            raise StartFailed(unavailable(fault)) from fault
        if reply["thread"].get("status", {}).get("type") == "active":
            raise StartFailed(busy("The thread has an active turn that another client of Codex started."))
        return LoadedThread.resumed(reply)

    async def _require_thread(self, thread_id: str, link: Link) -> None:
        """Raise ThreadDeleted for a thread that Codex has had, StartFailed where it does not answer."""
        try:
            evidence = await deletion(link.session.calls, thread_id)
        except (CallError, ReplyInvalid) as fault:
            raise StartFailed(unavailable(fault)) from fault
        if evidence is not None:
            raise ThreadDeleted(evidence)

    async def _submit(self, prompt: Prompt, link: Link) -> bool:
        """Hand the prompt to Codex and record what it says; False if the reply is lost."""
        row, calling = prompt.row, prompt.calling
        # A worker that was stopped since the commit may have a successor that sends the prompt.
        self._ledger.require_lease()
        try:
            reply = await link.session.calls.turn_start(
                timeout=row.timeout_seconds,
                thread_id=row.thread_id,
                client_user_message_id=calling.attempt_id,
                input=[*prompt.message.content],
                model=row.model,
                effort=row.effort,
                approval_policy=approval_policy(row),
                sandbox_policy=sandbox_policy(row),
                output_schema=row.output_schema,
                collaboration_mode=collaboration_mode(row, prompt.thread),
            )
        except CallRefused as refused:
            error = refusal(refused)
            await self._settle(calls.refuse, calling, error.as_error())
            raise StartFailed(error) from refused
        except CallNotSent as fault:
            raise StartFailed(unavailable(fault)) from fault
        except (CallUnanswered, ReplyInvalid) as fault:
            await self._settle(calls.doubt, calling, unavailable(fault).as_error())
            return False
        await self._running(prompt, reply["turn"]["id"], link)
        return True

    async def _settle(
        self,
        outcome: Callable[[Transaction, Reader, str, Error], None],
        calling: attempt.Sent,
        error: Error,
    ) -> None:
        await self._ledger.change(lambda tx, reader: outcome(tx, reader, calling.attempt_id, error))

    async def _running(self, prompt: Prompt, turn_id: str, link: Link) -> None:
        row, calling = prompt.row, prompt.calling
        await self._ledger.change(
            lambda transaction, reader: begin_turn(
                transaction,
                reader,
                calling,
                turn_id=turn_id,
                thread_id=row.thread_id,
                evidence="reply to turn/start",
            )
        )
        await _name(row, row.thread_id, link)

    async def _finish_fork(self, row: operation.StartingThread, thread_id: str, link: Link) -> None:
        await self._ledger.change(
            lambda tx, reader: opening.finish_fork(tx, reader, row.operation_id, thread_id)
        )
        await _name(row, thread_id, link)
        await link.following.leave(thread_id)


async def _name(row: operation.Starting, thread_id: str, link: Link) -> None:
    if row.title:
        # A name is for people; the task is none the worse without it.
        with contextlib.suppress(CallError):
            await link.session.calls.thread_name_set(
                timeout=_NAME_SECONDS, thread_id=thread_id, name=row.title
            )


def _next_without_turn(reader: Reader, link: Link | None, now: int) -> operation.Queued | None:
    """Return the oldest operation without a turn that may start now; it waits for no slot and no thread."""
    rows = reader.queued_without_turn(now)
    return next((row for row in rows if steering.may_be_steered(reader, row, link)), None)
