"""Whatever is submitted and whenever turns end: no limit is passed, no files are shared, nobody starves."""

import tempfile
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, given, settings

from codex_control_plane_contract.settings import Settings
from codex_control_plane_mcp.scheduling.paths import ancestors
from codex_control_plane_mcp.store import Contender, Store
from codex_control_plane_mcp.testing.held_lease import hold_lease
from codex_control_plane_mcp.testing.manual_clock import ManualClock
from codex_control_plane_mcp.testing.played_queue import PlayedQueue, Wish

MINUTE = 60_000
LIMITS = replace(
    Settings(), max_active_turns_global=3, max_active_turns_per_project=2, max_active_turns_per_agent=2
)

# Each step is a commit to the disk, so there are few examples, and long ones; to shrink one takes minutes.
EXAMPLES = settings(
    max_examples=15,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)

WISHES = st.builds(
    Wish,
    project=st.sampled_from(["/p", "/q", "/p/inner"]),
    agent=st.sampled_from(["", "ada", "bob"]),
    sandbox=st.sampled_from(["read-only", "workspace-write"]),
    keys=st.lists(st.sampled_from(["src", "src/api", "docs"]), max_size=2, unique=True),
    priority=st.sampled_from(["low", "normal", "high"]),
    thread=st.sampled_from([None, None, "t"]),
)


@contextmanager
def played() -> Generator[tuple[PlayedQueue, Store, ManualClock]]:
    """Give a queue in a new store; its lease outlives the test."""
    with tempfile.TemporaryDirectory() as directory:
        clock = ManualClock()
        with Store.open(Path(directory) / "state" / "state.sqlite", clock=clock) as store:
            _, fence = hold_lease(store, seconds=10**9)
            yield PlayedQueue(store, fence, LIMITS), store, clock


def paths(task: Contender) -> list[str]:
    """Return what a task may write to, by rules of their own."""
    if task.sandbox == "read-only":
        return []
    return [f"{task.project_path}/{key}" for key in task.resource_keys] or [task.project_path]


def assert_within_limits(active: Sequence[Contender]) -> None:
    """Assert that what is active at once may be."""
    assert len(active) <= LIMITS.max_active_turns_global
    assert max(Counter(task.project_id for task in active).values(), default=0) <= 2
    assert max(Counter(task.agent_id for task in active if task.agent_id).values(), default=0) <= 2
    assert max(Counter(task.thread_id for task in active if task.thread_id).values(), default=0) <= 1
    held = [path for task in active for path in paths(task)]
    assert len(held) == len(set(held))
    assert not any(parent in held for path in held for parent in ancestors(path))


def run_round(queue: PlayedQueue, store: Store, active: list[str], ending: int) -> None:
    """End one of the active tasks and start what may start."""
    if active:
        queue.end(active.pop(ending % len(active)))
    active += queue.start_all()
    with store.read() as reader:
        assert_within_limits(reader.slot_holders())


@EXAMPLES
@given(st.lists(st.tuples(WISHES, st.integers(0, 30)), min_size=1, max_size=25), st.data())
def test_every_task_runs_within_the_limits(load: Sequence[tuple[Wish, int]], data: st.DataObject) -> None:
    """As many turns as tasks must end, and then all have started: something always may."""
    with played() as (queue, store, clock):
        for wish, minutes in load:
            queue.submit(wish)
            clock.advance(minutes * MINUTE)
        active = queue.start_all()
        for _ in load:
            assert active or not waiting(store), "tasks wait and nothing runs"
            run_round(queue, store, active, data.draw(st.integers(0, 9)))
            clock.advance(MINUTE)
        assert not waiting(store)
        assert not active


@EXAMPLES
@given(
    victim=WISHES,
    rivals=st.lists(WISHES, min_size=1, max_size=5),
    backlog=st.integers(0, 10),
    endings=st.lists(st.integers(0, 9), min_size=1, max_size=7),
)
def test_nobody_waits_for_ever_behind_rivals_that_never_stop_coming(
    victim: Wish, rivals: Sequence[Wish], backlog: int, endings: Sequence[int]
) -> None:
    """With new rivals at each end of a turn, faster than they can run, it starts all the same.

    An agent that is at its own limit competes with itself; that is its affair, so the victim has none.
    """
    victim = replace(victim, agent="", thread=None)
    with played() as (queue, store, clock):
        queue.submit(*(rivals[number % len(rivals)] for number in range(backlog)))
        active = queue.start_all()
        clock.advance(MINUTE)
        (task,) = queue.submit(victim)
        for number in range(100):
            clock.advance(MINUTE)
            queue.submit(*rivals)
            # Every other time the oldest ends: a turn that never does may be waited for without end.
            run_round(queue, store, active, endings[number // 2 % len(endings)] if number % 2 else 0)
            if task in active:
                return
        raise AssertionError(f"still {queue.reason(task)} after 100 turns")


def waiting(store: Store) -> int:
    """Return how many tasks are queued."""
    with store.read() as reader:
        return reader.open_work()["queued"]
