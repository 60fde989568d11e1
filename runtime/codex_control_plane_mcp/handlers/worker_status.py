"""`codex_get_worker_status`, `codex_get_worker_command_status`: workers and orders to them (contract §4)."""

import json
from typing import cast

from codex_control_plane_contract.arguments import GetWorkerCommandStatusArguments, GetWorkerStatusArguments
from codex_control_plane_contract.errors import InvalidArgument
from codex_control_plane_contract.lifecycles import worker
from codex_control_plane_contract.lifecycles.worker_command import WorkerCommand
from codex_control_plane_contract.types import CommandStatus, RecentCommand, WorkerDetail, Workers
from codex_control_plane_contract.values import JsonObject, JsonValue
from codex_control_plane_mcp.handlers.context import Context
from codex_control_plane_mcp.handlers.moment import Moment, look
from codex_control_plane_mcp.handlers.operation_view import redacted
from codex_control_plane_mcp.handlers.times import timestamp
from codex_control_plane_mcp.handlers.waiting import on_thread
from codex_control_plane_mcp.handlers.workers import executing_worker, status_of
from codex_control_plane_mcp.redaction import redact_json


async def get_worker_status(context: Context, arguments: GetWorkerStatusArguments) -> Workers:
    """Return the workers that have not ended. Raises CODEX_STATE_BUSY and CODEX_STATE_UNUSABLE."""
    return await on_thread(lambda: _workers(context, arguments))


async def get_worker_command_status(
    context: Context, arguments: GetWorkerCommandStatusArguments
) -> CommandStatus:
    """Return an order to the worker. Raises INVALID_ARGUMENT for one that is not on record."""
    return await on_thread(lambda: _command(context, arguments))


def _workers(context: Context, arguments: GetWorkerStatusArguments) -> Workers:
    with look(context) as moment:
        executing = executing_worker(moment)
        rows = moment.reader.live_workers()[: arguments.limit]
        answer: Workers = {
            "executionMode": context.settings.execution_mode,
            "workers": [_worker(moment, row, executing) for row in rows],
        }
        if arguments.include_recent_commands:
            commands = moment.reader.recent_commands(limit=arguments.limit)
            answer["recentCommands"] = [_recent(row) for row in commands]
        return answer


def _worker(moment: Moment, row: worker.Worker, executing: worker.Worker | None) -> WorkerDetail:
    detail: WorkerDetail = {
        "workerId": row.worker_id,
        "role": "executor" if executing is not None and row.row_id == executing.row_id else "standby",
        "status": status_of(moment, row),
        "pid": row.pid,
        "hostname": row.hostname,
        "version": row.version,
        "startedAt": timestamp(row.created_at),
        "lastHeartbeatAt": timestamp(row.last_heartbeat_at),
    }
    if row.last_fault is not None:
        detail["lastFault"] = cast("JsonObject", redacted(row.last_fault))
    return detail


def _recent(row: WorkerCommand) -> RecentCommand:
    return {"commandId": row.worker_command_id, "commandType": row.command_type, "status": row.status}


def _command(context: Context, arguments: GetWorkerCommandStatusArguments) -> CommandStatus:
    with look(context) as moment:
        row = moment.reader.worker_command(arguments.command_id)
        if row is None:
            raise InvalidArgument(
                "No such order on record. Use the commandId that a tool returned.", path="command_id"
            )
        answer: CommandStatus = {
            "commandId": row.worker_command_id,
            "commandType": row.command_type,
            "status": row.status,
            "elapsedMs": max((row.finished_at or moment.now) - row.created_at, 0),
            "nextRecommendedAction": row.facts.next_action,
            "recommendedPollAfterSeconds": row.facts.poll_after_seconds,
            "pollRecommended": not row.facts.terminal,
        }
    if row.error is not None:
        answer["lastError"] = cast("JsonObject", redacted(row.error))
    if arguments.include_result and row.result is not None:
        _add_result(answer, redact_json(row.result), arguments.max_result_chars)
    return answer


def _add_result(answer: CommandStatus, result: JsonValue, most_chars: int) -> None:
    fits = len(json.dumps(result, ensure_ascii=False)) <= most_chars
    if fits and isinstance(result, dict):
        answer["result"] = result
    answer["resultTruncated"] = not fits
