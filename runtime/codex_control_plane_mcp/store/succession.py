"""Succession: what the journal shows of who held the executor lease, one after the other.

Commits are serial and the journal is in their order, so the fences under which workers committed tell all:
one that is lower than an earlier one is the commit of a worker that had lost the lease, and one that two
workers used means that both held it (docs/architecture.md, The lease).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from codex_control_plane_contract.records import JournalRow


@dataclass(frozen=True, slots=True)
class Usurpation:
    """A commit under a fence that was not its author's to use; `row` is the first such journal row."""

    row: JournalRow
    fault: str


def holders(journal: Iterable[JournalRow]) -> list[str]:
    """Return the workers that committed under the lease, in the order in which they held it."""
    found: list[str] = []
    for row in journal:
        if row.fence is not None and (not found or found[-1] != row.actor_id):
            found.append(row.actor_id)
    return found


def first_usurpation(journal: Iterable[JournalRow]) -> Usurpation | None:
    """Return the first commit of a stale worker, or of a second holder; None if there was always one."""
    latest = 0
    owners: dict[int, str] = {}
    for row in journal:
        if row.fence is None:
            continue
        if row.fence < latest:
            return Usurpation(row, f"fence {row.fence} commits after fence {latest}")
        if owners.setdefault(row.fence, row.actor_id) != row.actor_id:
            return Usurpation(row, f"fence {row.fence} belongs to {owners[row.fence]}")
        latest = row.fence
    return None
