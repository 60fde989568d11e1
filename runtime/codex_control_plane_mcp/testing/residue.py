"""What a test or the demo may leave behind in its directory: processes, and sockets that live elsewhere."""

import asyncio
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from codex_control_plane_mcp.codex.app_server import adopt, stop
from codex_control_plane_mcp.codex.app_server_record import read_record
from codex_control_plane_mcp.codex.connection import reachable_path

_LISTING: Final = (
    ("ps", "-axwwE", "-o", "pid=,command=")
    if sys.platform == "darwin"
    else ("ps", "axeww", "-o", "pid=,command=")
)
"""Every process with its arguments and its environment, which names the directory if no argument does."""

_SANDBOXES: Final = ("codex-linux-sandbox", "bwrap ")
_GRACE: Final = 0.5
_PATIENCE: Final = 5.0
_POLL_SECONDS: Final = 0.02
_SHOWN_CHARS: Final = 120


@dataclass(frozen=True, slots=True)
class Found:
    """A process of a directory; `command` is its command line with its environment behind it."""

    pid: int
    command: str

    def __str__(self) -> str:
        return f"{self.pid} {self.command[:_SHOWN_CHARS]}"


async def processes_of(directory: Path) -> list[Found]:
    """Return the processes whose arguments or environment name `directory`, but for this one."""
    listing = await asyncio.create_subprocess_exec(*_LISTING, stdout=asyncio.subprocess.PIPE)
    output, _ = await listing.communicate()
    lines = (line.strip() for line in output.decode(errors="replace").splitlines())
    found = [Found(int(pid), command) for pid, _, command in (line.partition(" ") for line in lines)]
    return [one for one in found if str(directory) in one.command and one.pid != os.getpid()]


async def staying(directory: Path) -> list[Found]:
    """Return the processes of `directory` that stay: sandboxes notice the death of their parent late."""
    deadline = time.monotonic() + _PATIENCE
    while (left := await processes_of(directory)) and time.monotonic() < deadline:  # noqa: ASYNC110 -- no event
        await asyncio.sleep(_POLL_SECONDS)
    return left


async def sandboxes_of(directory: Path) -> list[Found]:
    """Return the sandboxes that Codex made below `directory`.

    One that is being set up while its app-server is killed stays for ever; that is Codex's own, and not ours.
    """
    return [one for one in await processes_of(directory) if any(name in one.command for name in _SANDBOXES)]


def kill(found: list[Found]) -> None:
    """End processes with SIGKILL; one that has gone is fine."""
    for one in found:
        with suppress(ProcessLookupError):
            os.kill(one.pid, signal.SIGKILL)


async def end_app_server(state_directory: Path) -> list[str]:
    """End the app-server of `state_directory`, also one with work in it; return what is left of it."""
    running = await adopt(state_directory) or read_record(state_directory)
    if running is None:
        return []
    # Since Codex 0.163 the socket itself lies elsewhere, and the path is a link to it.
    files = {running.socket_path, reachable_path(running.socket_path)}
    await stop(running, _GRACE)
    return [f"left behind: {path}" for path in files if path.is_symlink() or path.exists()]
