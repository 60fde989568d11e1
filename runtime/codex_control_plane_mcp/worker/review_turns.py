"""The two turns of a review, as Codex's history has them (decision 0070).

A review begins, reports and ends as the turn that the reply to `review/start` names; the history shows that
turn once it has ended. What runs meanwhile is another one, which names the first as its root: it is the one
that can be stopped, and the only one that the history shows before the end.
"""

from codex_control_plane_contract import codex
from codex_control_plane_contract.lifecycles import operation
from codex_control_plane_mcp.worker.history import is_of, read_turns

_CALL_SECONDS = 10.0


async def turn_to_stop(reading: codex.CodexCalls, row: operation.InTurn) -> str | None:
    """Return the turn that Codex stops for this task, None if it shows none at work.

    Raises CallError and ReplyInvalid.
    """
    if row.review_target is None:
        return row.turn_id
    turns = await read_turns(reading, row.thread_id, timeout=_CALL_SECONDS, turn_id=row.turn_id, pages=1)
    at_work = (turn for turn in turns if turn["status"] == "inProgress" and is_of(turn, row.turn_id))
    return next((turn["id"] for turn in at_work), None)
