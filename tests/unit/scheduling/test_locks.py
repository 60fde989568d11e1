"""Write locks: who may write to what at the same time."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from codex_control_plane_contract.errors import InvalidArgument
from codex_control_plane_contract.lifecycles.operation import Sandbox
from codex_control_plane_contract.settings import Settings
from codex_control_plane_mcp.scheduling import normalised_keys
from codex_control_plane_mcp.testing.manual_clock import ManualClock
from codex_control_plane_mcp.testing.played_queue import PlayedQueue, Wish


def writing(*keys: str, project: str = "/p", agent: str = "", sandbox: Sandbox = "workspace-write") -> Wish:
    """Return a task that writes to these paths, or anywhere in its project."""
    return Wish(project=project, keys=keys, agent=agent, sandbox=sandbox)


@pytest.mark.parametrize(
    ("held", "wanted", "passes"),
    [
        ([], [], False),
        ([], ["src"], False),
        (["src"], [], False),
        (["src"], ["src"], False),
        (["src"], ["src/api"], False),
        (["src/api"], ["src"], False),
        (["src/api", "docs"], ["tests", "docs/guide.md"], False),
        (["src"], ["./src/../src/"], False),
        (["src"], ["SRC/Api"], False),
        (["caf\u00e9"], ["cafe\u0301"], False),
        (["src"], ["."], False),
        (["src"], ["docs"], True),
        (["src/api"], ["src/web"], True),
        (["src"], ["src2"], True),
    ],
)
def test_a_path_conflicts_with_itself_its_parents_and_children(
    queue: PlayedQueue, clock: ManualClock, held: Sequence[str], wanted: Sequence[str], *, passes: bool
) -> None:
    """However it is spelled; no path at all is the whole project."""
    first = queue.submit(writing(*held))[0]
    assert queue.start() == first
    clock.advance(1)
    second = queue.submit(writing(*wanted))[0]
    assert queue.reason(second) == ("waiting_for_worker" if passes else "resource_lock_conflict")
    assert (queue.start() == second) is passes
    if not passes:
        queue.end(first)
        assert queue.start() == second


@pytest.mark.parametrize("sandbox", ["workspace-write", "danger-full-access", "respect_existing"])
def test_whoever_may_write_takes_a_lock(queue: PlayedQueue, sandbox: Sandbox) -> None:
    """What a thread has from earlier may let it write, too."""
    queue.submit(writing(sandbox=sandbox), writing(sandbox=sandbox))
    assert len(queue.start_all()) == 1


def test_readers_pass_every_lock(queue: PlayedQueue) -> None:
    """They write nothing, and bar nobody."""
    ids = queue.submit(writing(), Wish(keys=("src",)), Wish())
    assert sorted(queue.start_all()) == sorted(ids)


def test_projects_inside_each_other_share_their_files(queue: PlayedQueue) -> None:
    """Paths decide, not the ids of projects."""
    queue.submit(writing(project="/p"))
    queue.start_all()
    inner, beside = queue.submit(writing(project="/p/inner"), writing(project="/p2"))
    assert queue.start_all() == [beside]
    assert queue.reason(inner) == "resource_lock_conflict"


def test_a_setting_lets_several_write_anywhere(queue_with: Callable[[Settings], PlayedQueue]) -> None:
    """Two that name no paths may then share a project, and still none that names some."""
    queue = queue_with(replace(Settings(), max_active_write_turns_per_project=2))
    queue.submit(writing(), writing())
    assert len(queue.start_all()) == 2
    named, third = queue.submit(writing("src"), writing())
    assert queue.start() is None
    assert {queue.reason(named), queue.reason(third)} == {"resource_lock_conflict"}


def test_nobody_overtakes_an_older_writer_into_its_files(queue: PlayedQueue, clock: ManualClock) -> None:
    """One that needs the whole project would wait for ever while others take parts of it in turn."""
    (part,) = queue.submit(writing("src"))
    assert queue.start() == part
    clock.advance(1)
    (whole,) = queue.submit(writing(agent="ada"))
    clock.advance(1)
    later, reader = queue.submit(writing("docs", agent="bob"), Wish(agent="bob"))
    assert queue.start_all() == [reader]
    assert queue.reason(later) == "resource_lock_conflict"
    queue.end(part)
    assert queue.start_all() == [whole]


def test_a_writer_that_could_not_start_anyway_bars_nobody(
    queue_with: Callable[[Settings], PlayedQueue], clock: ManualClock
) -> None:
    """Otherwise an agent that uses all its slots would stop the others."""
    queue = queue_with(replace(Settings(), max_active_turns_per_agent=1))
    queue.submit(Wish(project="/q", agent="ada"))
    queue.start_all()
    (whole,) = queue.submit(writing(agent="ada"))
    clock.advance(1)
    part = queue.submit(writing("src", agent="bob"))
    assert queue.start_all() == part
    assert queue.reason(whole) == "agent_slot_limit"


def test_a_lock_goes_with_its_task(queue: PlayedQueue) -> None:
    """It is what the task stands for, so none can be left behind."""
    for _ in range(3):
        (task,) = queue.submit(writing())
        assert queue.start() == task
        queue.end(task)


def test_keys_have_one_form() -> None:
    """Sorted, once each, without what another one covers; a dot is the whole project."""
    assert normalised_keys(["src/", "./src/api", "docs//x", "docs/x"]) == ["docs/x", "src"]
    assert normalised_keys(["src", "a/.."]) == []


@pytest.mark.parametrize("key", ["/etc", "..", "../p2", "a/../../b", "a\0b", "\ud800"])
def test_a_key_outside_the_project_is_refused(key: str) -> None:
    """The caller is told which one."""
    with pytest.raises(InvalidArgument) as caught:
        normalised_keys(["src", key])
    assert caught.value.details["path"] == "resource_keys[1]"
