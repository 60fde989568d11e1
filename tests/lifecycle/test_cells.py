"""Every state and every event of every lifecycle, against the real store.

A cell that is a transition can be made and leads where the spec says; any other can neither be written, as
no class has the method, nor be forced on the database.
"""

import itertools
import sqlite3
from collections.abc import Iterator

import pytest

from codex_control_plane_contract.lifecycles import operation
from codex_control_plane_mcp.process_identity import ProcessIdentity
from codex_control_plane_mcp.store import LeaseKeeper, Store
from codex_control_plane_mcp.store.conformance import first_violation
from codex_control_plane_mcp.store.lifecycle_tables import LIFECYCLES
from codex_control_plane_mcp.store.transaction import LifecycleRow
from codex_control_plane_mcp.testing.manual_clock import ManualClock
from codex_control_plane_mcp.testing.sample_rows import SampleRows

CELLS = [(name, *cell) for name, lifecycle in LIFECYCLES.items() for cell in lifecycle.cells]
TRANSITIONS = [(name, *cell) for name, lifecycle in LIFECYCLES.items() for cell in lifecycle.targets]
OTHERS = [cell for cell in CELLS if cell not in TRANSITIONS]
STATES = [(name, state) for name, lifecycle in LIFECYCLES.items() for state in lifecycle.paths]
ENDED = [(name, state) for name, state in STATES if state in LIFECYCLES[name].ended]
LIVE = [pair for pair in STATES if pair not in ENDED]


def named(cells: list[tuple[str, str, str]]) -> list[str]:
    """Return ids such as `operation-queued-complete`."""
    return ["-".join(cell) for cell in cells]


@pytest.fixture(scope="module")
def cells_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One store for all cells, each with rows of its own; at the end its journal must keep to the spec."""
    path = tmp_path_factory.mktemp("cells") / "state" / "state.sqlite"
    with Store.open(path, clock=ManualClock()) as store:
        yield store
    assert first_violation(path) is None


@pytest.fixture(scope="module")
def cells(cells_store: Store) -> SampleRows:
    """Makes rows in any state."""
    keeper = LeaseKeeper(
        cells_store,
        worker_id="wrk_test",
        identity=ProcessIdentity(1, "now"),
        hostname="here",
        lease_seconds=15,
    )
    lease = keeper.acquire()
    assert lease is not None
    return SampleRows(cells_store, lease.fence)


def force(store: Store, lifecycle: str, row: LifecycleRow, target: str, revision: int = 1) -> None:
    """Change the state behind everybody's back, as a foreign program would."""
    table, key = LIFECYCLES[lifecycle].table, LIFECYCLES[lifecycle].key
    with store.transaction("intruder") as (transaction, _):
        transaction.connection.execute(
            f"UPDATE {table} SET state = ?, revision = revision + ? WHERE {key} = ?",  # noqa: S608 - emitted names
            (target, revision, row.row_id),
        )


@pytest.mark.parametrize(("lifecycle", "state", "event"), TRANSITIONS, ids=named(TRANSITIONS))
def test_a_transition_leads_where_the_spec_says(
    cells: SampleRows, lifecycle: str, state: str, event: str
) -> None:
    """The event moves a real row to the target, one revision on."""
    before = cells.row(lifecycle, state)
    after = cells.apply(cells.change(before, event))
    assert after.state == LIFECYCLES[lifecycle].targets[state, event]
    assert (after.row_id, after.revision) == (before.row_id, before.revision + 1)


@pytest.mark.parametrize(("lifecycle", "state", "event"), OTHERS, ids=named(OTHERS))
def test_any_other_cell_cannot_happen(
    cells_store: Store, cells: SampleRows, lifecycle: str, state: str, event: str
) -> None:
    """The class of the state lacks the event, and the database refuses the edges that only it would make."""
    row = cells.row(lifecycle, state)
    assert not hasattr(row, event)
    targets = LIFECYCLES[lifecycle].targets
    edges = {(source, target) for (source, _), target in targets.items()}
    for target in {target for (_, each), target in targets.items() if each == event}:
        if (state, target) not in edges:
            with pytest.raises(
                sqlite3.IntegrityError, match=f"{lifecycle}: {state} -> {target} is no edge of the spec"
            ):
                force(cells_store, lifecycle, row, target)


