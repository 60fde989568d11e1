"""Followers: a row that moves with others, in the transactions in which those change.

The spec says which lifecycle follows which (`follows`), by which columns, and what each state of a followed
row raises. Nothing here knows a workflow by name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

from codex_control_plane_contract.change import Change
from codex_control_plane_contract.following import FOLLOWERS, Follower
from codex_control_plane_contract.values import Cell
from codex_control_plane_mcp.store.lifecycle_tables import LIFECYCLES, LifecycleTable
from codex_control_plane_mcp.store.reading import Reader
from codex_control_plane_mcp.workflows import DECISIONS

NOTHING: Final = "nothing"
"""How the spec says that a state has no consequence."""


class FollowerRow(Protocol):
    """What is asked of the row of a follower, whatever its lifecycle."""

    @property
    def row_id(self) -> str:
        """The key."""
        ...

    @property
    def state(self) -> str:
        """The state."""
        ...

    def verdict(self, event: Any) -> Cell:
        """What the event does in this state."""
        ...


@dataclass(frozen=True, slots=True)
class Tie:
    """What binds a followed row to its follower: where the follower is, and what the state raises."""

    table: LifecycleTable
    key: str
    role: str
    state: str
    events: tuple[str, ...]
    """The events of which one is raised; empty where nothing follows."""
    optional: bool
    """Whether it may also be none of them."""
    decided: bool
    """Whether the runtime chooses, or gives the event its values."""

    @property
    def query(self) -> str:
        """The statement that finds the follower, with one parameter."""
        # Names of the emitted schema, not input.
        return f"SELECT * FROM {self.table.table} WHERE {self.table.key} = ?"  # noqa: S608

    def transitions(self, follower: FollowerRow) -> list[str]:
        """Return those of its events that would change the follower as it is."""
        return [event for event in self.events if follower.verdict(event) == "transition"]

    def change(self, follower: FollowerRow, followed: object, reads: Reader) -> Change[Any] | None:
        """Return what follows, or None if the follower has moved on or nothing follows."""
        raised = self.transitions(follower)
        if not raised:
            return None
        if self.decided:
            decisions = getattr(DECISIONS, self.table.name)
            decide = getattr(decisions, f"when_{self.role}_{self.state}")
            return cast("Change[Any] | None", decide(follower, followed, reads))
        (event,) = raised
        make: Callable[[], Change[Any]] = getattr(follower, event)
        return make()


def tie_of(lifecycle: str, stored: Mapping[str, Any]) -> Tie | None:
    """Return what binds a stored row of a lifecycle to its follower, or None if it has none."""
    for follower in FOLLOWERS:
        if follower.followed != lifecycle or stored[follower.named_by] is None:
            continue
        if stored[follower.role_in] in follower.roles:
            return _tie(follower, stored[follower.named_by], stored[follower.role_in], stored["state"])
    return None


def _tie(follower: Follower, key: str, role: str, state: str) -> Tie:
    consequences = follower.roles[role][state]
    return Tie(
        table=LIFECYCLES[follower.lifecycle],
        key=key,
        role=role,
        state=state,
        events=tuple(event for event in consequences if event != NOTHING),
        optional=NOTHING in consequences,
        decided=(role, state) in follower.decided,
    )
