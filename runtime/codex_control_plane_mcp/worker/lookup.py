"""A look at a silent turn: does Codex tell of it what the store says?

The look is cheap and changes nothing, in Codex or here: no thread is loaded, no item is read, no question is
asked again. Only where it finds a difference is the turn reconciled.
"""

from codex_control_plane_contract.lifecycles import attempt, interaction, operation
from codex_control_plane_mcp.codex.errors import CallRefused
from codex_control_plane_mcp.store import Reader
from codex_control_plane_mcp.worker.history import is_of
from codex_control_plane_mcp.worker.ledger import Ledger
from codex_control_plane_mcp.worker.link import Link

_CALL_SECONDS = 30.0
_TURNS = 10


async def goes_on(ledger: Ledger, link: Link, row: operation.InTurn) -> bool:
    """Return whether the turn is in progress and waits for what the store says that it waits for.

    Raises CallNotSent, CallUnanswered and ReplyInvalid where Codex says nothing.
    """
    calls = link.session.calls
    try:
        page = await calls.thread_turns_list(
            timeout=_CALL_SECONDS, thread_id=row.thread_id, limit=_TURNS, items_view="notLoaded"
        )
        if not any(is_of(turn, row.turn_id) and turn["status"] == "inProgress" for turn in page["data"]):
            return False
        read = await calls.thread_read(timeout=_CALL_SECONDS, thread_id=row.thread_id)
    except CallRefused:
        return False
    # Codex takes an interrupt from now on, even if the word that the turn has started was lost.
    link.following.started_turns.add(row.turn_id)
    asking = bool(read["thread"].get("status", {}).get("activeFlags"))
    return await ledger.read(lambda reader: _is_told(reader, row, asking=asking))


def _is_told(reader: Reader, row: operation.InTurn, *, asking: bool) -> bool:
    """Return whether no word between us and Codex is missing: no question, no answer, no interrupt."""
    questions = reader.open_interactions(row.turn_id)
    answered = any(isinstance(question, interaction.Delivering) for question in questions)
    stopping = reader.open_attempt_of(row.operation_id, "turn_interrupt")
    return asking is bool(questions) and not answered and not isinstance(stopping, attempt.Unknown)
