"""Thread actions: the order of a server to archive a thread, put it back, or compact it (contract §11)."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from codex_control_plane_contract.codex import ReplyInvalid
from codex_control_plane_contract.errors import CodexAppServerUnavailable, ControlPlaneError
from codex_control_plane_contract.lifecycles import thread_action, worker_command
from codex_control_plane_mcp.codex.errors import CallError, CallRefused
from codex_control_plane_mcp.store import Reader, Transaction
from codex_control_plane_mcp.worker import action_outcomes as outcomes
from codex_control_plane_mcp.worker.archiving import Archiving
from codex_control_plane_mcp.worker.compaction import Compaction
from codex_control_plane_mcp.worker.faults import may_pass, refusal
from codex_control_plane_mcp.worker.ledger import Ledger
from codex_control_plane_mcp.worker.link import Link

_LOG = logging.getLogger(__name__)
# After this, what Codex could not say or take now is tried again.
_PAUSE_SECONDS = 0.5


class ThreadActor:
    """Carries out thread actions; one on each thread at most, which the store sees to."""

    def __init__(self, ledger: Ledger, wake: Callable[[], None], *, silence_seconds: float) -> None:
        self._ledger = ledger
        self._wake = wake
        self._silence_seconds = silence_seconds

    async def carry_out(self, command: worker_command.Open, link: Link) -> None:
        """Do what the order says, as far as this link allows; an action that is still open is due again."""
        row = await self._ledger.change(partial(self._take_up, command))
        if row is None:
            return
        try:
            await self._carry_on(row, link)
        except outcomes.ActionFailed as failed:
            await self._fail(row, failed.error)
        except CallRefused as refused:
            await self._fail_unless_it_may_pass(row, refused)
        except (CallError, ReplyInvalid) as fault:
            _LOG.warning("%s of %s cannot go on yet: %s", row.kind, row.thread_id, fault)
        if not await self._ledger.read(partial(_has_ended, row.thread_action_id)):
            await asyncio.sleep(_PAUSE_SECONDS)
        self._wake()

    async def _carry_on(self, row: thread_action.Open, link: Link) -> None:
        if row.kind == "compaction":
            await Compaction(self._ledger, link, row, silence_seconds=self._silence_seconds).carry_on()
        else:
            await Archiving(self._ledger, link, row).carry_on()

    async def _fail_unless_it_may_pass(self, row: thread_action.Open, refused: CallRefused) -> None:
        """End an action whose thread Codex does not show; one whose outcome is open waits where it may."""
        error = refusal(refused)
        doubtful = await self._ledger.change(partial(outcomes.doubt, row=row))
        begun = doubtful is not None or isinstance(row, thread_action.Running)
        if isinstance(error, CodexAppServerUnavailable) or (begun and may_pass(refused)):
            _LOG.warning("%s of %s cannot go on yet: %s", row.kind, row.thread_id, error)
        else:
            await self._fail(row, error)

    async def _fail(self, row: thread_action.Open, error: ControlPlaneError) -> None:
        await self._ledger.change(
            lambda transaction, reader: outcomes.fail(transaction, reader, row, error.as_error())
        )

    def _take_up(
        self, command: worker_command.Open, transaction: Transaction, reader: Reader
    ) -> thread_action.Open | None:
        current = reader.worker_command(command.worker_command_id)
        row = reader.thread_action(command.subject_id)
        if not isinstance(row, thread_action.Open):
            return None
        if isinstance(current, worker_command.Queued):
            transaction.apply(current.take(worker_id=self._ledger.worker_id))
        return row


def _has_ended(thread_action_id: str, reader: Reader) -> bool:
    row = reader.thread_action(thread_action_id)
    return row is None or row.facts.terminal
