"""Plans that turns propose, kept whole: heard when Codex gives them, else read back before their turn ends.

Codex leaves a plan out of ``turn/completed`` and out of the summary view of the history. If the word of it
was lost, only the full view has it.
"""

import asyncio
from collections.abc import Iterable

from codex_control_plane_contract import codex
from codex_control_plane_contract.codex import ReplyInvalid
from codex_control_plane_mcp.codex.errors import CallError
from codex_control_plane_mcp.plans import Proposal
from codex_control_plane_mcp.store import Transaction
from codex_control_plane_mcp.worker.history import read_turns

_CALL_SECONDS = 10.0
# The end of a turn is told some milliseconds before it is written.
_WRITTEN_SECONDS = 1.5
_LOOK_SECONDS = 0.1


class ItemsUnread(Exception):
    """The history does not say now what the turn brought."""


def keep(transaction: Transaction, thread_id: str, turn_id: str, proposals: Iterable[Proposal]) -> None:
    """Store the plans of a turn, ours or another client's; one that is known is absorbed."""
    for proposal in proposals:
        transaction.add_plan(
            {
                "thread_id": thread_id,
                "turn_id": turn_id,
                "plan_hash": proposal.plan_hash,
                "quality": proposal.quality,
                "source": proposal.source,
                "markdown": proposal.markdown,
            }
        )


async def with_items(calls: codex.CodexCalls, thread_id: str, ended: codex.Turn) -> codex.Turn:
    """Return a turn that has ended with all of its items, as the full view of the history has them.

    Raises ItemsUnread where the history cannot be read, or does not show the end of the turn yet.
    """
    deadline = asyncio.get_running_loop().time() + _WRITTEN_SECONDS
    while True:
        try:
            turns = await read_turns(calls, thread_id, timeout=_CALL_SECONDS, turn_id=ended["id"])
        except (CallError, ReplyInvalid) as fault:
            raise ItemsUnread(str(fault)) from fault
        found = next((each for each in turns if each["id"] == ended["id"]), None)
        if found is not None and found["status"] == ended["status"] and found.get("completedAt") is not None:
            return {**ended, "items": found.get("items", [])}
        if asyncio.get_running_loop().time() >= deadline:
            raise ItemsUnread("the history does not show the end of the turn yet")
        await asyncio.sleep(_LOOK_SECONDS)
