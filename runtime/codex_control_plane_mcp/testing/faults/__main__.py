"""A Codex with a proxy in front.

``python -m codex_control_plane_mcp.testing.faults CODEX SCRIPT LOG app-server --listen unix://PATH …`` takes
the place of ``codex app-server --listen unix://PATH …``: the real one listens beside PATH and is told every
signal, and neither of the two outlives the other.
"""

import argparse
import asyncio
import json
import logging
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Final

from codex_control_plane_mcp.codex.socket_peer import listener_pid
from codex_control_plane_mcp.process_identity import ProcessIdentity, end, identify
from codex_control_plane_mcp.testing.faults.proxy import Proxy

_SCHEME: Final = "unix://"
_POLL_SECONDS: Final = 0.01
_ENDS_SECONDS: Final = 5.0
_GUARDIAN: Final = 'read -r _; kill -9 "$1"'
"""Waits for the end of its input, which the kernel closes together with us, and ends the process."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Be an app-server; return the exit code of the real one."""
    parser = argparse.ArgumentParser(prog="faulty-codex", description="A Codex with a proxy in front.")
    parser.add_argument("codex", type=Path, metavar="CODEX", help="the real program")
    parser.add_argument("script", type=Path, metavar="SCRIPT", help="what goes wrong")
    parser.add_argument("log", type=Path, metavar="LOG", help="what has passed")
    parser.add_argument("command", choices=("app-server",))
    parser.add_argument("--listen", required=True, metavar="unix://PATH", help="where to listen")
    options, rest = parser.parse_known_args(arguments)
    # Whoever looks who listens connects and goes without a word, which is no error here.
    logging.getLogger("websockets").setLevel(logging.CRITICAL)
    front = Path(str(options.listen).removeprefix(_SCHEME))
    behind = front.with_name("behind-the-proxy.sock")
    command = [str(options.codex), "app-server", "--listen", f"{_SCHEME}{behind}", *rest]
    return asyncio.run(_run(command, front, Proxy(behind, options.script, options.log), behind))


async def _run(command: Sequence[str], front: Path, proxy: Proxy, behind: Path) -> int:
    record = behind.with_suffix(".json")
    await asyncio.to_thread(_end_survivors, behind, record)
    codex = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL)
    await asyncio.to_thread(_note, codex.pid, record)
    _pass_on_signals(codex)
    async with _guarded(codex):
        if not await _listens(codex, behind):
            return await codex.wait()
        server = await proxy.listen(front)
        code = await codex.wait()
        server.close()
        await server.wait_closed()
        await asyncio.to_thread(front.unlink, missing_ok=True)
        return code


def _end_survivors(behind: Path, record: Path) -> None:
    """End the real app-servers of proxies that were killed, which their guardians may not have come to yet.

    A worker takes them for dead: what they still do would be done behind the back of their successor. The
    proxy may have been killed before it noted who it is, or before that one listened.
    Raises TimeoutError if one does not end.
    """
    for survivor in (_noted(record), _listening(behind)):
        if survivor is not None and not end(survivor, _ENDS_SECONDS):
            raise TimeoutError(f"app-server {survivor.pid} cannot be ended")


def _noted(record: Path) -> ProcessIdentity | None:
    try:
        return ProcessIdentity(**json.loads(record.read_text()))
    except FileNotFoundError:
        return None


def _listening(behind: Path) -> ProcessIdentity | None:
    pid = listener_pid(behind)
    return None if pid is None else identify(pid)


def _note(pid: int, record: Path) -> None:
    """Note which process the real app-server is, before anybody can send it a message."""
    if (identity := identify(pid)) is not None:
        following = record.with_suffix(".next")
        following.write_text(json.dumps(asdict(identity)))
        following.replace(record)


def _pass_on_signals(codex: Process) -> None:
    def tell(number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            codex.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, tell, number)


@asynccontextmanager
async def _guarded(codex: Process) -> AsyncGenerator[None]:
    """See to it that the real app-server dies together with this process, even on SIGKILL."""
    guardian = await asyncio.create_subprocess_exec(
        "/bin/sh", "-c", _GUARDIAN, "guardian", str(codex.pid), stdin=PIPE
    )
    try:
        yield
    finally:
        # By now it has ended; its pid may be another's.
        guardian.kill()
        await guardian.wait()


async def _listens(codex: Process, behind: Path) -> bool:
    """Return True once the real app-server accepts connections, False if it ends before."""
    while await asyncio.to_thread(listener_pid, behind) != codex.pid:
        if codex.returncode is not None:
            return False
        await asyncio.sleep(_POLL_SECONDS)
    return True


if __name__ == "__main__":
    sys.exit(main())
