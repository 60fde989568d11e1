"""The budget of repairs: how often each may be done on one scope (contract §13, spec/repairs.yaml)."""

from dataclasses import dataclass
from typing import Self, cast

from codex_control_plane_contract.contract import REPAIRS
from codex_control_plane_contract.errors import InvalidArgument
from codex_control_plane_contract.types import LoopGuard, RepairAction
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.handlers.times import timestamp
from codex_control_plane_mcp.store.reading import Reader


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left of a budget; `runs` are the times, oldest first, that count against it."""

    action: RepairAction
    scope_id: str
    runs: tuple[int, ...]

    @classmethod
    def of(cls, reader: Reader, now: int, action: RepairAction, scope_id: str) -> Self:
        """Return the budget of a repair on a scope now."""
        since = now - REPAIRS[action].window_seconds * 1000
        return cls(action, scope_id, tuple(reader.repair_runs_since(action, scope_id, since)))

    @property
    def spent(self) -> bool:
        """Whether it may not be done now."""
        return len(self.runs) >= REPAIRS[self.action].attempts

    def refuse_if_spent(self) -> None:
        """Raise INVALID_ARGUMENT, with the guard as a detail, where nothing is left."""
        guard = self.present()
        if "blockedReason" in guard:
            raise InvalidArgument(guard["blockedReason"], path="action", loopGuard=cast("JsonObject", guard))

    def present(self) -> LoopGuard:
        """Return the budget as clients see it."""
        repair = REPAIRS[self.action]
        guard: LoopGuard = {
            "guardKey": f"{self.action}:{self.scope_id}",
            "scopeType": repair.scope,
            "scopeId": self.scope_id,
            "action": self.action,
            "attemptCount": len(self.runs),
            "maxAttempts": repair.attempts,
            "windowSeconds": repair.window_seconds,
            "allowed": not self.spent,
        }
        if self.spent:
            until = timestamp(self.runs[-repair.attempts] + repair.window_seconds * 1000)
            guard["cooldownUntil"] = until
            guard["blockedReason"] = (
                f"{self.action} was done {len(self.runs)} times for {repair.scope} {self.scope_id}; "
                f"not again before {until}. Look for the cause instead."
            )
        return guard
