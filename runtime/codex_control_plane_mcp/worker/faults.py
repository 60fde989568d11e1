"""What a fault of a call means for the operation: wait, or give up."""

from codex_control_plane_contract.errors import (
    CodexAppServerUnavailable,
    CodexBusy,
    CodexSendFailed,
    CodexThreadNotFound,
    CodexTurnNotFound,
    ControlPlaneError,
)
from codex_control_plane_contract.lifecycles import operation
from codex_control_plane_contract.types import Error
from codex_control_plane_mcp.codex.errors import CallRefused

# What thread/resume and thread/turns/list say of a thread that is not, or no longer, on disk.
_FILE_GONE = "missing source rollout"
_LOST = ("no rollout found", "thread not found", "thread not loaded", "is empty", _FILE_GONE)
_YOUNG = (
    "is not supported yet",
    "failed to load thread history",
    "failed to read thread",
    "not materialized yet",
)
_ARCHIVED = "is archived"
_CONFIGURATION = "failed to load configuration"
_WRITER = "already has an active writer"
_NO_GOALS = ("unknown variant `thread/goal/", "goals feature is disabled")
# What turn/steer says of a turn that does not run (any more).
_NOT_RUNNING = ("no active turn to steer", "expected active turn id")


class StartFailed(Exception):
    """Codex's side of a start failed, before anything reached the model; ``error`` says how."""

    def __init__(self, error: ControlPlaneError) -> None:
        super().__init__(error.message)
        self.error = error


class Deferred(Exception):
    """The truth cannot be read now (another Codex holds the thread, or the call failed): look again later."""


def thread_young(refused: CallRefused) -> bool:
    """Return whether Codex cannot yet read a thread whose first turn is just beginning."""
    return any(words in refused.message for words in _YOUNG) and not thread_lost(refused)


def may_pass(refused: CallRefused) -> bool:
    """Return whether the same question may be answered later."""
    passing = refused.is_overload or refused.is_draining or thread_young(refused)
    return passing or _WRITER in refused.message or _CONFIGURATION in refused.message


def goals_unknown(refused: CallRefused) -> bool:
    """Return whether this Codex has no goals, or has them switched off."""
    return any(words in refused.message for words in _NO_GOALS)


def thread_lost(refused: CallRefused) -> bool:
    """Return whether Codex says that it has no such thread."""
    return any(words in refused.message for words in _LOST)


def thread_file_gone(refused: CallRefused) -> bool:
    """Return whether Codex says that it has had the thread, and that its file is gone."""
    return _FILE_GONE in refused.message


def thread_archived(refused: CallRefused) -> bool:
    """Return whether Codex says that it has the thread in its archive."""
    return _ARCHIVED in refused.message


def refusal(refused: CallRefused) -> ControlPlaneError:
    """Return a refusal in the words of the contract; ``retryable`` says whether waiting may cure it."""
    if refused.is_overload or refused.is_draining or thread_young(refused):
        return CodexAppServerUnavailable(f"The app-server takes no work now: {refused.message}")
    if _CONFIGURATION in refused.message:
        # The user's own file, which Codex reads for every thread: a correction is enough.
        return CodexAppServerUnavailable(f"Codex cannot read its configuration: {refused.message[:1000]}")
    if _WRITER in refused.message:
        return busy("Another Codex on the same home holds this thread; close it, or wait until it ends.")
    if thread_archived(refused):
        return CodexSendFailed(
            "The thread is archived. Put it back with codex_unarchive_thread, then ask again.",
            codexCode=refused.code,
            codexMessage=refused.message[:1000],
            method=refused.method,
        )
    if thread_lost(refused):
        return CodexThreadNotFound(f"Codex has no such thread: {refused.message[:500]}")
    return CodexSendFailed(
        f"Codex refused {refused.method}: {refused.message[:1000]}",
        codexCode=refused.code,
        codexMessage=refused.message[:1000],
        method=refused.method,
    )


def steer_refusal(refused: CallRefused, row: operation.Steering) -> ControlPlaneError:
    """Return a refusal of turn/steer; a turn that does not run here can never be steered."""
    if thread_lost(refused) or any(words in refused.message for words in _NOT_RUNNING):
        return turn_over(row, codexMessage=refused.message[:500])
    return refusal(refused)


def turn_over(row: operation.Steering, **details: str) -> CodexTurnNotFound:
    """Return the error of words whose turn does not run; they never reached the model."""
    return CodexTurnNotFound(
        f"Turn {row.expected_turn_id} does not run any more, so Codex did not take the words. "
        "Submit send_message to say them in a turn of their own.",
        threadId=row.thread_id,
        turnId=row.expected_turn_id,
        **details,
    )


def unavailable(fault: Exception) -> CodexAppServerUnavailable:
    """Return the error of a call that got no answer."""
    return CodexAppServerUnavailable(f"The app-server did not answer: {fault}")


def busy(message: str) -> CodexBusy:
    """Return the error of a thread that somebody else uses."""
    return CodexBusy(message)


def gone(message: str) -> Error:
    """Return the error of work that ended with its app-server or worker."""
    return {"code": "CODEX_APP_SERVER_UNAVAILABLE", "message": message, "details": {}, "retryable": True}
