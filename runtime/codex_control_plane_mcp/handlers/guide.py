"""codex_get_agent_contract: the rules of this server, from the tables of the spec.

The compact guide is read at the start of every conversation, so it holds what no other answer tells: the
rules, the words, which statuses are an end. A status answer names its own next action, and the list of tools
says what each tool does.
"""

import inspect
import logging
from collections.abc import Iterator
from typing import Literal, cast

from codex_control_plane_contract.arguments import GetAgentContractArguments
from codex_control_plane_contract.contract import CONTRACT_VERSION, INSTRUCTIONS, NAME, NEXT_ACTIONS
from codex_control_plane_contract.errors import ERRORS, ControlPlaneError
from codex_control_plane_contract.lifecycles import operation
from codex_control_plane_contract.tools import TOOL_SURFACE_HASH, TOOLS, Tool
from codex_control_plane_contract.types import (
    AgentContract,
    ErrorMeaning,
    OperationStatus,
    StatusMeaning,
    ToolSummary,
)
from codex_control_plane_mcp.handlers.context import Context

_log = logging.getLogger(__name__)


async def get_agent_contract(_context: Context, arguments: GetAgentContractArguments, /) -> AgentContract:
    """Return the rules; in detail `full` with all that is known of tools and statuses, and the errors."""
    if arguments.client_type is not None:
        _log.info("client %r reads the rules", arguments.client_type)
    full = arguments.detail == "full"
    contract: AgentContract = {
        "serverName": NAME,
        "contractVersion": CONTRACT_VERSION,
        "toolSurfaceHash": TOOL_SURFACE_HASH,
        "rules": INSTRUCTIONS,
        "tools": [_tool(tool, full=full, examples=arguments.include_examples) for tool in TOOLS.values()],
        "statuses": list(_statuses(full=full)),
        "nextActions": {str(action): meaning for action, meaning in NEXT_ACTIONS.items()},
    }
    if full:
        contract["errors"] = [_error(error) for error in ERRORS.values()]
    return contract


def _tool(tool: Tool, *, full: bool, examples: bool) -> ToolSummary:
    summary: ToolSummary = {"name": tool.name}
    if full:
        summary["group"] = cast('Literal["stable", "compatibility"]', tool.group)
        summary["role"] = tool.role
        summary["passive"] = tool.passive
        summary["nextTools"] = list(tool.next_tools)
    if examples:
        summary["examples"] = [dict(example) for example in tool.examples]
    return summary


def _statuses(*, full: bool) -> Iterator[StatusMeaning]:
    """Yield each status once, of the first state that shows itself so."""
    shown = set[str]()
    for facts in operation.FACTS.values():
        if facts.status in shown:
            continue
        shown.add(facts.status)
        status: StatusMeaning = {
            "status": cast("OperationStatus", facts.status),
            "terminal": facts.terminal,
        }
        if full:
            status["nextRecommendedAction"] = facts.next_action
            status["means"] = facts.means
        yield status


def _error(error: type[ControlPlaneError]) -> ErrorMeaning:
    """Return one row of the error table; when and next are the two parts of the class's docstring."""
    when, _, remedy = (inspect.getdoc(error) or "").partition("\n\nNext: ")
    return {
        "code": error.code,
        "retryable": error.retryable,
        "when": " ".join(when.split()),
        "next": " ".join(remedy.split()),
    }
