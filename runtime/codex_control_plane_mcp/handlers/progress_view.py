"""Progress as clients see it: the newest, or all behind a cursor, page by page (contract §4)."""

from collections.abc import Sequence
from typing import Final

from codex_control_plane_contract.arguments import GetOperationStatusArguments
from codex_control_plane_contract.records import ProgressEventRow
from codex_control_plane_contract.types import Operation, ProgressEvent
from codex_control_plane_mcp.handlers.excerpts import excerpt
from codex_control_plane_mcp.handlers.moment import Moment
from codex_control_plane_mcp.handlers.times import timestamp

ENDED_CHARS: Final = 80
"""How much of a line is shown once the report counts (spec/tools/codex_get_operation_status)."""


def add_progress(view: Operation, moment: Moment, arguments: GetOperationStatusArguments) -> None:
    """Add the progress of the task to its view; nothing where there is none."""
    total, latest, latest_at = moment.reader.progress_count(view["operationId"])
    if latest is None or latest_at is None:
        return
    rows = moment.reader.progress(
        view["operationId"], cursor=arguments.progress_cursor, limit=arguments.progress_events
    )
    view["progressEventCount"] = total
    view["latestProgressAt"] = timestamp(latest_at)
    view["progressCursor"] = _cursor(rows, latest, arguments)
    if rows:
        ended = view["phase"] == "ended" and arguments.progress_cursor is None
        limit = min(ENDED_CHARS, arguments.progress_max_chars) if ended else arguments.progress_max_chars
        view["progressEvents"] = [present_event(row, limit) for row in rows]


def _cursor(rows: Sequence[ProgressEventRow], latest: int, arguments: GetOperationStatusArguments) -> int:
    """Return the last sequence that the caller has seen; behind a full page there may be more."""
    given = arguments.progress_cursor
    if given is None:
        return latest
    if len(rows) < arguments.progress_events:
        return max(latest, given)
    return rows[-1].sequence if rows else given


def present_event(row: ProgressEventRow, limit: int) -> ProgressEvent:
    """Return one event of progress, cut off at ``limit`` characters."""
    shown = excerpt(row.text, limit)
    event: ProgressEvent = {"at": timestamp(row.at), "kind": row.kind, "text": shown.text}
    if shown.truncated:
        event["truncated"] = True
    return event
