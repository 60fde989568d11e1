"""``codex-control-plane-mcp-worker``: the process that drives Codex."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace

from codex_control_plane_contract.errors import ControlPlaneError
from codex_control_plane_contract.settings import Settings
from codex_control_plane_mcp.log import open_log
from codex_control_plane_mcp.settings import SettingsInvalid, load_settings, log_file, state_file
from codex_control_plane_mcp.store import Store
from codex_control_plane_mcp.store.clock import Clock
from codex_control_plane_mcp.version import program_version
from codex_control_plane_mcp.worker.worker import Worker

_LOG = logging.getLogger(__name__)
_DESCRIPTION = """\
Runs the tasks that codex-control-plane-mcp servers accept. In the default mode, inline, a server starts this
by itself; start it by hand to keep it running as a service (CODEX_MCP_EXECUTION_MODE=worker), with the same
environment as the servers. Several may run: one executes, the others take over when it ends.
"""


def main(arguments: Sequence[str] | None = None, *, clock: Clock | None = None) -> int:
    """Run a worker until SIGTERM, SIGINT or idleness; return 0, or 2 if it cannot start.

    ``clock`` is the store's, that of the system if none is given.
    """
    parser = argparse.ArgumentParser(prog="codex-control-plane-mcp-worker", description=_DESCRIPTION)
    parser.add_argument("--version", action="version", version=program_version())
    parser.add_argument(
        "--idle-seconds",
        type=int,
        metavar="N",
        help="leave after N seconds with nothing to do and no server alive (CODEX_MCP_WORKER_IDLE_SECONDS)",
    )
    parser.add_argument("--observe", action="store_true", help="never execute; only show that it lives")
    parser.add_argument(
        "--interval-seconds",
        type=float,
        metavar="N",
        help="seconds between two heartbeats (default: the lease)",
    )
    options = parser.parse_args(arguments)
    try:
        settings = load_settings(os.environ)
        if options.idle_seconds is not None:
            settings = replace(settings, worker_idle_seconds=options.idle_seconds)
        with Store.open(state_file(settings), clock=clock, busy_seconds=settings.state_busy_seconds) as store:
            open_log(log_file(settings))
            asyncio.run(_work(store, settings, observe=options.observe, interval=options.interval_seconds))
    except (SettingsInvalid, ControlPlaneError) as fault:
        print(f"codex-control-plane-mcp-worker: {fault}", file=sys.stderr)  # noqa: T201 -- a command's last word
        return 2
    return 0


async def _work(store: Store, settings: Settings, *, observe: bool, interval: float | None) -> None:
    worker = Worker(store, settings, observe=observe, heartbeat_seconds=interval or settings.lease_seconds)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, worker.stop)
    _LOG.info("worker started")
    await worker.run()
    _LOG.info("worker ended")


if __name__ == "__main__":
    sys.exit(main())
