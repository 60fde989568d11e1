"""`codex_health_summary`: whether work can run, and what to do if not (contract §4 Health, §14)."""

from collections import Counter
from collections.abc import Mapping, Sequence

from codex_control_plane_contract.arguments import HealthSummaryArguments
from codex_control_plane_contract.contract import CONTRACT_VERSION, NAME
from codex_control_plane_contract.errors import CodexStateUnusable
from codex_control_plane_contract.lifecycles import worker
from codex_control_plane_contract.settings import Settings
from codex_control_plane_contract.tools import TOOL_SURFACE_HASH, TOOLS
from codex_control_plane_contract.types import (
    ActiveWork,
    AppServer,
    Finding,
    Health,
    NextAction,
    RecentError,
    Version,
)
from codex_control_plane_mcp.handlers.context import Context
from codex_control_plane_mcp.handlers.findings import (
    finding,
    findings_of_settings,
    findings_of_work,
    worst_first,
)
from codex_control_plane_mcp.handlers.moment import Moment, look
from codex_control_plane_mcp.handlers.operation_view import redacted
from codex_control_plane_mcp.handlers.times import timestamp
from codex_control_plane_mcp.handlers.waiting import on_thread
from codex_control_plane_mcp.handlers.workers import executing_worker, present_worker
from codex_control_plane_mcp.version import program_version


async def health_summary(context: Context, arguments: HealthSummaryArguments) -> Health:
    """Return the health of server, store, workers and app-server, from the store alone.

    A store that cannot be used is a finding, not an error. Raises CODEX_STATE_BUSY.
    """
    return await on_thread(lambda: _summarise(context, arguments))


def _summarise(context: Context, arguments: HealthSummaryArguments) -> Health:
    try:
        state_directory = context.store.path.parent
        with look(context) as moment:
            executing = executing_worker(moment)
            work = moment.reader.open_work()
            health = _health(context.settings, findings_of_work(moment, work, executing, state_directory))
            health["activeWork"] = _active_work(work)
            health["appServer"] = _app_server(executing)
            health["workers"] = [
                present_worker(moment, row, executor=executing is not None and row.row_id == executing.row_id)
                for row in moment.reader.live_workers()
            ]
            health["recentErrors"] = _recent_errors(moment, arguments)
            return health
    except CodexStateUnusable as fault:
        return _health(context.settings, [finding("mcp_state_db", fault.message)])


def _health(settings: Settings, found: Sequence[Finding]) -> Health:
    """Return the summary of these findings, with nothing known of workers and work."""
    findings = worst_first([*found, *findings_of_settings(settings)])
    status = findings[0]["severity"] if findings else "healthy"
    return {
        "overallStatus": status,
        "version": _version(),
        "executionMode": settings.execution_mode,
        "appServer": {"status": "unknown"},
        "workers": [],
        "activeWork": _active_work({}),
        "findings": findings,
        "recentErrors": [],
        "recommendedActions": list(dict.fromkeys(one["recommendedAction"] for one in findings)),
        "nextRecommendedAction": _next_action(findings),
    }


def _next_action(findings: Sequence[Finding]) -> NextAction:
    """Return none when healthy; else the findings say what to do, and this summary whether it helped."""
    return "none" if all(one["severity"] == "healthy" for one in findings) else "inspect_worker_health"


def _version() -> Version:
    groups = Counter(tool.group for tool in TOOLS.values())
    return {
        "serverName": NAME,
        "serverVersion": program_version(),
        "contractVersion": CONTRACT_VERSION,
        "toolSurfaceHash": TOOL_SURFACE_HASH,
        "stableToolCount": groups["stable"],
        "compatibilityToolCount": groups["compatibility"],
    }


def _active_work(work: Mapping[str, int]) -> ActiveWork:
    return {
        "queuedOperationCount": work.get("queued", 0),
        "activeTurnCount": work.get("turns", 0),
        "waitingForQuotaCount": work.get("waiting_for_quota", 0),
        "pendingInteractionCount": work.get("interactions", 0),
        "queuedCommandCount": work.get("commands", 0),
    }


def _app_server(executing: worker.Worker | None) -> AppServer:
    """Return the app-server as the executing worker last saw it; its row holds no path to show."""
    if executing is None:
        return {"status": "unknown"}
    seen = executing.app_server
    if seen is None:
        return {"status": "unknown" if executing.last_fault is None else "unavailable"}
    shown: AppServer = {"status": "running"}
    if isinstance(generation := seen.get("generation"), int):
        shown["generation"] = generation
    if isinstance(version := seen.get("version"), str):
        shown["version"] = version
    if isinstance(pid := seen.get("pid"), int):
        shown["pid"] = pid
    match seen.get("binarySource"):
        case "setting" | "path" | "package" as source:
            shown["binarySource"] = source
        case _:
            pass
    if isinstance(started_at := seen.get("startedAt"), int):
        shown["startedAt"] = timestamp(started_at)
    return shown


def _recent_errors(moment: Moment, arguments: HealthSummaryArguments) -> list[RecentError]:
    if not arguments.include_recent_errors:
        return []
    since = moment.now - arguments.since_minutes * 60_000
    return [
        {
            "operationId": row.operation_id,
            "status": row.status,
            "at": timestamp(row.updated_at),
            "error": redacted(row.last_error),
        }
        for row in moment.reader.recent_errors(since=since, limit=arguments.max_recent_errors)
        if row.last_error is not None
    ]
