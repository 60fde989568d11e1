"""How a turn ended, as a value."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from codex_control_plane_contract.types import Error
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.plans import Proposal

TerminalStatus = Literal["completed", "failed", "interrupted"]
TerminalSource = Literal["notification", "reconciled", "after_restart"]


@dataclass(frozen=True, slots=True)
class TurnEnd:
    """How a turn ended, and what shows it.

    ``broke_off`` says that its app-server died with it, and that nobody stopped it; ``resets_at``
    (milliseconds) is when the usage limit that ended it is reset, as far as Codex has told; ``proposals`` are
    the plans among the items that came with the end.
    """

    status: TerminalStatus
    source: TerminalSource
    method: str
    final_message: str | None = None
    token_usage: JsonObject | None = None
    error: Error | None = None
    broke_off: bool = False
    resets_at: int | None = None
    proposals: Sequence[Proposal] = ()

    @property
    def reason(self) -> Error:
        """The error of a failed turn; in words of ours where Codex gave none."""
        return self.error or {
            "code": "CODEX_SEND_FAILED",
            "message": "Codex gave the turn up without saying why.",
            "details": {},
            "retryable": False,
        }
