"""A comparison of protocols as people and as programs read it."""

from collections.abc import Iterator
from dataclasses import asdict
from textwrap import shorten
from typing import Final

from codex_control_plane_codegen.protocol.comparison import STATUSES, Comparison, Row

_DETAILS: Final = 6
"""Most lines below one field; the JSON has them all."""

_WIDTH: Final = 100
_TITLES: Final = {
    "methods": "methods",
    "notifications": "notifications",
    "serverRequests": "server requests",
    "shapes": "shapes",
}


def as_text(comparison: Comparison) -> str:
    """One line for each message, the fields that differ below it, and whether this Codex will do.

    ::

        methods
          turn/start                               changed
            params.clientUserMessageId             missing
                Codex has no params.clientUserMessageId
            breaks: No prompt can be submitted.
    """
    head = f"Codex {comparison.version} and what the spec uses of it, beside the pinned {comparison.pinned}."
    lines = [head, ""]
    for section, title in _TITLES.items():
        lines.append(title)
        for row in comparison.rows:
            if row.section == section:
                lines.extend(_row(row))
        lines.append("")
    counts = ", ".join(f"{comparison.counts[status]} {status}" for status in STATUSES)
    return "\n".join([*lines, f"{len(comparison.rows)} compared: {counts}.", *_verdict(comparison), ""])


def _row(row: Row) -> Iterator[str]:
    yield f"  {row.name:<45} {row.status}"
    yield from _details(row.details)
    for field in row.fields:
        if field.status != "same":
            yield f"    {field.path:<43} {field.status}"
            yield from _details(field.details)
    if row.breaks:
        yield f"    {'loses' if row.optional else 'breaks'}: {row.without}"


def _details(details: tuple[str, ...]) -> Iterator[str]:
    for detail in details[:_DETAILS]:
        yield f"        {shorten(detail, _WIDTH, placeholder='…')}"
    if len(details) > _DETAILS:
        yield f"        … and {len(details) - _DETAILS} more"


def _verdict(comparison: Comparison) -> Iterator[str]:
    supported = f"Use Codex {comparison.minimum} to {comparison.pinned}."
    if comparison.broken:
        yield f"It will not do: {', '.join(row.name for row in comparison.broken)} would break. {supported}"
    elif comparison.too_old:
        yield f"It will not do: Codex behaves otherwise below {comparison.minimum}. {supported}"
    else:
        yield "Nothing that the server needs is missing."


def as_json(comparison: Comparison) -> dict[str, object]:
    """The whole comparison as values for JSON; `breaks` is empty where nothing is lost."""
    return {
        "version": comparison.version,
        "pinned": comparison.pinned,
        "minimum": comparison.minimum,
        "compatible": comparison.compatible,
        "counts": dict(comparison.counts),
        "messages": [_as_values(row) for row in comparison.rows],
    }


def _as_values(row: Row) -> dict[str, object]:
    return {
        "section": row.section,
        "name": row.name,
        "status": row.status,
        "details": list(row.details),
        "optional": row.optional,
        "breaks": row.without if row.breaks else "",
        "fields": [asdict(field) for field in row.fields],
    }
