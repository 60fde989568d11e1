"""Every way in which talking to Codex fails.

CodexError
├── CallError              one call on an open connection
│   ├── CallRefused        Codex answered with an error: it did not do it
│   ├── CallUnanswered     the reply was lost: nobody knows whether Codex did it
│   │   └── CallLate       no reply came in time, and the connection lives
│   └── CallNotSent        nothing was written: Codex certainly did not do it
├── ConnectionFailed       no connection could be made
├── BinaryError            the `codex` program
│   ├── BinaryMissing
│   ├── BinaryUnusable
│   └── BinaryIncompatible
│       ├── BinaryTooOld
│       └── BinaryLacksProtocol
└── AppServerFailed        `codex app-server` did not start
"""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from codex_control_plane_mcp.codex.json_types import JsonObject, JsonValue

OVERLOADED = -32001
"""JSON-RPC error code of an app-server whose request queue is full: the call was not executed."""


class CodexError(Exception):
    """Talking to Codex failed; `name` is stable and safe to store, the message is for people."""

    name: ClassVar[str] = "codex_error"


class CallError(CodexError):
    """A call did not bring back a result; which subclass says what is known about its effect."""

    name: ClassVar[str] = "call_error"


class CallRefused(CallError):
    """Codex answered `method` with a JSON-RPC error, so the call had no effect."""

    name: ClassVar[str] = "call_refused"

    def __init__(self, code: int, message: str, data: JsonValue = None, *, method: str = "") -> None:
        super().__init__(f"Codex refused {method or 'the call'}: {message} ({code})")
        self.code = code
        self.message = message
        self.data = data
        self.method = method

    @property
    def is_overload(self) -> bool:
        """Whether the app-server was only too busy: the same call may be sent again later."""
        return self.code == OVERLOADED

    @property
    def is_draining(self) -> bool:
        """Whether the app-server is shutting down and wants the call on its successor instead."""
        data: JsonObject = self.data if isinstance(self.data, dict) else {}
        return data.get("reason") == "serverShuttingDown"


class CallUnanswered(CallError):
    """The call was (or may have been) written and no reply came: its outcome is unknown.

    Only Codex's own history can tell what happened; sending again by reflex may do it twice.
    """

    name: ClassVar[str] = "call_unanswered"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class CallLate(CallUnanswered):
    """No reply came in time, and the connection lives: what changes nothing may be asked again."""

    name: ClassVar[str] = "call_late"


class CallNotSent(CallError):
    """The call was never written, so sending it on another connection is safe."""

    name: ClassVar[str] = "call_not_sent"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ConnectionFailed(CodexError):
    """No initialized connection to the app-server at `socket_path` came about."""

    name: ClassVar[str] = "connection_failed"

    def __init__(self, socket_path: Path, reason: str) -> None:
        super().__init__(f"cannot connect to the app-server at {socket_path}: {reason}")
        self.socket_path = socket_path
        self.reason = reason


class BinaryError(CodexError):
    """The `codex` program cannot be used as it is."""

    name: ClassVar[str] = "binary_error"


class BinaryMissing(BinaryError):
    """No `codex` program was found; the message names every place that was tried and the remedy."""

    name: ClassVar[str] = "binary_missing"


class BinaryUnusable(BinaryError):
    """The program at `path` does not answer `--version` as Codex does."""

    name: ClassVar[str] = "binary_unusable"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path} is not a usable Codex: {reason}. Run `{path} --version` by hand to see why, "
            "or point the setting for the Codex binary at another one."
        )
        self.path = path
        self.reason = reason


class BinaryIncompatible(BinaryError):
    """The Codex at `path` works, but not with us; `missing` names what of the protocol it lacks, if known."""

    name: ClassVar[str] = "binary_incompatible"

    def __init__(self, path: Path, version: str, reason: str, missing: Sequence[str] = ()) -> None:
        super().__init__(f"{path} is Codex {version}{reason}")
        self.path = path
        self.version = version
        self.missing = tuple(missing)


class BinaryTooOld(BinaryIncompatible):
    """The Codex at `path` has a version below the oldest supported one."""

    name: ClassVar[str] = "binary_too_old"

    def __init__(self, path: Path, version: str, minimum: str) -> None:
        super().__init__(path, version, f"; version {minimum} is the oldest supported.")


class BinaryLacksProtocol(BinaryIncompatible):
    """The Codex at `path` has no longer, or not yet, what is needed of its protocol."""

    name: ClassVar[str] = "binary_lacks_protocol"

    def __init__(self, path: Path, version: str, missing: Sequence[str]) -> None:
        super().__init__(path, version, f", which lacks {', '.join(missing)}.", missing)


class AppServerFailed(CodexError):
    """`codex app-server` ended or stayed deaf while starting; nothing of it is left running.

    `exit_code` is None when it was still alive at the deadline or its code is not known;
    `log_tail` holds the last lines that it wrote.
    """

    name: ClassVar[str] = "app_server_failed"

    def __init__(self, reason: str, *, exit_code: int | None = None, log_tail: str = "") -> None:
        super().__init__(f"{reason}\n{log_tail}".rstrip())
        self.reason = reason
        self.exit_code = exit_code
        self.log_tail = log_tail
