"""What a workflow makes of its tasks, where the spec leaves the runtime a choice (contract §9).

Pure functions of rows. The store asks them inside the transaction in which a task changes, so that no call
site has to remember a workflow (docs/decisions/0060-workflows-follow-their-operations.md).
"""

from typing import Final

from codex_control_plane_contract.following import Decisions
from codex_control_plane_mcp.workflows import planning
from codex_control_plane_mcp.workflows.planning import Plans

DECISIONS: Final[Decisions[Plans]] = Decisions(plan_workflow=planning)
"""All of them, by follower."""

__all__ = ["DECISIONS", "Plans"]
