"""The order: who comes next when several may start."""

from collections.abc import Callable
from dataclasses import replace

from codex_control_plane_contract.settings import Settings
from codex_control_plane_mcp.testing.manual_clock import ManualClock
from codex_control_plane_mcp.testing.played_queue import PlayedQueue, Wish

MINUTE = 60_000


def served(queue: PlayedQueue, clock: ManualClock, count: int) -> list[str]:
    """Return the next tasks, each started a minute after the one before, which has ended by then."""
    order: list[str] = []
    for _ in range(count):
        started = queue.start()
        assert started is not None
        queue.end(started)
        order.append(started)
        clock.advance(MINUTE)
    return order


def test_the_older_goes_first(queue: PlayedQueue, clock: ManualClock) -> None:
    """Where nothing else differs."""
    ids: list[str] = []
    for _ in range(4):
        ids += queue.submit(Wish())
        clock.advance(1)
    assert served(queue, clock, 4) == ids


def test_the_urgent_goes_first(queue: PlayedQueue, clock: ManualClock) -> None:
    """Of one project; where they are of the same priority, the project that was served less goes first."""
    low, normal, high = (queue.submit(Wish(priority=each))[0] for each in ("low", "normal", "high"))
    other = queue.submit(Wish(project="/q", priority="low"))[0]
    assert served(queue, clock, 4) == [high, normal, other, low]


def test_the_urgent_of_one_project_goes_before_the_others_of_another(
    queue: PlayedQueue, clock: ManualClock
) -> None:
    """Also if that one has been served just now."""
    queue.submit(Wish(project="/q"), Wish(project="/p"))
    served(queue, clock, 1)
    (high,) = queue.submit(Wish(priority="high", project="/p"), Wish(priority="high", project="/q"))[:1]
    assert high in served(queue, clock, 2)


def test_waiting_outweighs_priority(queue: PlayedQueue, clock: ManualClock) -> None:
    """A low one that has waited for twenty minutes goes before a high one that comes then."""
    (low,) = queue.submit(Wish(priority="low"))
    clock.advance(20 * MINUTE - 1)
    (early,) = queue.submit(Wish(priority="high"))
    clock.advance(2)
    (late,) = queue.submit(Wish(priority="high"))
    assert served(queue, clock, 3) == [early, low, late]


def test_priority_may_be_switched_off(
    queue_with: Callable[[Settings], PlayedQueue], clock: ManualClock
) -> None:
    """With no head start, age alone counts."""
    queue = queue_with(replace(Settings(), priority_head_start_seconds=0))
    (low,) = queue.submit(Wish(priority="low"))
    clock.advance(1)
    (high,) = queue.submit(Wish(priority="high"))
    assert served(queue, clock, 2) == [low, high]


def test_projects_take_turns(queue: PlayedQueue, clock: ManualClock) -> None:
    """Whoever comes with a hundred tasks does not put off whoever comes with one."""
    many = queue.submit(*[Wish(project="/many")] * 100)
    first = served(queue, clock, 2)
    (one,) = queue.submit(Wish(project="/one"))
    (two,) = queue.submit(Wish(project="/two"))
    following = served(queue, clock, 4)
    assert set(first) < set(many)
    assert {one, two} < set(following)


def test_agents_of_a_project_take_turns(queue: PlayedQueue, clock: ManualClock) -> None:
    """Among them likewise."""
    queue.submit(*[Wish(agent="ada")] * 100)
    served(queue, clock, 2)
    (bob,) = queue.submit(Wish(agent="bob"))
    assert bob in served(queue, clock, 3)


def test_a_crowd_of_new_projects_does_not_put_off_an_old_one(queue: PlayedQueue, clock: ManualClock) -> None:
    """A new one has waited for less."""
    old, older = queue.submit(Wish(project="/old"), Wish(project="/old"))
    served(queue, clock, 1)
    crowd = [queue.submit(Wish(project=f"/new{number}"))[0] for number in range(50)]
    following = served(queue, clock, 51)
    assert {old, older} & set(following[:1] + following[-1:])
    assert set(crowd) < set(following)
