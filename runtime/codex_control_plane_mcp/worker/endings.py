"""How a turn ended, read from what Codex says of it (``turn/completed`` or ``thread/turns/list``)."""

from collections.abc import Mapping

from codex_control_plane_contract import codex
from codex_control_plane_contract.types import Error
from codex_control_plane_contract.values import JsonObject, JsonValue
from codex_control_plane_mcp import plans
from codex_control_plane_mcp.store import Reader
from codex_control_plane_mcp.worker.quota import is_usage_limit, reset_in_words
from codex_control_plane_mcp.worker.turn_end import TerminalSource, TerminalStatus, TurnEnd

_MESSAGE_CHARS = 4000
_ENDS: Mapping[str, TerminalStatus] = {
    "completed": "completed",
    "failed": "failed",
    "interrupted": "interrupted",
}


def read_end(
    ended: codex.Turn,
    reader: Reader,
    *,
    source: TerminalSource,
    method: str,
    token_usage: JsonObject | None = None,
    error: Error | None = None,
    resets_at: int | None = None,
) -> TurnEnd | None:
    """Return how the turn ended, or None while it is in progress.

    The final message is the turn's last agent message; where Codex leaves the items out, the last one seen.
    ``error`` is what the ``error`` notification said, for a turn that says nothing itself; ``resets_at`` is
    when the usage limit is reset (milliseconds), where that is known better than from the words of the error.
    """
    status = _ENDS.get(ended["status"])
    if status is None:
        return None
    fault = codex_error(ended.get("error")) if ended.get("error") else error
    if fault is not None and is_usage_limit(fault) and resets_at is None:
        resets_at = reset_in_words(fault["message"], ended.get("completedAt"))
    return TurnEnd(
        status=status,
        source=source,
        method=method,
        final_message=final_message(ended.get("items", [])) or _last_message(reader, ended["id"]),
        token_usage=token_usage,
        error=fault,
        resets_at=resets_at,
        proposals=plans.proposals(ended.get("items", [])),
    )


def final_message(items: list[JsonObject]) -> str | None:
    """Return the text of the last agent message among a turn's items, or None."""
    for item in reversed(items):
        text = item.get("text")
        if item.get("type") == "agentMessage" and isinstance(text, str):
            return text
    return None


def codex_error(error: JsonValue) -> Error:
    """Return a turn's error (``turn.error``, or ``error`` of the notification) in the contract's shape."""
    fields = error if isinstance(error, dict) else {}
    message = fields.get("message")
    return {
        "code": "CODEX_SEND_FAILED",
        "message": message[:_MESSAGE_CHARS] if isinstance(message, str) else "Codex gave no reason.",
        "details": {"codexErrorInfo": fields.get("codexErrorInfo")},
        "retryable": False,
    }


def _last_message(reader: Reader, turn_id: str) -> str | None:
    row = reader.turn(turn_id)
    messages = reader.messages(row.operation_id, limit=1) if row is not None else []
    return messages[0].text if messages and messages[0].turn_id == turn_id else None
