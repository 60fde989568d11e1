"""How a turn ended, read from what Codex says of it (``turn/completed`` or ``thread/turns/list``)."""

from collections.abc import Mapping
from dataclasses import dataclass

from codex_control_plane_contract import codex
from codex_control_plane_contract.errors import CodexSendFailed
from codex_control_plane_contract.types import Error
from codex_control_plane_contract.values import JsonObject, JsonValue
from codex_control_plane_mcp import plans
from codex_control_plane_mcp.store import Reader
from codex_control_plane_mcp.worker.quota import is_usage_limit, reset_in_words
from codex_control_plane_mcp.worker.turn_end import TerminalSource, TerminalStatus, TurnEnd

_MESSAGE_CHARS = 4000
_NO_OUTPUT = "Reviewer failed to output a response."
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
    That of a review is its report, which the items have to hold: a review without one has failed.
    ``error`` is what the ``error`` notification said, for a turn that says nothing itself; ``resets_at`` is
    when the usage limit is reset (milliseconds), where that is known better than from the words of the error.
    """
    status = _ENDS.get(ended["status"])
    if status is None:
        return None
    fault = codex_error(ended.get("error")) if ended.get("error") else error
    items = ended.get("items", [])
    review = review_of(items)
    if review is not None and not review.text and status == "completed":
        status, fault = "failed", _without_review()
    if fault is not None and is_usage_limit(fault) and resets_at is None:
        resets_at = reset_in_words(fault["message"], ended.get("completedAt"))
    return TurnEnd(
        status=status,
        source=source,
        method=method,
        final_message=review.text
        if review is not None
        else final_message(items) or _last_message(reader, ended["id"]),
        token_usage=token_usage,
        error=fault,
        resets_at=resets_at,
        proposals=plans.proposals(ended.get("items", [])),
    )


@dataclass(frozen=True, slots=True)
class Review:
    """What a reviewer reported; ``text`` is None where Codex says that it reported nothing."""

    text: str | None


def review_of(items: list[JsonObject]) -> Review | None:
    """Return the report among a turn's items; None for a turn that is no review, or has not ended."""
    exits = [item for item in items if item.get("type") == "exitedReviewMode"]
    if not exits:
        return None
    text = exits[-1].get("review")
    return Review(text if isinstance(text, str) and text.strip() not in ("", _NO_OUTPUT) else None)


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


def _without_review() -> Error:
    message = "The reviewer ended without a report."
    return CodexSendFailed(message, codexMessage=_NO_OUTPUT, method="review/start").as_error()


def _last_message(reader: Reader, turn_id: str) -> str | None:
    row = reader.turn(turn_id)
    messages = reader.messages(row.operation_id, limit=1) if row is not None else []
    return messages[0].text if messages and messages[0].turn_id == turn_id else None
