"""The detached `codex app-server`: started once, adopted by whoever comes next, stopped when idle.

It listens on `app-server.sock` in the state directory and is described there by `app-server.json`; its
output goes to `app-server.log`. A turn and a pending approval live in its memory, so it must outlive us.

It is a direct child in a session of its own. That survives SIGKILL of the one who started it (nothing ties
the two together: no pipe, no terminal, no process group), and init adopts and reaps it then. While the
starter lives, a thread waits for it, so that it never stays a zombie and its exit code is known. The other
ways lose: asyncio's subprocess transport kills the child when it is closed, and a shell that starts it in
the background leaves it, and each command that Codex runs, deaf to SIGINT.
"""

import asyncio
import fcntl
import os
import signal
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from codex_control_plane_mcp.codex.app_server_record import RunningAppServer, read_record, write_record
from codex_control_plane_mcp.codex.binary import Binary
from codex_control_plane_mcp.codex.connection import Connection, reachable_path
from codex_control_plane_mcp.codex.detached_child import DetachedChild
from codex_control_plane_mcp.codex.errors import AppServerFailed, ConnectionFailed
from codex_control_plane_mcp.codex.socket_peer import listener_pid
from codex_control_plane_mcp.process_identity import ProcessIdentity, identify, is_alive

START_SECONDS: Final = 20.0
"""Longest wait until a started app-server accepts connections; it needs some 50 ms."""

KILL_SECONDS: Final = 5.0
"""Longest wait for the end after a second SIGTERM, and after SIGKILL."""

_SOCKET: Final = "app-server.sock"
_LOCK: Final = "app-server.lock"
_LOG: Final = "app-server.log"
_POLL_SECONDS: Final = 0.01


async def adopt(state_directory: Path) -> RunningAppServer | None:
    """Return the app-server that listens in `state_directory`, or None when none accepts connections.

    The one who listens counts, not the record: a starter may have been killed before it wrote the record,
    which is then made good here.
    """
    socket_path = state_directory / _SOCKET
    pid = await asyncio.to_thread(listener_pid, socket_path)
    identity = None if pid is None else identify(pid)
    if identity is None:
        return None
    record = read_record(state_directory)
    if record is not None and record.identity == identity:
        return record
    return await _describe(identity, state_directory)


async def start(
    binary: Binary,
    version: str,
    state_directory: Path,
    environment: Mapping[str, str],
    overrides: Sequence[tuple[str, str]],
) -> RunningAppServer:
    """Start an app-server and return it once it accepts connections; adopt it if somebody was faster.

    `overrides` are keys and TOML values for `codex -c`, which outrank the user's `config.toml` without
    touching it. Codex logs and ignores a key that it does not know, and ends at a value of a wrong type.
    Raises AppServerFailed; nothing is left running then.
    """
    _make_private(state_directory)
    async with _starting(state_directory):
        if (running := await _await_recorded(state_directory)) is not None:
            return running
        try:
            return await _spawn(binary, version, state_directory, environment, overrides)
        except AppServerFailed:
            # Another one may listen there without a record; Codex itself then refuses to start a second.
            if (running := await adopt(state_directory)) is not None:
                return running
            raise


async def adopt_or_start(
    binary: Binary,
    version: str,
    state_directory: Path,
    environment: Mapping[str, str],
    overrides: Sequence[tuple[str, str]],
) -> RunningAppServer:
    """Return the running app-server, or a new one. Parameters and errors are those of `start`."""
    running = await adopt(state_directory)
    return running or await start(binary, version, state_directory, environment, overrides)


async def stop(running: RunningAppServer, grace: float) -> None:
    """End an app-server that has nothing to do; returns when it has ended, also if it had before.

    SIGTERM lets it finish its turns without limit, so callers interrupt and wait for idle first. After
    `grace` seconds a second SIGTERM ends it at once, then SIGKILL. Raises AppServerFailed if it survives.
    """
    for number, seconds in (
        (signal.SIGTERM, grace),
        (signal.SIGTERM, KILL_SECONDS),
        (signal.SIGKILL, KILL_SECONDS),
    ):
        if await _ended_by(number, running.identity, seconds):
            await asyncio.to_thread(_remove_socket, running.socket_path)
            return
    raise AppServerFailed(f"app-server {running.identity.pid} did not end on SIGKILL")


async def _ended_by(number: signal.Signals, identity: ProcessIdentity, seconds: float) -> bool:
    if is_alive(identity):
        with suppress(ProcessLookupError):
            os.kill(identity.pid, number)
    return await _becomes_dead(identity, seconds)


async def _becomes_dead(identity: ProcessIdentity, seconds: float) -> bool:
    """Wait for the end by looking: only a parent can wait for a process, and we may not be it."""
    deadline = time.monotonic() + seconds
    while is_alive(identity):
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(_POLL_SECONDS)
    return True


