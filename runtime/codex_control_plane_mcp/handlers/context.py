"""What a handler is given besides its arguments."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from codex_control_plane_contract.settings import Settings

if TYPE_CHECKING:
    # A server makes its context before it needs a store.
    from codex_control_plane_mcp.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The surroundings of one tool call.

    `summon` makes sure, in the background, that a worker runs; it returns at once and may be called from
    anywhere. In every execution mode but `inline` it does nothing.
    """

    settings: Settings
    actor_id: str
    open_store: Callable[[], "Store"]
    summon: Callable[[], None]

    @property
    def store(self) -> "Store":
        """Return the store, opened at first use.

        Raises CODEX_STATE_UNUSABLE or CODEX_STATE_BUSY. For a tool that may answer CODEX_STATE_UNUSABLE the
        dispatcher has opened it before; the others ask for it on a thread, since opening may wait for a lock.
        """
        return self.open_store()
