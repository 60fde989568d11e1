"""``resolve``: what nobody knows of a task, and what an operator decides on it."""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NoReturn

from codex_control_plane_contract.codex import CHOICES
from codex_control_plane_contract.lifecycles import operation
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.cli.decisions import NotOffered, decide
from codex_control_plane_mcp.cli.exit_codes import FOUND, OK, UNUSABLE
from codex_control_plane_mcp.doubts import MISSING_EVIDENCE, choices_of
from codex_control_plane_mcp.redaction import redact
from codex_control_plane_mcp.store import Store, SystemClock, reading

NAME: Final = "resolve"
SUMMARY: Final = "list the tasks of which something cannot be known, or decide on one"
_CHOICES: Final = "\n".join(f"  {name:<24}{means}" for name, means in CHOICES.items())
DESCRIPTION: Final = f"""\
Without arguments lists the tasks of which something cannot be known: which evidence is missing, and what may
be decided. With a task and a choice carries the choice out, journalled with the reason, in one transaction.
A listed task that has not ended is looked up again as soon as that is possible; waiting is a choice, too.

Choices (not each fits each task):
{_CHOICES}

Exit codes: 0 nothing is unresolved, or the decision was carried out; 1 something is unresolved, or the choice
is not offered; 2 the state file cannot be used.

Examples:
  codex-control-plane-mcp-admin resolve
  codex-control-plane-mcp-admin resolve op_01ABC declare_lost --reason "its laptop is gone" --dry-run"""

_BUSY_SECONDS: Final = 10.0
_DAY_MS: Final = 24 * 3600 * 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the task, the choice, and how they are taken."""
    parser.add_argument("operation", nargs="?", metavar="OPERATION", help="the task to decide on")
    parser.add_argument("choice", nargs="?", choices=(*CHOICES,), metavar="CHOICE", help="what is decided")
    parser.add_argument("--reason", default="no reason was given", metavar="TEXT", help="kept in the journal")
    parser.add_argument("--dry-run", action="store_true", help="say what would happen, and change nothing")
    parser.add_argument(
        "--days", type=int, default=30, metavar="N", help="list what ended unknown in the last N days (30)"
    )


def run(path: Path, options: argparse.Namespace) -> int:
    """List or decide; return the exit code. Raises CODEX_STATE_UNUSABLE and CODEX_STATE_BUSY."""
    if options.operation is None:
        return _list(path, options)
    if options.choice is None:
        sys.stderr.write(f"{NAME}: say what is decided on {options.operation}: {', '.join(CHOICES)}\n")
        return UNUSABLE
    return _decide(path, options)


def _list(path: Path, options: argparse.Namespace) -> int:
    with reading.read_only(path, busy_seconds=_BUSY_SECONDS) as reader:
        rows = reader.unresolved_operations(since=SystemClock().now() - options.days * _DAY_MS)
    if options.json:
        sys.stdout.write(json.dumps({"stateDb": str(path), "unresolved": [*map(_as_json, rows)]}) + "\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in _as_text(rows)))
    return FOUND if rows else OK


def _decide(path: Path, options: argparse.Namespace) -> int:
    # A file of another version is refused here, before it would be migrated under its servers.
    with reading.read_only(path, busy_seconds=_BUSY_SECONDS):
        pass
    try:
        with (
            Store.open(path, busy_seconds=_BUSY_SECONDS) as store,
            store.transaction(f"admin-{os.getpid()}") as (transaction, reader),
        ):
            row = decide(transaction, reader, options.operation, options.choice, options.reason)
            if options.dry_run:
                _undo(row)
    except NotOffered as refused:
        sys.stderr.write(f"{NAME}: {refused}\n")
        return FOUND
    except _Undone as undone:
        row = undone.row
    _report(row, options)
    return OK


class _Undone(Exception):
    """Rolls back what was only to be shown."""

    def __init__(self, row: operation.Operation) -> None:
        super().__init__()
        self.row = row


def _undo(row: operation.Operation) -> NoReturn:
    raise _Undone(row)


def _report(row: operation.Operation, options: argparse.Namespace) -> None:
    if options.json:
        shown: JsonObject = {
            "operationId": options.operation,
            "choice": options.choice,
            "dryRun": options.dry_run,
            "resultOperationId": row.operation_id,
            "status": row.status,
        }
        sys.stdout.write(json.dumps(shown) + "\n")
        return
    would = "would be" if options.dry_run else "is"
    sys.stdout.write(f"{options.operation}: {options.choice}. {row.operation_id} {would} {row.status}.\n")


def _as_text(rows: Sequence[operation.Operation]) -> Iterator[str]:
    if not rows:
        yield "Nothing is unresolved."
    for row in rows:
        yield f"{row.operation_id}  {row.status}  since {_time(row.updated_at)}  in {row.cwd}"
        if row.thread_id:
            yield f"  thread   {row.thread_id}" + (f", turn {row.turn_id}" if row.turn_id else "")
        if row.last_error is not None:
            yield f"  because  {redact(row.last_error['message'])}"
        yield f"  unknown  {_missing(row)}"
        yield f"  choices  {', '.join(choices_of(row)) or 'none'}"
        yield ""


def _as_json(row: operation.Operation) -> JsonObject:
    return {
        "operationId": row.operation_id,
        "status": row.status,
        "updatedAt": _time(row.updated_at),
        "cwd": row.cwd,
        "threadId": row.thread_id,
        "turnId": row.turn_id,
        "message": redact(row.last_error["message"]) if row.last_error else None,
        "missingEvidence": _missing(row),
        "resolveChoices": [*choices_of(row)],
    }


def _missing(row: operation.Operation) -> str:
    details = row.last_error["details"] if row.last_error else {}
    return str(details.get(MISSING_EVIDENCE, "how it ended"))


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")
