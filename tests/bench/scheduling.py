"""The scheduler: what a decision costs with a long queue, and how long a task waits under a mixed load."""

import heapq
import os
import random
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean, median
from tempfile import TemporaryDirectory

from bench.figures import Figure
from codex_control_plane_contract.lifecycles.operation import Priority, Sandbox
from codex_control_plane_contract.settings import Settings
from codex_control_plane_mcp.process_identity import ProcessIdentity
from codex_control_plane_mcp.scheduling import Schedule
from codex_control_plane_mcp.store import LeaseKeeper, Store
from codex_control_plane_mcp.testing.manual_clock import ManualClock
from codex_control_plane_mcp.testing.played_queue import PlayedQueue, Wish

MINUTE = 60_000
PROJECTS, AGENTS = 50, 4
TURN_MINUTES = (1, 2, 3, 5, 20)
"""How long turns take, one as often as the other; 6.2 minutes on average."""

_SANDBOXES: Sequence[Sandbox] = ("read-only", "read-only", "workspace-write")
_PRIORITIES: Sequence[Priority] = ("low", "normal", "normal", "high")


def decisions(*, queued: int, rounds: int) -> list[Figure]:
    """Measure a decision with the claim that it leads to, each one commit; a slot is free for each."""
    chance = random.Random(1)  # noqa: S311 -- a load, not a secret
    with _queue() as (queue, store, _):
        queue.submit(*(_wish(chance, chance.randrange(PROJECTS)) for _ in range(queued)))
        decided: list[float] = []
        claimed: list[float] = []
        for _ in range(rounds):
            begun = time.perf_counter()
            with store.read() as reader:
                assert Schedule(reader, Settings(), now=store.clock.now()).next() is not None
            decided.append(time.perf_counter() - begun)
            begun = time.perf_counter()
            operation_id = queue.start()
            claimed.append(time.perf_counter() - begun)
            assert operation_id is not None
            queue.end(operation_id)
    name = f"{queued:,} queued"
    return [
        Figure(f"decision, {name}, p50", median(decided) * 1000, "ms", None, _rate(decided)),
        Figure(f"decision and claim, {name}, p50", median(claimed) * 1000, "ms", None, _rate(claimed)),
    ]


def waits(*, tasks: int) -> list[Figure]:
    """Measure, on a clock of its own, how long tasks wait at nine tenths of what four slots can take.

    One project hands in a tenth of all tasks at once, at the beginning; the others come one by one.
    """
    chance = random.Random(1)  # noqa: S311 -- a load, not a secret
    bulk = tasks // 10
    arrivals = [0] * bulk + [round(number * 6.2 / 4 / 0.9 * MINUTE) for number in range(tasks - bulk)]
    submitted: dict[str, int] = {}
    waited: dict[str, float] = {}
    running: list[tuple[int, str]] = []
    with _queue() as (queue, _, clock):
        begun = clock.now()
        crowd: set[str] = set()
        pending = iter([*enumerate(arrivals), (tasks, None)])
        number, arrival = next(pending)
        while arrival is not None or running:
            due = min([at for at, _ in running[:1]] + ([begun + arrival] if arrival is not None else []))
            clock.advance(due - clock.now())
            while running and running[0][0] <= due:
                queue.end(heapq.heappop(running)[1])
            while arrival is not None and begun + arrival <= due:
                project = PROJECTS if number < bulk else chance.randrange(PROJECTS)
                (operation_id,) = queue.submit(_wish(chance, project))
                submitted[operation_id] = clock.now()
                if number < bulk:
                    crowd.add(operation_id)
                number, arrival = next(pending)
            for operation_id in queue.start_all():
                waited[operation_id] = (clock.now() - submitted[operation_id]) / MINUTE
                heapq.heappush(running, (clock.now() + chance.choice(TURN_MINUTES) * MINUTE, operation_id))
    assert len(waited) == tasks
    single = [minutes for operation_id, minutes in waited.items() if operation_id not in crowd]
    basis = f"{len(single)} tasks that come one by one wait {fmean(single):.1f} min on average"
    return [
        Figure("largest wait under a mixed load", max(single), "min", None, basis),
        Figure(
            "… of a project that hands in many at once", max(waited.values()), "min", None, f"{bulk} tasks"
        ),
    ]


@contextmanager
def _queue() -> Generator[tuple[PlayedQueue, Store, ManualClock]]:
    clock = ManualClock()
    with (
        TemporaryDirectory() as directory,
        Store.open(Path(directory, "state", "state.sqlite"), clock=clock) as store,
    ):
        keeper = LeaseKeeper(
            store,
            worker_id="wrk_bench",
            identity=ProcessIdentity(os.getpid(), "now"),
            hostname="here",
            lease_seconds=10**9,
        )
        lease = keeper.acquire()
        assert lease is not None
        yield PlayedQueue(store, lease.fence, Settings()), store, clock


def _wish(chance: random.Random, project: int) -> Wish:
    return Wish(
        project=f"/p{project}",
        agent=f"agent-{chance.randrange(AGENTS)}",
        sandbox=chance.choice(_SANDBOXES),
        priority=chance.choice(_PRIORITIES),
    )


def _rate(seconds: Sequence[float]) -> str:
    return f"{len(seconds) / sum(seconds):,.0f} a second, {len(seconds)} in a row"
