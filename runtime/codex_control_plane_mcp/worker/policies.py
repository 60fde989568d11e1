"""Sandbox and approval words of the contract (§2), as Codex takes them."""

from codex_control_plane_contract.lifecycles.operation import OperationRow
from codex_control_plane_contract.values import JsonObject


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
