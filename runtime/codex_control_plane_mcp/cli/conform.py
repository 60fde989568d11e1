"""``conform``: does the spec allow everything that ever happened in the state file?"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import Progress

from codex_control_plane_contract.contract import CONTRACT_VERSION
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.cli.exit_codes import FOUND, OK
from codex_control_plane_mcp.redaction import redact
from codex_control_plane_mcp.store.conformance import Conformance, Violation, replay

NAME: Final = "conform"
SUMMARY: Final = "replay the journal through the spec and name the first row that it forbids"
DESCRIPTION: Final = """\
Replays the journal of the state file through the state machines of the spec, and compares where it ends with
the stored rows. Reads one snapshot and locks nobody out: servers and worker go on.

Looks for: a change that the spec does not allow there, by somebody who may not raise it, or without the
evidence that it needs; a row that is not where its journal left it, or that does not fit its state; missing
rows.

Exit codes: 0 the file conforms, 1 it does not, 2 it cannot be read.

Examples:
  codex-control-plane-mcp-admin conform
  codex-control-plane-mcp-admin conform --state-db ~/backup/state.sqlite --json | jq .violation"""


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """Add nothing: the state file is all that it needs."""


def run(path: Path, options: argparse.Namespace) -> int:
    """Print what the replay of a state file found; return the exit code.

    Raises CODEX_STATE_UNUSABLE for a file that cannot be read, and CODEX_STATE_BUSY.
    """
    found = _replayed(path)
    if options.json:
        sys.stdout.write(json.dumps(_as_json(path, found)) + "\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in _as_text(path, found)))
    return OK if found.violation is None else FOUND


def _replayed(path: Path) -> Conformance:
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("Replaying the journal", total=None)
        return replay(path, on_change=lambda done, total: progress.update(task, completed=done, total=total))


def _as_text(path: Path, found: Conformance) -> Iterator[str]:
    violation = found.violation
    if violation is None:
        yield f"{path} conforms."
        counts = f"{found.changes:,} changes of {found.subjects:,} rows"
        yield f"{counts}: the spec (contract {CONTRACT_VERSION}) allows each."
        return
    yield f"{path} does not conform."
    yield ""
    yield f"  {violation.entity} {violation.entity_id}"
    row = violation.row
    if row is not None:
        word = "" if row.outcome == "applied" else f" ({row.outcome})"
        yield f"  journal row {row.sequence}{word}: {row.event}, {row.source or 'new'} → {row.target}"
        yield f"  raised by {row.actor} ({row.actor_id}); evidence: {redact(row.evidence or 'none')}"
    yield ""
    yield f"  At fault: {violation.fault}."
    yield f"  The spec allows here: {_allowed(violation)}."
    yield ""
    yield "What comes after it was not looked at. Keep a copy of the file, with its -wal, and report this."


def _allowed(violation: Violation) -> str:
    moves = [f"{event} → {target}" for event, target in violation.allowed.items()]
    return ", ".join(moves) or "nothing"


def _as_json(path: Path, found: Conformance) -> JsonObject:
    violation = found.violation
    return {
        "stateDb": str(path),
        "conforms": violation is None,
        "contractVersion": CONTRACT_VERSION,
        "changes": found.changes,
        "rows": found.subjects,
        "violation": None if violation is None else _violation_as_json(violation),
    }


def _violation_as_json(violation: Violation) -> JsonObject:
    shown: JsonObject = {
        "entity": violation.entity,
        "entityId": violation.entity_id,
        "fault": violation.fault,
        "allowed": dict(violation.allowed),
    }
    row = violation.row
    if row is not None:
        shown |= {
            "sequence": row.sequence,
            "event": row.event,
            "source": row.source,
            "target": row.target,
            "outcome": row.outcome,
            "revision": row.revision,
            "actor": row.actor,
            "actorId": row.actor_id,
            "evidence": redact(row.evidence) if row.evidence else None,
        }
    return shown
