"""`codex_repair_issue`: what went wrong is repaired, or it is said what would be done (contract §14)."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from codex_control_plane_contract.arguments import RepairIssueArguments
from codex_control_plane_contract.types import RepairAction, RepairRun
from codex_control_plane_mcp.handlers.context import Context
from codex_control_plane_mcp.handlers.waiting import on_thread
from codex_control_plane_mcp.handlers.workflow_retry import retry_workflow

_Repair: TypeAlias = Callable[[Context, RepairIssueArguments], RepairRun]

_REPAIRS: Final[Mapping[RepairAction, _Repair]] = {"retry_workflow_with_runtime_policy": retry_workflow}


async def repair_issue(context: Context, arguments: RepairIssueArguments) -> RepairRun:
    """Repair, or with `dry_run` say what would be done; raises what the repair raises."""
    run = await on_thread(lambda: _REPAIRS[arguments.action](context, arguments))
    if run["changed"]:
        context.summon()
    return run
