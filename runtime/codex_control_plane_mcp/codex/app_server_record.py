"""`app-server.json`: what is known about the app-server of a state directory, for whoever adopts it."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, cast

from codex_control_plane_mcp.codex.json_types import JsonObject, JsonValue
from codex_control_plane_mcp.process_identity import ProcessIdentity

_RECORD: Final = "app-server.json"


@dataclass(frozen=True, slots=True)
class RunningAppServer:
    """One app-server process.

    `generation` counts the app-servers of this state directory from 1: ids of server requests are only
    unique within one. `binary` is None when its starter was killed before it could say. `started_at_ms`
    is in milliseconds since 1970.
    """

    identity: ProcessIdentity
    version: str
    binary: Path | None
    socket_path: Path
    generation: int
    started_at_ms: int

    def as_json(self) -> dict[str, object]:
        """Return the content of `app-server.json`."""
        return {
            "pid": self.identity.pid,
            "processStarted": self.identity.started,
            "version": self.version,
            "binary": None if self.binary is None else str(self.binary),
            "socket": str(self.socket_path),
            "generation": self.generation,
            "startedAt": self.started_at_ms,
        }

    @classmethod
    def from_json(cls, record: JsonObject) -> Self:
        """Return what `as_json` described. Raises KeyError, TypeError or ValueError for anything else."""
        binary = record["binary"]
        return cls(
            identity=ProcessIdentity(_integer(record["pid"]), str(record["processStarted"])),
            version=str(record["version"]),
            binary=None if binary is None else Path(str(binary)),
            socket_path=Path(str(record["socket"])),
            generation=_integer(record["generation"]),
            started_at_ms=_integer(record["startedAt"]),
        )


def read_record(state_directory: Path) -> RunningAppServer | None:
    """Return the last app-server recorded, running or not; None if there is none or it is unreadable.

    An unreadable record costs nothing: the listener itself tells who it is.
    """
    try:
        value = cast(JsonValue, json.loads((state_directory / _RECORD).read_text(encoding="utf-8")))
        return RunningAppServer.from_json(value) if isinstance(value, dict) else None
    except (FileNotFoundError, KeyError, TypeError, ValueError):
        return None


def write_record(state_directory: Path, running: RunningAppServer) -> None:
    """Replace the record; a reader and a crash see the old one or the new one, never a part."""
    draft = state_directory / f"{_RECORD}.draft"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(running.as_json(), file)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(state_directory / _RECORD)
    directory = os.open(state_directory, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _integer(value: JsonValue) -> int:
    if not isinstance(value, int):
        raise TypeError(f"not an integer: {value!r}")
    return value
