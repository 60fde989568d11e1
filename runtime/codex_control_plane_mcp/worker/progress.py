"""What Codex shows of its work, in one line a person can read (contract §4 progressEvents)."""

from collections.abc import Iterable, Mapping

from codex_control_plane_contract.lifecycles import turn
from codex_control_plane_contract.values import JsonObject, JsonValue, Value
from codex_control_plane_mcp import plans
from codex_control_plane_mcp.store import Transaction
from codex_control_plane_mcp.worker import proposing

Shown = Mapping[str, Value]
"""The columns of a progress event that an item gives: item_id, kind, text."""

_NO_REVIEW = "Review was interrupted. Please re-run /review and wait for it to complete."
"""What Codex says as a message where a review should be; it is no word of the model."""

_LINE_CHARS = 2_000
_MESSAGE_CHARS = 1_000_000


def started(item: JsonObject) -> Shown | None:
    """Return the progress of an item that began: what runs now; None if it is worth no line yet."""
    match item.get("type"):
        case "commandExecution":
            return _line(item, "command", f"$ {_text(item.get('command'))}")
        case "mcpToolCall" | "dynamicToolCall":
            return _line(item, "tool_call", f"{_text(item.get('server'))} {_text(item.get('tool'))}".strip())
        case "webSearch":
            return _line(item, "web_search", _text(item.get("query")))
        case "enteredReviewMode":
            return _line(item, "other", f"Reviews: {_text(item.get('review'))}")
        case _:
            return None


def completed(item: JsonObject) -> Shown | None:
    """Return the progress of an item that is final; None if its start said all."""
    match item.get("type"):
        case "agentMessage" if item.get("text") == _NO_REVIEW:
            return None
        case "agentMessage":
            text = _text(item.get("text"))
            return {"item_id": _id(item), "kind": "agent_message", "text": text[:_MESSAGE_CHARS]}
        case "reasoning":
            summary = item.get("summary")
            text = " ".join(_text(part) for part in summary) if isinstance(summary, list) else ""
            return _line(item, "reasoning", text) if text else None
        case "commandExecution":
            return _failed_command(item)
        case "fileChange":
            return _line(item, "file_change", _paths(item.get("changes")))
        case "plan":
            return _line(item, "plan", _text(item.get("text")))
        case "webSearch":
            return _line(item, "web_search", _text(item.get("query")))
        case _:
            return None


def show(transaction: Transaction, row: turn.Turn, shown: Shown) -> bool:
    """Append progress to the journal of a turn; return False if it is there already."""
    return transaction.add_progress({**shown, "operation_id": row.operation_id, "turn_id": row.turn_id})


def catch_up(transaction: Transaction, row: turn.Turn, items: Iterable[JsonObject]) -> None:
    """Show what a turn's history holds and nobody has heard, and keep its plan.

    An item that was heard is known by its id, a plan by its hash.
    """
    items = list(items)
    proposing.keep(transaction, row.thread_id, row.turn_id, plans.proposals(items))
    lines = [shown for item in items for shown in (started(item), completed(item)) if shown is not None]
    new = [show(transaction, row, shown) for shown in lines]
    if any(new):
        transaction.touch(row.progress())


def _failed_command(item: JsonObject) -> Shown | None:
    status, code = _text(item.get("status")), item.get("exitCode")
    if status == "completed":
        return None
    reason = f"exit code {code}" if isinstance(code, int) else status
    return _line(item, "warning", f"{reason}: {_text(item.get('command'))}")


def _paths(changes: JsonValue) -> str:
    if not isinstance(changes, list):
        return "files"
    return ", ".join(_text(change.get("path")) for change in changes if isinstance(change, dict))


def _line(item: JsonObject, kind: str, text: str) -> Shown:
    return {"item_id": _id(item), "kind": kind, "text": text[:_LINE_CHARS]}


def _id(item: JsonObject) -> str | None:
    return _text(item.get("id")) or None


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""
