"""What a plan turn may touch at least (contract §9)."""

from typing import Final

from codex_control_plane_contract.lifecycles import operation
from codex_control_plane_contract.lifecycles.operation import CollaborationMode, Sandbox
from codex_control_plane_contract.types import Acknowledgement, Operation

PLAN_FLOOR: Final = "workspace-write"
"""Codex plans with commands that a read-only sandbox does not let run."""


def effective_sandbox(requested: Sandbox, mode: CollaborationMode) -> Sandbox:
    """Return what a turn may touch: in plan mode, read-only is raised."""
    return PLAN_FLOOR if mode == "plan" and requested == "read-only" else requested


def add_sandboxes(view: Operation | Acknowledgement, row: operation.Operation) -> None:
    """Add what a task in plan mode was to touch, and what it may touch."""
    if row.requested_sandbox is not None:
        view["requestedSandbox"] = row.requested_sandbox
        view["effectiveSandbox"] = row.sandbox
        view["runtimePolicyAdjusted"] = row.requested_sandbox != row.sandbox
