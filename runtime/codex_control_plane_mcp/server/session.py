"""One run of the server: its parts put together, and one client served."""

import os
import socket
import threading
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING

import anyio

from codex_control_plane_contract.settings import Settings
from codex_control_plane_contract.tools import TOOLS
from codex_control_plane_mcp.handlers.context import Context
from codex_control_plane_mcp.log import open_log
from codex_control_plane_mcp.server.app import build_server
from codex_control_plane_mcp.server.dispatch import Dispatcher
from codex_control_plane_mcp.server.loading import LOADING
from codex_control_plane_mcp.server.state_file import StateFile
from codex_control_plane_mcp.server.stdio import Wire, serve_stdio
from codex_control_plane_mcp.settings import log_file

if TYPE_CHECKING:
    from codex_control_plane_mcp.server.workforce import Workforce
    from codex_control_plane_mcp.store.clock import Clock


def serve(settings: Settings, environ: Mapping[str, str], clock: "Clock | None" = None) -> None:
    """Serve the client on stdin and stdout until it, or a signal, ends the connection.

    ``clock`` is the store's, that of the system if none is given.
    """
    wire = Wire()
    open_log(log_file(settings))
    state = StateFile(settings, clock)
    actor_id = f"server-{socket.gethostname()}-{os.getpid()}"

    @cache
    def employed() -> "Workforce":
        # Imported here: it brings the store, for which no client should wait before its first reply.
        from codex_control_plane_mcp.server.workforce import Workforce  # noqa: PLC0415 - see above

        return Workforce(settings, state, environ, actor_id)

    def workforce() -> "Workforce":
        with LOADING:
            return employed()

    context = Context(
        settings=settings,
        actor_id=actor_id,
        open_store=state.store,
        summon=summoning(settings, workforce, wire.answered),
    )
    server = build_server(Dispatcher(TOOLS, context, state))
    anyio.run(serve_stdio, server, wire)


def summoning(
    settings: Settings, workforce: "Callable[[], Workforce]", answered: threading.Event
) -> Callable[[], None]:
    """Return what makes sure that a worker runs; it does nothing in any mode but `inline`.

    From the first answer on it is also looked after by itself (`Workforce.watch`).
    """
    if settings.execution_mode != "inline":
        return _nothing

    def look_after() -> None:
        answered.wait(settings.lease_seconds)
        workforce().watch()

    threading.Thread(target=look_after, name="look after workers", daemon=True).start()
    return lambda: workforce().summon()


def _nothing() -> None:
    """Leave the workers alone."""
