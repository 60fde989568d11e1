"""codex_get_agent_contract: the rules of this server, from the tables of the spec."""

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
    """Return the rules; in detail `full` with what each status means and with the error table."""
    if arguments.client_type is not None:
        _log.info("client %r reads the rules", arguments.client_type)
    full = arguments.detail == "full"
    contract: AgentContract = {
        "serverName": NAME,
        "contractVersion": CONTRACT_VERSION,
        "toolSurfaceHash": TOOL_SURFACE_HASH,
        "rules": INSTRUCTIONS,
        "tools": [_tool(tool, examples=arguments.include_examples) for tool in TOOLS.values()],
        "statuses": list(_statuses(meanings=full)),
        "nextActions": {str(action): meaning for action, meaning in NEXT_ACTIONS.items()},
    }
    if full:
        contract["errors"] = [_error(error) for error in ERRORS.values()]
    return contract


def _tool(tool: Tool, *, examples: bool) -> ToolSummary:
    summary: ToolSummary = {
        "name": tool.name,
        "group": cast('Literal["stable", "compatibility"]', tool.group),
        "role": tool.role,
        "passive": tool.passive,
        "nextTools": list(tool.next_tools),
    }
    if examples:
        summary["examples"] = [dict(example) for example in tool.examples]
    return summary


def _statuses(*, meanings: bool) -> Iterator[StatusMeaning]:
    """Yield each status once, of the first state that shows itself so."""
    shown = set[str]()
    for facts in operation.FACTS.values():
        if facts.status in shown:
            continue
        shown.add(facts.status)
        status: StatusMeaning = {
            "status": cast("OperationStatus", facts.status),
            "terminal": facts.terminal,
            "nextRecommendedAction": facts.next_action,
        }
        if meanings:
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