@pytest.mark.parametrize(("lifecycle", "state"), STATES, ids=["-".join(pair) for pair in STATES])
def test_no_edge_but_those_of_the_spec(
    cells_store: Store, cells: SampleRows, lifecycle: str, state: str
) -> None:
    """From each state the database refuses every target that no event leads to, the state itself included."""
    row = cells.row(lifecycle, state)
    table = LIFECYCLES[lifecycle]
    reachable = {target for (source, _), target in table.targets.items() if source == state}
    for target in table.paths.keys() - reachable:
        with pytest.raises(sqlite3.IntegrityError, match="is no edge of the spec"):
            force(cells_store, lifecycle, row, target)


@pytest.mark.parametrize("step", [0, 2, -1])
def test_a_revision_cannot_be_skipped(cells_store: Store, cells: SampleRows, step: int) -> None:
    """Even along an edge of the spec the revision grows by one."""
    row = cells.row("operation", "starting_app_server")
    with pytest.raises(sqlite3.IntegrityError, match="adds one to the revision"):
        force(cells_store, "operation", row, "queued", step)


@pytest.mark.parametrize(("lifecycle", "state"), LIVE, ids=["-".join(pair) for pair in LIVE])
def test_a_row_that_lives_cannot_be_deleted(
    cells_store: Store, cells: SampleRows, lifecycle: str, state: str
) -> None:
    """Only what has ended may be cleared away."""
    row = cells.row(lifecycle, state)
    with pytest.raises(sqlite3.IntegrityError, match="only a row that has ended"):
        delete(cells_store, lifecycle, row)


@pytest.mark.parametrize(("lifecycle", "state"), STATES, ids=["-".join(pair) for pair in STATES])
def test_a_row_cannot_be_made_in_the_middle(
    cells_store: Store, cells: SampleRows, lifecycle: str, state: str
) -> None:
    """An INSERT makes a row in the state of a creation and at revision 1, or none."""
    row = cells.row(lifecycle, state)
    if (state, row.revision) in {(created, 1) for created in LIFECYCLES[lifecycle].creations.values()}:
        return
    with pytest.raises(sqlite3.IntegrityError, match="no creation of the spec"):
        copy(cells_store, lifecycle, row)


def test_a_key_stays(cells_store: Store, cells: SampleRows) -> None:
    """A row cannot become another row."""
    row = cells.row("operation", "queued")
    with (
        pytest.raises(sqlite3.IntegrityError, match="stays as it was created"),
        cells_store.transaction("intruder") as (transaction, _),
    ):
        transaction.connection.execute(
            "UPDATE operation SET operation_id = 'op_other' WHERE operation_id = ?", (row.row_id,)
        )


@pytest.mark.parametrize("table", ["journal", "progress_event"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET at = 0", "DELETE FROM {}"])
def test_what_is_told_stays_told(cells_store: Store, cells: SampleRows, table: str, statement: str) -> None:
    """Journal and progress only ever grow."""
    row = cells.row("operation", "running")
    assert isinstance(row, operation.Running)
    with cells_store.transaction("test") as (transaction, _):
        transaction.add_progress(
            {"operation_id": row.row_id, "turn_id": row.turn_id, "kind": "other", "text": ""}
        )
    with (
        pytest.raises(sqlite3.IntegrityError, match="rows are only ever added"),
        cells_store.transaction("intruder") as (transaction, _),
    ):
        transaction.connection.execute(statement.format(table))


def test_the_table_is_full() -> None:
    """Each lifecycle decides each event in each of its states, and each state can be reached."""
    for lifecycle in LIFECYCLES.values():
        events = lifecycle.actors.keys() - lifecycle.creations.keys()
        assert set(lifecycle.cells) == set(itertools.product(lifecycle.paths, events))
        assert {cell for cell, verdict in lifecycle.cells.items() if verdict == "transition"} == set(
            lifecycle.targets
        )


def delete(store: Store, lifecycle: str, row: LifecycleRow) -> None:
    """Delete a row behind everybody's back."""
    table, key = LIFECYCLES[lifecycle].table, LIFECYCLES[lifecycle].key
    with store.transaction("intruder") as (transaction, _):
        transaction.connection.execute(
            f"DELETE FROM {table} WHERE {key} = ?",  # noqa: S608 - emitted names
            (row.row_id,),
        )


def copy(store: Store, lifecycle: str, row: LifecycleRow) -> None:
    """Insert a row like another behind everybody's back, under a key of its own."""
    table, key = LIFECYCLES[lifecycle].table, LIFECYCLES[lifecycle].key
    columns = ", ".join(vars(LIFECYCLES[lifecycle].module)["COLUMNS"])
    values = columns.replace(key, f"{key} || '-copy'", 1)
    with store.transaction("intruder") as (transaction, _):
        transaction.connection.execute(
            f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table} WHERE {key} = ?",  # noqa: S608 - emitted
            (row.row_id,),
        )
