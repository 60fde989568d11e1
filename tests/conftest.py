"""What tests of every kind share: a real store, its clock, and the replay of its journal."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from codex_control_plane_mcp.store import Fence, Store
from codex_control_plane_mcp.store.conformance import first_violation
from codex_control_plane_mcp.testing.held_lease import hold_lease
from codex_control_plane_mcp.testing.manual_clock import ManualClock
from codex_control_plane_mcp.testing.sample_rows import SampleRows

# A shell that runs the tests in the background lets them ignore SIGINT, and with them all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# No test asserts a time, and none fails because the machine is busy.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

ON_DEMAND = ("codex_versions", "typescript")
"""Markers of tests that download more than the packages of requirements/dev.txt."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what runs on demand, unless `-m` asks for it by name."""
    left_out = [name for name in ON_DEMAND if name not in str(config.getoption("markexpr"))]
    deselected = [item for item in items if any(item.get_closest_marker(name) for name in left_out)]
    config.hook.pytest_deselected(items=deselected)
    items[:] = [item for item in items if item not in deselected]


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands still until the test moves it."""
    return ManualClock()


@pytest.fixture(autouse=True)
def conforming_states(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each test, replays every state file that it left: the spec must allow all that happened.

    A test that damages a state file on purpose is marked `spoils_state`.
    """
    uses_files = "tmp_path" in request.fixturenames and not request.node.get_closest_marker("spoils_state")
    directory: Path | None = request.getfixturevalue("tmp_path") if uses_files else None
    yield
    for path in directory.rglob("state.sqlite") if directory is not None else ():
        assert first_violation(path) is None


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Iterator[Store]:
    """An empty store on a manual clock, in a directory of its own."""
    with Store.open(tmp_path / "state" / "state.sqlite", clock=clock, busy_seconds=5.0) as opened:
        yield opened


@pytest.fixture
def fence(store: Store) -> Fence:
    """The executor lease of the store, held by worker `wrk_test`; it falls due after 15 s of its clock."""
    _, held = hold_lease(store)
    return held


@pytest.fixture
def samples(store: Store, fence: Fence) -> SampleRows:
    """Makes rows of the store in any state."""
    return SampleRows(store, fence)
