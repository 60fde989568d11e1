"""A real app-server for the length of a test, and the check that nothing of it stays."""

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from codex_control_plane_mcp.codex.app_server import adopt, adopt_or_start, stop
from codex_control_plane_mcp.codex.app_server_record import RunningAppServer
from codex_control_plane_mcp.codex.binary import binary_version, find_binary
from codex_control_plane_mcp.codex.environment import clean_environment

TEST_OVERRIDES: Final = (
    ("features.shell_snapshot", "false"),
    ("features.unbounded_connection_retries", "false"),
)
"""Overrides under which a test is fast and a model that is gone fails the turn instead of holding it."""

_GRACE: Final = 0.5
_PATIENCE: Final = 5.0
_POLL_SECONDS: Final = 0.01


async def start_live(
    state_directory: Path, home: Path, *, overrides: Sequence[tuple[str, str]] = TEST_OVERRIDES
) -> RunningAppServer:
    """Return a real app-server on the Codex home `home`, adopted if one listens in the state directory.

    Raises BinaryMissing where no Codex is installed, and AppServerFailed.
    """
    binary = find_binary(None, search_path="")
    environment = clean_environment(os.environ) | {"CODEX_HOME": str(home), "HOME": str(home)}
    return await adopt_or_start(binary, await binary_version(binary), state_directory, environment, overrides)


@asynccontextmanager
async def live_app_server(state_directory: Path, home: Path) -> AsyncGenerator[RunningAppServer]:
    """Run a real app-server; whichever one listens in the state directory at the end is ended.

    Raises AssertionError at the end if a process or a socket of it is left.
    """
    running = await start_live(state_directory, home)
    target = running.socket_path.parent / running.socket_path.readlink()
    try:
        yield running
    finally:
        await end_live(state_directory)
    await stop(running, _GRACE)
    left = [str(path) for path in (running.socket_path, target) if path.is_symlink() or path.exists()]
    left += await _processes_staying(str(state_directory))
    if left:
        raise AssertionError(f"left behind: {left}")


async def end_live(state_directory: Path) -> None:
    """End whatever app-server listens in the state directory, also one with work in it."""
    running = await adopt(state_directory)
    if running is not None:
        await stop(running, _GRACE)


async def processes_mentioning(text: str) -> list[str]:
    """Return the command lines of all processes that hold `text`."""
    listing = await asyncio.create_subprocess_exec(
        "ps", "-axww", "-o", "pid=,command=", stdout=asyncio.subprocess.PIPE
    )
    output, _ = await listing.communicate()
    return [line for line in output.decode(errors="replace").splitlines() if text in line]


async def _processes_staying(text: str) -> list[str]:
    """Return the processes that hold `text` and do not end: sandboxes notice their parent's death late."""
    deadline = time.monotonic() + _PATIENCE
    while (left := await processes_mentioning(text)) and time.monotonic() < deadline:  # noqa: ASYNC110 -- no event
        await asyncio.sleep(_POLL_SECONDS)
    return left
