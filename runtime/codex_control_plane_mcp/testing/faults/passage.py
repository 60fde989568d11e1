"""What the proxy writes down of each message."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codex_control_plane_mcp.codex.json_types import JsonValue
from codex_control_plane_mcp.testing.faults.fault import Action, Direction, Subject


@dataclass(frozen=True, slots=True)
class Passage:
    """A message that came to the proxy over its ``connection`` of that number, and what was done to it.

    ``message_id`` is that of a request, or of what replies to it. Where ``action`` is None it just passed.
    """

    connection: int
    direction: Direction
    subject: Subject | None
    message_id: JsonValue
    action: Action | None


def read_passages(log: Path) -> Sequence[Passage]:
    """Return what has passed, the oldest first."""
    return [_read_passage(json.loads(line)) for line in log.read_text().splitlines()]


def _read_passage(written: Any) -> Passage:
    subject: Any = written["subject"]
    return Passage(
        connection=written["connection"],
        direction=written["direction"],
        subject=None if subject is None else Subject(subject["kind"], subject["method"]),
        message_id=written["message_id"],
        action=written["action"],
    )
