"""One connection to one app-server, made from whatever is there: found, checked, started, logged in."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from codex_control_plane_contract import codex
from codex_control_plane_contract.errors import CodexAppServerIncompatible, CodexAppServerUnavailable
from codex_control_plane_contract.settings import Settings
from codex_control_plane_mcp.codex.app_server import adopt_or_start
from codex_control_plane_mcp.codex.app_server_record import RunningAppServer
from codex_control_plane_mcp.codex.binary import (
    Binary,
    binary_version,
    find_binary,
    require_version,
    version_order,
)
from codex_control_plane_mcp.codex.connection import Connection
from codex_control_plane_mcp.codex.environment import clean_environment
from codex_control_plane_mcp.codex.errors import (
    AppServerFailed,
    BinaryError,
    BinaryIncompatible,
    CallError,
    CodexError,
    ConnectionFailed,
)
from codex_control_plane_mcp.codex.protocol import require_protocol
from codex_control_plane_mcp.version import program_version

_ACCOUNT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Session:
    """An open conversation with an app-server."""

    connection: Connection
    calls: codex.CodexCalls
    app_server: RunningAppServer
    binary: Binary

    @property
    def generation(self) -> int:
        """Which start of the app-server this is; request ids and loaded threads belong to it."""
        return self.app_server.generation


async def open_session(settings: Settings, state_directory: Path) -> Session:
    """Return a session with the app-server of ``state_directory``, adopted or started.

    Raises CODEX_APP_SERVER_UNAVAILABLE (missing, refuses to start) and CODEX_APP_SERVER_INCOMPATIBLE (too
    old, or without something that is needed); ``details.finding`` names the health finding.
    """
    try:
        binary = find_binary(settings.codex_binary_path, search_path=os.environ.get("PATH"))
        version = await binary_version(binary)
        require_version(binary, version, codex.MINIMUM_VERSION)
        await require_protocol(binary, version, codex.NEEDS, codex.PINNED_VERSIONS, state_directory)
        running = await adopt_or_start(
            binary, version, state_directory, _environment(settings), codex.CONFIGURATION
        )
        connection = await Connection.open(
            running.socket_path, client_version=program_version(), opt_out=codex.OPT_OUT
        )
    except CodexError as fault:
        raise _explained(fault) from fault
    except OSError as fault:
        raise CodexAppServerUnavailable(
            f"The app-server cannot be started: {fault.strerror}", finding="codex_binary"
        ) from fault
    session = Session(connection, codex.CodexCalls(connection), running, binary)
    await _require_adopted(session)
    return session


async def require_login(session: Session) -> None:
    """Return if somebody is logged in, or nobody needs to be. Raises CODEX_APP_SERVER_UNAVAILABLE."""
    try:
        reply = await session.calls.account_read(timeout=_ACCOUNT_SECONDS)
    except (CallError, codex.ReplyInvalid) as fault:
        raise CodexAppServerUnavailable(
            f"The app-server does not say whether anybody is logged in: {fault}", finding="app_server_exited"
        ) from fault
    if reply["requiresOpenaiAuth"] and reply.get("account") is None:
        raise CodexAppServerUnavailable(
            "Nobody is logged in to Codex. Run `codex login` as this user; the task stays queued meanwhile.",
            finding="codex_auth",
        )


async def _require_adopted(session: Session) -> None:
    """Close the session if its app-server, which somebody else may have started, is an older Codex."""
    version, minimum = session.connection.server_version, codex.MINIMUM_VERSION
    if version and version_order(version) < version_order(minimum):
        await session.connection.close()
        pid = session.app_server.identity.pid
        raise CodexAppServerIncompatible(
            f"An app-server of Codex {version} runs here, and {minimum} is the oldest supported. "
            f"End it (`kill {pid}`); the worker then starts another one.",
            finding="codex_binary",
            foundVersion=version,
            minimumVersion=minimum,
            testedVersion=codex.TESTED_VERSION,
        )


def _environment(settings: Settings) -> Mapping[str, str]:
    environment = clean_environment(os.environ)
    if settings.codex_home is not None:
        environment["CODEX_HOME"] = str(settings.codex_home)
    return environment


def _explained(fault: CodexError) -> CodexAppServerUnavailable | CodexAppServerIncompatible:
    match fault:
        case BinaryIncompatible():
            return CodexAppServerIncompatible(
                f"{fault} Install version {codex.TESTED_VERSION}, then submit again.",
                finding="codex_binary",
                foundVersion=fault.version,
                minimumVersion=codex.MINIMUM_VERSION,
                testedVersion=codex.TESTED_VERSION,
                missing=[*fault.missing],
            )
        case BinaryError():
            return CodexAppServerUnavailable(str(fault), finding="codex_binary")
        case AppServerFailed():
            return CodexAppServerUnavailable(
                f"The app-server does not start: {fault}", finding="codex_binary", log=fault.log_tail[-2000:]
            )
        case ConnectionFailed():
            return CodexAppServerUnavailable(str(fault), finding="app_server_exited")
        case _:
            return CodexAppServerUnavailable(str(fault), finding="app_server_exited")
