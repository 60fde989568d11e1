"""Slots: how many turns run at once, in all and of whom."""

from collections.abc import Callable
from dataclasses import replace

from codex_control_plane_contract.lifecycles import operation
from codex_control_plane_contract.settings import Settings
from codex_control_plane_mcp.store import Fence, Store
from codex_control_plane_mcp.testing.manual_clock import ManualClock
from codex_control_plane_mcp.testing.played_queue import PlayedQueue, Wish
from codex_control_plane_mcp.testing.played_worker import FAULT
from codex_control_plane_mcp.testing.sample_rows import SampleRows


def test_no_more_turns_run_than_allowed_in_all(queue: PlayedQueue) -> None:
    """Four, by default; an end makes room for one more."""
    ids = queue.submit(*(Wish(project=f"/p{number}") for number in range(6)))
    started = queue.start_all()
    assert len(started) == 4
    waiting = [each for each in ids if each not in started]
    assert {queue.reason(each) for each in waiting} == {"global_slot_limit"}
    queue.end(started[0])
    assert queue.start() in waiting
    assert queue.start() is None


def test_a_project_leaves_slots_to_others(queue: PlayedQueue) -> None:
    """Three, by default."""
    ids = queue.submit(*[Wish()] * 5)
    started = queue.start_all()
    assert len(started) == 3
    assert {queue.reason(each) for each in ids if each not in started} == {"project_slot_limit"}
    other = queue.submit(Wish(project="/q"))
    assert queue.start_all() == other


def test_an_agent_leaves_slots_to_others(queue: PlayedQueue) -> None:
    """Three, by default, in whatever projects."""
    ids = queue.submit(*(Wish(project=f"/p{number}", agent="ada") for number in range(4)))
    started = queue.start_all()
    assert len(started) == 3
    (waiting,) = set(ids) - set(started)
    assert queue.reason(waiting) == "agent_slot_limit"


def test_tasks_without_an_agent_are_nobodys(
    queue_with: Callable[[Settings], PlayedQueue],
) -> None:
    """They share no limit."""
    queue = queue_with(replace(Settings(), max_active_turns_per_agent=1))
    ids = queue.submit(*(Wish(project=f"/p{number}") for number in range(3)))
    assert sorted(queue.start_all()) == sorted(ids)


def test_a_thread_runs_one_turn_at_a_time(queue: PlayedQueue, clock: ManualClock) -> None:
    """The next message waits, and holds nobody up who is behind it."""
    (first,) = queue.submit(Wish(thread="t"))
    clock.advance(1)
    (second,) = queue.submit(Wish(thread="t"))
    clock.advance(1)
    other = queue.submit(Wish(thread="u"))[0]
    assert sorted(queue.start_all()) == sorted([first, other])
    assert queue.reason(second) == "thread_slot_limit"
    queue.end(first)
    assert queue.start() == second


def test_a_thread_hears_what_was_said_first(queue: PlayedQueue, clock: ManualClock) -> None:
    """A conversation has an order: neither priority nor what bars the first task lets a later one pass."""
    (writer,) = queue.submit(Wish(sandbox="workspace-write"))
    assert queue.start() == writer
    clock.advance(1)
    (first,) = queue.submit(Wish(thread="t", sandbox="workspace-write", priority="low"))
    clock.advance(1)
    (second,) = queue.submit(Wish(thread="t", priority="high"))
    assert queue.start() is None
    assert queue.reason(first) == "resource_lock_conflict"
    assert queue.reason(second) == "thread_slot_limit"
    queue.end(writer)
    assert queue.start_all() == [first]
    queue.end(first)
    assert queue.start_all() == [second]


def test_a_postponed_task_keeps_its_place_on_its_thread(
    queue: PlayedQueue, store: Store, fence: Fence, clock: ManualClock
) -> None:
    """What comes next on the thread waits with it."""
    (first,) = queue.submit(Wish(thread="t"))
    clock.advance(1)
    (second,) = queue.submit(Wish(thread="t"))
    assert queue.start() == first
    with store.transaction("wrk_test", fence) as (transaction, reader):
        row = reader.operation(first)
        assert isinstance(row, operation.StartingAppServer)
        due = clock.now() + 5000
        change = row.requeue(next_attempt_at=due, queued_reason="retry_after_worker_error", last_error=FAULT)
        transaction.apply(change, evidence="nothing was sent")
    assert queue.start() is None
    assert queue.reason(second) == "thread_slot_limit"
    clock.advance(5000)
    assert queue.start_all() == [first]


def test_a_postponed_task_waits_and_holds_nobody_up(
    queue: PlayedQueue, store: Store, fence: Fence, clock: ManualClock
) -> None:
    """It is taken up at its time, which is known."""
    (postponed,) = queue.submit(Wish(sandbox="workspace-write"))
    assert queue.start() == postponed
    due = clock.now() + 5000
    with store.transaction("wrk_test", fence) as (transaction, reader):
        row = reader.operation(postponed)
        assert isinstance(row, operation.StartingAppServer)
        change = row.requeue(next_attempt_at=due, queued_reason="retry_after_worker_error", last_error=FAULT)
        transaction.apply(change, evidence="nothing was sent")
        assert reader.next_attempt_due(clock.now()) == due
    assert queue.reason(postponed) == "retry_after_worker_error"
    clock.advance(1)
    other = queue.submit(Wish(sandbox="workspace-write"))[0]
    assert queue.start_all() == [other]
    clock.advance(5000)
    assert queue.reason(postponed) == "resource_lock_conflict"
    queue.end(other)
    assert queue.start() == postponed


def test_pressure_is_the_reason_when_all_else_is_free(queue: PlayedQueue) -> None:
    """What lasts longer is named first."""
    (free,) = queue.submit(Wish())
    assert queue.reason(free) == "waiting_for_worker"
    assert queue.reason(free, pressed=True) == "app_server_backpressure"


def test_whoever_waits_for_a_person_keeps_the_slot(queue: PlayedQueue, samples: SampleRows) -> None:
    """Its turn is alive in Codex."""
    for _ in range(4):
        samples.row("operation", "waiting_for_approval")
    (task,) = queue.submit(Wish())
    assert queue.start() is None
    assert queue.reason(task) == "global_slot_limit"


def test_whoever_waits_for_the_usage_limit_has_no_slot(queue: PlayedQueue, samples: SampleRows) -> None:
    """No turn of it runs."""
    for _ in range(4):
        samples.row("operation", "waiting_for_quota")
    assert queue.submit(Wish()) == queue.start_all()
