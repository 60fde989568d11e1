"""Reviewing: asking Codex for a review, on a thread that is idle; a busy one would lose its turn.

A review bears the id that the reply to `review/start` names, and ends under it. The turn at work in it has
another one (`review_turns`).
"""

from dataclasses import dataclass
from functools import partial
from typing import Final

from codex_control_plane_contract import codex
from codex_control_plane_contract.errors import CodexAppServerIncompatible
from codex_control_plane_contract.lifecycles import attempt, operation
from codex_control_plane_mcp.codex.binary import version_order
from codex_control_plane_mcp.codex.errors import CallError, CallNotSent, CallRefused, CallUnanswered
from codex_control_plane_mcp.store import Reader, Transaction
from codex_control_plane_mcp.worker import calls, opening
from codex_control_plane_mcp.worker.faults import StartFailed, busy, refusal, thread_young, unavailable
from codex_control_plane_mcp.worker.history import read_turns
from codex_control_plane_mcp.worker.ledger import Ledger
from codex_control_plane_mcp.worker.link import Link
from codex_control_plane_mcp.worker.requeueing import withdraw
from codex_control_plane_mcp.worker.turns import begin_turn

OLDEST: Final = "0.161.0"
"""The first Codex whose history says which turn is that of a review; without, a lost reply stays lost."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An operation whose review comes next; ``calling`` is the recorded review/start."""

    row: operation.StartingReview
    calling: attempt.Sent


class Reviewer:
    """Hands reviews over on threads that are open."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def hand_over(self, row: operation.StartingThread, thread_id: str, link: Link) -> bool:
        """Ask Codex to review and record what it says; False if the reply is lost. Raises StartFailed."""
        _require_roots(link)
        # A thread that we have just made holds nothing, and Codex cannot read it yet.
        newest = await _newest_turn(row, thread_id, link) if row.thread_id is not None else None
        asked = await self._ledger.change(partial(self._open, row.operation_id, thread_id, newest))
        return asked is None or await self._ask(asked, link)

    def _open(
        self,
        operation_id: str,
        thread_id: str,
        newest: str | None,
        transaction: Transaction,
        reader: Reader,
    ) -> Asked | None:
        evidence = opening.settle(transaction, reader, operation_id, thread_id)
        row = reader.operation(operation_id)
        if not isinstance(row, operation.StartingThread) or withdraw(transaction, reader, row):
            return None
        assert row.review_target is not None, "a review names its target"
        ready = transaction.apply(
            row.open_review(thread_id=thread_id, review_target=row.review_target, after_turn_id=newest),
            evidence=evidence,
        )
        calling = calls.record_sent(
            transaction,
            kind="review_start",
            operation_id=row.operation_id,
            subject_id=row.operation_id,
            worker_id=self._ledger.worker_id,
            generation=ready.app_server_generation,
            thread_id=thread_id,
        )
        return Asked(ready, calling)

    async def _ask(self, asked: Asked, link: Link) -> bool:
        row, attempt_id = asked.row, asked.calling.attempt_id
        self._ledger.require_lease()
        try:
            reply = await link.session.calls.review_start(
                timeout=row.timeout_seconds, thread_id=row.thread_id, target=row.review_target
            )
        except CallRefused as refused:
            error = refusal(refused)
            await self._ledger.change(partial(calls.refuse, attempt_id=attempt_id, error=error.as_error()))
            raise StartFailed(error) from refused
        except CallNotSent as fault:
            raise StartFailed(unavailable(fault)) from fault
        except (CallUnanswered, codex.ReplyInvalid) as fault:
            lost = unavailable(fault).as_error()
            await self._ledger.change(partial(calls.doubt, attempt_id=attempt_id, error=lost))
            return False
        await self._ledger.change(
            partial(
                begin_turn,
                calling=asked.calling,
                turn_id=reply["turn"]["id"],
                thread_id=row.thread_id,
                evidence="reply to review/start",
            )
        )
        return True


def _require_roots(link: Link) -> None:
    version = link.session.app_server.version
    if version_order(version) < version_order(OLDEST):
        raise StartFailed(
            CodexAppServerIncompatible(
                f"Reviews need Codex {OLDEST} or newer, and this is {version}: it does not say which turn "
                "belongs to a review, so one whose reply is lost could run twice.",
                foundVersion=version,
                minimumVersion=OLDEST,
            )
        )


async def _newest_turn(row: operation.StartingThread, thread_id: str, link: Link) -> str | None:
    """Return the newest turn of an idle thread, None if it has none. Raises StartFailed."""
    try:
        turns = await read_turns(link.session.calls, thread_id, timeout=row.timeout_seconds, pages=1)
    except CallRefused as refused:
        if thread_young(refused):
            return None
        raise StartFailed(refusal(refused)) from refused
    except (CallError, codex.ReplyInvalid) as fault:
        raise StartFailed(unavailable(fault)) from fault
    if turns and turns[0]["status"] == "inProgress":
        raise StartFailed(busy("The thread has an active turn that another client of Codex started."))
    return turns[0]["id"] if turns else None