async def _spawn(
    binary: Binary,
    version: str,
    state_directory: Path,
    environment: Mapping[str, str],
    overrides: Sequence[tuple[str, str]],
) -> RunningAppServer:
    """Start the process, record it before it listens, and wait until it does."""
    socket_path = state_directory / _SOCKET
    command = _command(binary, socket_path, overrides)
    try:
        child = DetachedChild.spawn(command, environment, state_directory, state_directory / _LOG)
    except OSError as error:
        raise AppServerFailed(f"{binary.path} cannot be run: {error.strerror}") from error
    try:
        identity = await _identity_of(child)
        running = _numbered(identity, version, binary.path, state_directory)
        await asyncio.to_thread(write_record, state_directory, running)
        await _await_listening(child, socket_path)
    except BaseException:
        await asyncio.shield(child.kill())
        raise
    return running


def _command(binary: Binary, socket_path: Path, overrides: Sequence[tuple[str, str]]) -> list[str]:
    settings = [word for key, value in overrides for word in ("-c", f"{key}={value}")]
    return [str(binary.path), "app-server", "--listen", f"unix://{socket_path}", *settings]


async def _identity_of(child: DetachedChild) -> ProcessIdentity:
    identity = identify(child.pid)
    if identity is None:
        await child.wait_reaped(KILL_SECONDS)
        raise _ended_early(child)
    return identity


def _ended_early(child: DetachedChild) -> AppServerFailed:
    reason = f"app-server ended while starting, with exit code {child.exit_code}"
    return AppServerFailed(reason, exit_code=child.exit_code, log_tail=child.log_tail())


async def _await_listening(child: DetachedChild, socket_path: Path) -> None:
    """Return when the child accepts connections; the socket file says nothing, an old one may lie there."""
    deadline = time.monotonic() + START_SECONDS
    while await asyncio.to_thread(listener_pid, socket_path) != child.pid:
        if child.exit_code is not None:
            raise _ended_early(child)
        if time.monotonic() >= deadline:
            reason = f"app-server accepted no connection within {START_SECONDS:g} s"
            raise AppServerFailed(reason, log_tail=child.log_tail())
        await asyncio.sleep(_POLL_SECONDS)


async def _await_recorded(state_directory: Path) -> RunningAppServer | None:
    """Return the app-server that is there or just coming up, None when a new one is needed.

    One that lives but stays deaf is left alone, because it may have work in it. Raises AppServerFailed.
    """
    deadline = time.monotonic() + START_SECONDS
    while (running := await adopt(state_directory)) is None:
        record = read_record(state_directory)
        if record is None or not is_alive(record.identity):
            return None
        if time.monotonic() >= deadline:
            raise AppServerFailed(
                f"app-server {record.identity.pid} lives but accepts no connections; "
                "if it holds no work that matters, end it and try again"
            )
        await asyncio.sleep(_POLL_SECONDS)
    return running


async def _describe(identity: ProcessIdentity, state_directory: Path) -> RunningAppServer | None:
    """Record a listener of which nobody left a record, as it presents itself."""
    try:
        async with await Connection.open(state_directory / _SOCKET, client_version="adopting") as connection:
            running = _numbered(identity, connection.server_version, None, state_directory)
    except ConnectionFailed:
        return None
    await asyncio.to_thread(write_record, state_directory, running)
    return running


def _numbered(
    identity: ProcessIdentity, version: str, binary: Path | None, state_directory: Path
) -> RunningAppServer:
    """Return the record of a process that no record is about yet, one generation on."""
    last = read_record(state_directory)
    return RunningAppServer(
        identity=identity,
        version=version,
        binary=binary,
        socket_path=state_directory / _SOCKET,
        generation=1 if last is None else last.generation + 1,
        started_at_ms=time.time_ns() // 1_000_000,
    )


@asynccontextmanager
async def _starting(state_directory: Path) -> AsyncGenerator[None]:
    """Let one process at a time start an app-server here; the kernel ends the claim with the process."""
    descriptor = os.open(state_directory / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + 2 * START_SECONDS
        while not _claim(descriptor):
            if time.monotonic() >= deadline:
                raise AppServerFailed("another process is starting an app-server and does not come to an end")
            await asyncio.sleep(_POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _claim(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _make_private(state_directory: Path) -> None:
    """Create the directory for its owner alone; who reaches the socket in it can approve any command."""
    state_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = state_directory.stat().st_mode & 0o777
    if mode & 0o077:
        raise AppServerFailed(
            f"{state_directory} is open to other users (mode {mode:o}); run `chmod 700` on it and try again"
        )


def _remove_socket(socket_path: Path) -> None:
    """Remove what SIGKILL left: the symlink and the socket that it points to. Never those of a successor."""
    if listener_pid(socket_path) is None:
        reachable_path(socket_path).unlink(missing_ok=True)
        socket_path.unlink(missing_ok=True)
