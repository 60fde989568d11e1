"""Workers as clients see them (contract §4 Worker, workerFreshness)."""

import socket

from codex_control_plane_contract.lifecycles import worker
from codex_control_plane_contract.types import Worker, WorkerState, WorkerStatus
from codex_control_plane_mcp.handlers.moment import Moment
from codex_control_plane_mcp.handlers.times import seconds_between, timestamp
from codex_control_plane_mcp.process_identity import ProcessIdentity, is_alive


def is_live(moment: Moment, row: worker.Worker) -> bool:
    """Return whether the worker's process runs.

    On another host only its heartbeat can tell, which may be as old as the lease (spec/lifecycles/worker).
    """
    if row.facts.terminal:
        return False
    if row.hostname == socket.gethostname():
        return is_alive(ProcessIdentity(row.pid, row.process_started))
    return moment.now - row.last_heartbeat_at <= moment.settings.lease_seconds * 1000


def any_live(moment: Moment) -> bool:
    """Return whether a worker lives that executes or could take over."""
    return any(is_live(moment, row) for row in moment.reader.live_workers())


def executing_worker(moment: Moment) -> worker.Worker | None:
    """Return the worker that holds the executor lease, or None if it is dead or the lease fell due."""
    lease = moment.reader.lease()
    if lease.holder is None or lease.expires_at <= moment.now:
        return None
    row = moment.reader.worker(lease.holder)
    return row if row is not None and is_live(moment, row) else None


def present_worker(moment: Moment, row: worker.Worker, *, executor: bool) -> Worker:
    """Return a worker for the health summary; `executor`: it holds the lease."""
    return {
        "workerId": row.worker_id,
        "status": status_of(moment, row),
        "executor": executor,
        "pid": row.pid,
        "version": row.version,
        "heartbeatAgeSeconds": seconds_between(row.last_heartbeat_at, moment.now),
        "startedAt": timestamp(row.created_at),
    }


def present_worker_state(moment: Moment, worker_id: str) -> WorkerState | None:
    """Return the worker that holds a task, or None if it is not on record."""
    row = moment.reader.worker(worker_id)
    if row is None:
        return None
    return {
        "workerId": row.worker_id,
        "status": status_of(moment, row),
        "heartbeatAgeSeconds": seconds_between(row.last_heartbeat_at, moment.now),
    }


def status_of(moment: Moment, row: worker.Worker) -> WorkerStatus:
    """Return the status; a worker that was killed cannot write its own end, so the process is asked."""
    return row.status if row.facts.terminal or is_live(moment, row) else "lost"
