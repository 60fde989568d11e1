"""Succession: the journal shows one holder at a time, or the commit that was not its author's to make."""

from codex_control_plane_contract.records import JournalRow
from codex_control_plane_mcp.store.succession import first_usurpation, holders


def row(sequence: int, actor_id: str, fence: int | None) -> JournalRow:
    """Return a journal row that this author committed under this fence."""
    return JournalRow(
        sequence=sequence,
        entity="operation",
        entity_id="op_1",
        revision=sequence,
        event="claim",
        source="queued",
        target="starting_app_server",
        outcome="applied",
        at=0,
        actor="worker",
        actor_id=actor_id,
        fence=fence,
        evidence=None,
        cause=None,
    )


def test_workers_may_follow_each_other_and_come_back_under_a_new_fence() -> None:
    """Each change of holder has a fence of its own; servers commit between them without one."""
    journal = [row(1, "a", 1), row(2, "server", None), row(3, "b", 2), row(4, "b", 2), row(5, "a", 3)]
    assert first_usurpation(journal) is None
    assert holders(journal) == ["a", "b", "a"]


def test_a_commit_under_an_old_fence_is_found() -> None:
    """It comes from a worker that had lost the lease."""
    stale = row(3, "a", 1)
    found = first_usurpation([row(1, "a", 1), row(2, "b", 2), stale])
    assert found is not None
    assert (found.row, found.fault) == (stale, "fence 1 commits after fence 2")


def test_two_workers_under_one_fence_are_found() -> None:
    """Both would have held the lease."""
    found = first_usurpation([row(1, "a", 1), row(2, "b", 1)])
    assert found is not None
    assert found.fault == "fence 1 belongs to a"
