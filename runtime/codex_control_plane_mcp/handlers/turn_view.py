"""Turns as clients see them: summary while they run, report at the end (contract §4 Turn, finalReport)."""

from typing import Final

from codex_control_plane_contract.arguments import GetOperationStatusArguments
from codex_control_plane_contract.lifecycles import operation, turn
from codex_control_plane_contract.types import FinalReport, Message, TerminalEvidence, TokenUsage, TurnSummary
from codex_control_plane_contract.values import JsonObject, JsonValue
from codex_control_plane_mcp.handlers.excerpts import excerpt
from codex_control_plane_mcp.handlers.moment import Moment
from codex_control_plane_mcp.handlers.output_schema import add_structure
from codex_control_plane_mcp.handlers.times import seconds_between, timestamp

WHOLE_CHARS: Final = 200_000
"""The largest `message_max_chars` (spec/tools/codex_get_operation_status)."""


def present_turn(moment: Moment, row: turn.Turn, arguments: GetOperationStatusArguments) -> TurnSummary:
    """Return a turn; with messages only while it runs, since the final report carries the last one."""
    summary: TurnSummary = {"status": row.status}
    if isinstance(row, turn.Ended):
        summary["terminalEvidence"] = present_evidence(row)
        return summary
    if row.latest_progress_at is not None:
        summary["lastProgressAgeSeconds"] = seconds_between(row.latest_progress_at, moment.now)
    if messages := _messages(moment, row, arguments):
        summary["latestMessages"] = messages
    return summary


def present_report(
    row: operation.Operation, carried: turn.Turn, arguments: GetOperationStatusArguments
) -> FinalReport | None:
    """Return what Codex reported at the end; None while the turn runs, and where it failed without a word."""
    if not row.facts.terminal or (carried.final_message is None and row.state != "completed"):
        return None
    original = carried.final_message or ""
    shown = excerpt(original, arguments.message_max_chars)
    report: FinalReport = {
        "text": shown.text,
        "truncated": shown.truncated,
        "originalChars": len(original),
        "returnedChars": len(shown.text),
    }
    if shown.truncated and arguments.message_max_chars < WHOLE_CHARS:
        wanted = min(len(original), WHOLE_CHARS)
        report["readFullVia"] = (
            f"codex_get_operation_status(operation_id={row.operation_id}, message_max_chars={wanted})"
        )
    if row.output_schema is not None:
        add_structure(report, original, row.output_schema)
    return report


def present_usage(row: turn.Turn) -> TokenUsage | None:
    """Return the tokens of a turn in bands, never exactly (contract §12); None where Codex told nothing."""
    total = _total_tokens(row.token_usage or {})
    if total is None:
        return None
    if total <= 1_000:
        return {"totalBand": "up_to_1k"}
    if total <= 10_000:
        return {"totalBand": "up_to_10k"}
    if total <= 100_000:
        return {"totalBand": "up_to_100k"}
    return {"totalBand": "up_to_1m" if total <= 1_000_000 else "over_1m"}


def _total_tokens(usage: JsonObject) -> int | None:
    """Return the total of `thread/tokenUsage/updated`: that of `total`, else of `last`, else its own."""
    for holder in (usage.get("total"), usage.get("last"), usage):
        total: JsonValue = holder.get("totalTokens") if isinstance(holder, dict) else None
        if isinstance(total, int) and not isinstance(total, bool):
            return total
    return None


def present_evidence(row: turn.Ended) -> TerminalEvidence:
    """Return how the end of a turn became known."""
    return {
        "source": row.terminal_source,
        "method": row.terminal_method,
        "observedAt": timestamp(row.completed_at),
    }


def _messages(moment: Moment, row: turn.Turn, arguments: GetOperationStatusArguments) -> list[Message]:
    """Return the newest messages of the agent in order; with a cursor only those that came after it.

    Without one they share `message_max_chars`, the newest first, so that a poll stays small.
    """
    seen, limit = arguments.progress_cursor, arguments.message_max_chars
    events = moment.reader.messages(row.operation_id, limit=arguments.last_messages)
    messages: list[Message] = []
    for event in reversed(events):
        if event.turn_id == row.turn_id and event.sequence > (seen or 0) and limit > 0:
            message = present_message(event.at, event.text, limit)
            limit -= len(message["text"]) if seen is None else 0
            messages.append(message)
    return messages[::-1]


def present_message(at: int, text: str, limit: int) -> Message:
    """Return a message of the agent, cut off at ``limit`` characters."""
    shown = excerpt(text, limit)
    message: Message = {"at": timestamp(at), "text": shown.text}
    if shown.truncated:
        message["truncated"] = True
    return message
