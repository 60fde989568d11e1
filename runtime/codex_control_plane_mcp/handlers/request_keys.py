"""The caller's keys: one names one request for ever (contract §7)."""

from typing import Literal, Protocol

from codex_control_plane_contract.errors import IdempotencyConflict
from codex_control_plane_mcp.handlers.times import timestamp


class Keyed(Protocol):
    """A row that a `client_request_id` names."""

    @property
    def row_id(self) -> str:
        """The key of the row."""
        ...

    @property
    def payload_hash(self) -> str:
        """The SHA-256 of the request that made it."""
        ...

    @property
    def created_at(self) -> int:
        """When it was made, in milliseconds since the epoch."""
        ...


def refuse_other_request(
    row: Keyed | None, payload_hash: str, kind: Literal["operation", "workflow"]
) -> None:
    """Return if the key names nothing yet, or this very request. Raises IDEMPOTENCY_CONFLICT."""
    if row is not None and row.payload_hash != payload_hash:
        raise IdempotencyConflict(
            f"This client_request_id names another request, {kind} {row.row_id}. Use a new one.",
            **{f"{kind}Id": row.row_id, "createdAt": timestamp(row.created_at)},
        )
