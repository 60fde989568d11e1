"""Any sequence of events, on real rows in a real store, leaves them in the state that the spec says."""

import contextlib
import sqlite3
import tempfile
from pathlib import Path
from typing import cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from codex_control_plane_contract.properties import PROPERTIES, Driver, LifecycleProperties
from codex_control_plane_contract.values import Actor, Cell
from codex_control_plane_mcp.store import Store
from codex_control_plane_mcp.store.conformance import first_violation
from codex_control_plane_mcp.store.lifecycle_tables import LIFECYCLES
from codex_control_plane_mcp.store.transaction import LifecycleRow
from codex_control_plane_mcp.testing.held_lease import hold_lease
from codex_control_plane_mcp.testing.manual_clock import ManualClock
from codex_control_plane_mcp.testing.sample_rows import SampleRows

# Each step is a commit to the disk, so there are few examples, and long ones.
EXAMPLES = settings(
    max_examples=4,
    stateful_step_count=25,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)


class StoreDriver:
    """One row in a new store, driven as the product drives it: through the methods of its class."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory()
        self._store = Store.open(Path(self._directory.name) / "state" / "state.sqlite", clock=ManualClock())
        _, fence = hold_lease(self._store)
        self._samples = SampleRows(self._store, fence)
        self._lifecycle = ""
        self._row: LifecycleRow | None = None

    def create(self, lifecycle: str, event: str) -> str:
        """Make the row by a creation of the lifecycle, and return its state."""
        self._lifecycle = lifecycle
        self._row = self._samples.apply(self._samples.creation(lifecycle, event))
        return self._row.state

    def apply(self, event: str) -> Cell:
        """Raise the event and tell what became of it."""
        assert self._row is not None
        if hasattr(self._row, event):
            self._row = self._samples.apply(self._samples.change(self._row, event))
            return "transition"
        verdict: Cell = vars(LIFECYCLES[self._lifecycle].module)["CELLS"][self._row.state, event]
        if verdict == "conflict":
            self._record_conflict(self._row, event)
        return verdict

    def state(self) -> str:
        """Return the state that is stored."""
        assert self._row is not None
        key = LIFECYCLES[self._lifecycle].key
        query = f"SELECT state FROM {self._lifecycle} WHERE {key} = ?"  # noqa: S608 -- names of the spec
        with contextlib.closing(sqlite3.connect(self._store.path)) as connection:
            return str(connection.execute(query, (self._row.row_id,)).fetchone()[0])

    def close(self) -> None:
        """Remove the store, whose journal must be one that the spec allows."""
        with self._directory:
            self._store.close()
            assert first_violation(self._store.path) is None

    def _record_conflict(self, row: LifecycleRow, event: str) -> None:
        lifecycle = LIFECYCLES[self._lifecycle]
        target = next(target for (_, each), target in lifecycle.targets.items() if each == event)
        actor: Actor = vars(lifecycle.module)["ACTORS"][event][0]
        with self._store.transaction("test") as (transaction, _):
            transaction.record_conflict(
                self._lifecycle, row, event=event, target=target, by=actor, evidence="a test"
            )


@pytest.mark.parametrize("lifecycle", sorted(PROPERTIES))
def test_rows_follow_the_spec(lifecycle: str) -> None:
    """Whatever is raised in whatever order, row, journal and spec agree."""

    def driver(_run: LifecycleProperties) -> Driver:
        return StoreDriver()

    def teardown(run: LifecycleProperties) -> None:
        cast("StoreDriver", run.driven).close()

    name, members = f"{lifecycle}_rows", {"driver": driver, "teardown": teardown}
    run = cast("type[LifecycleProperties]", type(name, (PROPERTIES[lifecycle],), members))
    run_state_machine_as_test(run, settings=EXAMPLES)
