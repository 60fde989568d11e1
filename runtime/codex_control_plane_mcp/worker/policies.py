"""Sandbox, approval and mode words of the contract (§2, §9), as Codex takes them."""

from codex_control_plane_contract.lifecycles.operation import OperationRow
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.worker.loaded_thread import LoadedThread


def sandbox_policy(row: OperationRow) -> JsonObject | None:
    """Return ``turn/start``'s sandboxPolicy; None leaves what the thread has."""
    match row.sandbox:
        case "read-only":
            return {"type": "readOnly", "networkAccess": False}
        case "workspace-write":
            return {
                "type": "workspaceWrite",
                "writableRoots": [],
                "networkAccess": False,
                "excludeTmpdirEnvVar": False,
                "excludeSlashTmp": False,
            }
        case "danger-full-access":
            return {"type": "dangerFullAccess"}
        case "respect_existing":
            return None


def approval_policy(row: OperationRow) -> str | None:
    """Return ``turn/start``'s approvalPolicy; None leaves what the thread has."""
    return None if row.approval_policy == "respect_existing" else row.approval_policy


def collaboration_mode(row: OperationRow, thread: LoadedThread) -> JsonObject | None:
    """Return ``turn/start``'s collaborationMode; None leaves a thread in mode default as it is.

    Codex keeps the mode for the turns that follow, so a turn that is to do the work takes the thread out of
    plan mode. It is not said needlessly: the word for it adds instructions to the conversation.
    """
    mode = row.collaboration_mode or "default"
    if mode == "default" and thread.mode == "default":
        return None
    return thread.in_mode(mode, model=row.model, effort=row.effort)
