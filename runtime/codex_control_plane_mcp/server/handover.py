"""Handing over: a worker of an older version leaves its place and its turns to one of this version.

The turns run in the app-server, which the next worker adopts, so none of them notices
(docs/architecture.md, The lease).
"""

from codex_control_plane_contract.lifecycles import worker
from codex_control_plane_mcp.store import Store


def request_handover(store: Store, *, actor_id: str, version: str) -> bool:
    """Ask every live worker older than `version` to leave; return whether one of them holds the lease.

    Raises CODEX_STATE_BUSY and CODEX_STATE_UNUSABLE.
    """
    with store.read() as reader:
        older = [row for row in reader.live_workers() if _is_older(row.version, version)]
        holder = reader.lease().holder
    if any(row.handover_requested_at is None for row in older):
        _ask(store, actor_id, version, {row.worker_id for row in older})
    return holder in {row.worker_id for row in older}


def _ask(store: Store, actor_id: str, version: str, older: set[str]) -> None:
    with store.transaction(actor_id) as (transaction, reader):
        for row in reader.live_workers():
            asked = row.worker_id not in older or row.handover_requested_at is not None
            if not asked and isinstance(row, worker.Standby | worker.Executing):
                transaction.apply(row.request_handover(successor_version=version))


def _is_older(version: str, than: str) -> bool:
    if version == than:
        return False
    # Imported here: it takes longer than everything else that a start of the server does for this.
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - see above

    try:
        return Version(version) < Version(than)
    except InvalidVersion:
        return False
