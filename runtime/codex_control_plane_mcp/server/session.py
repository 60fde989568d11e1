"""One run of the server: its parts put together, and one client served."""

import os
import socket
from collections.abc import Callable, Mapping

import anyio

from codex_control_plane_contract.records import ExecutorLeaseRow
from codex_control_plane_contract.settings import Settings
from codex_control_plane_contract.tools import TOOLS
from codex_control_plane_mcp.handlers.context import Context
from codex_control_plane_mcp.log import open_log
from codex_control_plane_mcp.server.app import build_server
from codex_control_plane_mcp.server.dispatch import Dispatcher
from codex_control_plane_mcp.server.handover import request_handover
from codex_control_plane_mcp.server.state_file import StateFile
from codex_control_plane_mcp.server.stdio import Wire, serve_stdio
from codex_control_plane_mcp.server.summoning import Summoner
from codex_control_plane_mcp.settings import log_file
from codex_control_plane_mcp.version import program_version
from codex_control_plane_mcp.worker_starts import WorkerStarts


def serve(settings: Settings, environ: Mapping[str, str]) -> None:
    """Serve the client on stdin and stdout until it, or a signal, ends the connection."""
    wire = Wire()
    open_log(log_file(settings))
    state = StateFile(settings)
    actor_id = f"server-{socket.gethostname()}-{os.getpid()}"
    context = Context(
        settings=settings,
        actor_id=actor_id,
        open_store=state.store,
        summon=summoning(settings, state, environ, actor_id),
    )
    server = build_server(Dispatcher(TOOLS, context, state))
    anyio.run(serve_stdio, server, wire)


def summoning(
    settings: Settings, state: StateFile, environ: Mapping[str, str], actor_id: str
) -> Callable[[], None]:
    """Return what makes sure that a worker runs; it does nothing in any mode but `inline`.

    A worker of an older version is asked to hand over. Where an earlier session, or the machine, has left
    work behind, a worker is asked for right away; where a worker dies that has work, another one is, as late
    as its lease falls due.
    """
    if settings.execution_mode != "inline":
        return _nothing

    def lease() -> ExecutorLeaseRow:
        with state.store().read() as reader:
            return reader.lease()

    def work_is_left() -> bool:
        # A client that only looks at the list of tools should leave no state file behind.
        if not state.path.exists():
            return False
        with state.store().read() as reader:
            return any(reader.open_work().values())

    def relieve() -> bool:
        return request_handover(state.store(), actor_id=actor_id, version=program_version())

    summoner = Summoner(WorkerStarts(state.path.parent), lease, environ, relieve=relieve)
    summoner.watch(work_is_left, seconds=settings.lease_seconds)
    return summoner.summon


def _nothing() -> None:
    """Leave the workers alone."""
