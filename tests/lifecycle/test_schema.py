"""The emitted schema on a real SQLite: it takes every edge of the spec and refuses everything else."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Literal, TypeAlias, get_args, get_origin, get_type_hints

import pytest

from codex_control_plane_contract import change as changes
from codex_control_plane_contract import types as contract_types
from codex_control_plane_contract import values
from codex_control_plane_contract.change import Change
from codex_control_plane_contract.lifecycles import attempt, operation
from codex_control_plane_contract.records import INSERT_JOURNAL, INSERT_PROGRESS_EVENT, read_journal
from codex_control_plane_contract.schema import SCHEMA

SPEC = Path(__file__).parents[2] / "spec" / "lifecycles"
LIFECYCLES = sorted(path.stem for path in SPEC.glob("*.yaml"))
NOW: Final = 1_700_000_000_000

Walk: TypeAlias = Callable[[str, str], Any]


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    """A database in memory; references are not enforced, so that each lifecycle can stand alone."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.executescript(SCHEMA)
    yield connection
    connection.close()


@pytest.fixture
def walk(database: sqlite3.Connection) -> Walk:
    """Brings a new row into a state of a lifecycle, by the shortest way, and returns it typed."""
    made = iter(range(1_000))

    def walk_to(name: str, state: str) -> Any:
        module = lifecycle(name)
        creation, *events = module.PATHS[state]
        row_id = f"{name}_{next(made)}"
        create = getattr(module, creation)
        row = commit(database, create(**{**samples(create, module, row_id), module.KEY: row_id}))
        for event in events:
            row = commit(database, raised(row, event))
        return row

    return walk_to


def lifecycle(name: str) -> ModuleType:
    """The emitted module of a lifecycle."""
    return import_module(f"codex_control_plane_contract.lifecycles.{name}")


def raised(row: Any, event: str) -> Change[Any]:
    """The change of the row by the event, with some value for each keyword."""
    method = getattr(row, event)
    change: Change[Any] = method(
        **samples(method, lifecycle(type(row).__module__.rpartition(".")[2]), row.row_id)
    )
    return change


def commit(database: sqlite3.Connection, change: Change[Any]) -> Any:
    """The typed row after the change; None if somebody else was first."""
    row = database.execute(change.statement, {**change.parameters, "now": NOW}).fetchone()
    return None if row is None else change.read(dict(row))


def samples(function: Callable[..., Any], module: ModuleType, row_id: str) -> dict[str, Any]:
    """A value that fits for each keyword; texts differ from row to row, so that unique rules hold."""
    names: Mapping[str, Any] = {**vars(contract_types), **vars(values), **vars(changes), **vars(module)}
    hints = get_type_hints(function, dict(names))
    return {name: _sample(hint, row_id) for name, hint in hints.items() if name != "return"}


def _sample(hint: Any, row_id: str) -> Any:
    if get_origin(hint) is Literal:
        return get_args(hint)[0]
    if hint is str:
        return f"of {row_id}"
    if hint is int:
        return 1
    if hint is bool:
        return True
    if get_origin(hint) is dict:
        return {"a": 1}
    if get_origin(hint) is list:
        return [1]
    if type(None) in get_args(hint):
        return _sample(get_args(hint)[0], row_id)
    return {"code": "INTERNAL_ERROR", "message": "A fault.", "details": {}, "retryable": True}


def edges() -> Iterator[tuple[str, str, str]]:
    """Every edge of the spec."""
    for name in LIFECYCLES:
        for state, event in lifecycle(name).TARGETS:
            yield name, state, event


def missing_pairs() -> Iterator[tuple[str, str, str]]:
    """Every pair of states that no event connects."""
    for name in LIFECYCLES:
        module = lifecycle(name)
        known = {(state, target) for (state, _), target in module.TARGETS.items()}
        for source in module.FACTS:
            for target in module.FACTS:
                if (source, target) not in known:
                    yield name, source, target


@pytest.mark.parametrize(("name", "state", "event"), list(edges()))
def test_every_edge_of_the_spec_is_taken(
    walk: Walk, database: sqlite3.Connection, name: str, state: str, event: str
) -> None:
    """A typed change commits and gives back the row in the state that the spec says."""
    module = lifecycle(name)
    before = walk(name, state)
    after = commit(database, raised(before, event))
    assert (after.state, after.revision) == (module.TARGETS[state, event], before.revision + 1)
    assert after == module.read(dict(database.execute(f"SELECT * FROM {name}").fetchone()))  # noqa: S608 - a table


@pytest.mark.parametrize(("name", "source", "target"), list(missing_pairs()))
def test_every_other_edge_is_refused(
    walk: Walk, database: sqlite3.Connection, name: str, source: str, target: str
) -> None:
    """Not even raw SQL moves a row where no event leads, and the message says so."""
    walk(name, source)
    with pytest.raises(
        sqlite3.IntegrityError, match=f"^{name}: {source} -> {target} is no edge of the spec$"
    ):
        database.execute(f"UPDATE {name} SET state = ?, revision = revision + 1", (target,))  # noqa: S608 - a table


def test_a_stale_revision_changes_nothing(walk: Walk, database: sqlite3.Connection) -> None:
    """Whoever comes second gets no row back."""
    row = walk("operation", "queued")
    assert commit(database, row.claim(worker_id="w1")) is not None
    assert commit(database, row.claim(worker_id="w2")) is None


def test_a_fenced_statement_needs_the_lease(walk: Walk, database: sqlite3.Connection) -> None:
    """Without the lease, with an old fence or after its end, nothing changes."""
    change = walk("operation", "queued").claim(worker_id="w1")
    database.execute(
        "INSERT INTO executor_lease (singleton, holder, fence, expires_at) VALUES (1, 'w1', 7, ?)", (NOW,)
    )

    def rows(holder: str, fence: int, now: int) -> int:
        parameters = {**change.parameters, "lease_holder": holder, "lease_fence": fence, "now": now}
        return len(database.execute(change.fenced_statement, parameters).fetchall())

    assert rows("w2", 7, NOW - 1) == 0
    assert rows("w1", 6, NOW - 1) == 0
    assert rows("w1", 7, NOW) == 0
    assert rows("w1", 7, NOW - 1) == 1


def test_a_fenced_creation_needs_the_lease(database: sqlite3.Connection) -> None:
    """An insert can be fenced like an update."""
    change = attempt.prepare(
        attempt_id="att_1",
        operation_id="op_1",
        kind="turn_start",
        subject_id="op_1",
        worker_id="w1",
        app_server_generation=1,
    )
    parameters = {**change.parameters, "lease_holder": "w1", "lease_fence": 1, "now": NOW}
    assert database.execute(change.fenced_statement, parameters).fetchall() == []


def test_a_state_without_its_required_field_is_refused(walk: Walk, database: sqlite3.Connection) -> None:
    """A CHECK per state names the state that the row does not fit."""
    walk("operation", "queued")
    with pytest.raises(sqlite3.IntegrityError, match="operation_starting_app_server"):
        database.execute("UPDATE operation SET state = 'starting_app_server', revision = revision + 1")


def test_a_word_that_the_spec_lacks_is_refused(walk: Walk, database: sqlite3.Connection) -> None:
    """Enumerations are checked on every write."""
    walk("operation", "queued")
    with pytest.raises(sqlite3.IntegrityError, match="queued_reason"):
        database.execute("UPDATE operation SET queued_reason = 'mood'")


def test_a_second_active_row_is_refused(walk: Walk, database: sqlite3.Connection) -> None:
    """One submission per thread: the second would steer the first."""
    first, second = walk("operation", "starting_thread"), walk("operation", "starting_thread")
    commit(database, first.open_turn(thread_id="t1"))
    with pytest.raises(sqlite3.IntegrityError, match=r"operation\.thread_id"):
        commit(database, second.open_turn(thread_id="t1"))


def test_an_ended_row_makes_room_for_the_next(walk: Walk, database: sqlite3.Connection) -> None:
    """A rule that holds in some states does not bind the others."""
    first, second = walk("operation", "starting_thread"), walk("operation", "starting_thread")
    started = commit(database, first.open_turn(thread_id="t1"))
    commit(database, started.withdraw())
    assert commit(database, second.open_turn(thread_id="t1")).thread_id == "t1"


def test_a_row_is_born_in_its_initial_state(walk: Walk, database: sqlite3.Connection) -> None:
    """No insert makes a row that has already come further."""
    walk("worker_command", "queued")
    insert = """
        INSERT INTO worker_command
        SELECT 'copy', 'running', 1, created_at, updated_at, command_type, 'other', deadline_at,
            'w', 1, NULL, NULL, NULL
        FROM worker_command
    """
    with pytest.raises(sqlite3.IntegrityError, match="no creation of the spec"):
        database.execute(insert)


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("revision = revision + 2, state = 'cancelled', completed_at = 1", "adds one to the revision"),
        ("state = 'cancelled', completed_at = 1", "adds one to the revision"),
        ("operation_id = 'op_2'", "stays as it was created"),
        ("message = 'other'", "stays as it was created"),
        ("created_at = 0", "stays as it was created"),
    ],
)
def test_what_may_not_change_is_refused(
    walk: Walk, database: sqlite3.Connection, assignment: str, message: str
) -> None:
    """The key, what no event sets, and a revision that does not count on."""
    walk("operation", "queued")
    with pytest.raises(sqlite3.IntegrityError, match=message):
        database.execute(f"UPDATE operation SET {assignment}")  # noqa: S608 - the cases above


def test_only_an_ended_row_may_be_deleted(walk: Walk, database: sqlite3.Connection) -> None:
    """Work in progress cannot disappear."""
    walk("operation", "running")
    with pytest.raises(sqlite3.IntegrityError, match="only a row that has ended"):
        database.execute("DELETE FROM operation")
    walk("operation", "cancelled")
    assert database.execute("DELETE FROM operation WHERE state = 'cancelled'").rowcount == 1


def test_a_touch_leaves_revision_and_state_alone(walk: Walk, database: sqlite3.Connection) -> None:
    """A heartbeat is no change of state."""
    worker = walk("worker", "standby")
    touch = worker.heartbeat()
    database.execute(touch.statement, {**touch.parameters, "now": NOW + 5})
    row = lifecycle("worker").read(dict(database.execute("SELECT * FROM worker").fetchone()))
    assert (row.last_heartbeat_at, row.revision, row.updated_at) == (NOW + 5, 1, NOW)


def test_references_are_enforced(walk: Walk, database: sqlite3.Connection) -> None:
    """A row that belongs to another cannot stand without it."""
    database.execute("PRAGMA foreign_keys = ON")
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        walk("attempt", "prepared")


JOURNAL: dict[str, Any] = {
    "entity": "operation",
    "entity_id": "op_1",
    "revision": 1,
    "event": "submit",
    "source": None,
    "target": "queued",
    "outcome": "applied",
    "at": NOW,
    "actor": "client",
    "actor_id": "server_1",
    "fence": None,
    "evidence": None,
    "cause": None,
}


@pytest.mark.parametrize("statement", ["UPDATE journal SET event = 'x'", "DELETE FROM journal"])
def test_the_journal_is_only_ever_added_to(database: sqlite3.Connection, statement: str) -> None:
    """History cannot be rewritten."""
    database.execute(INSERT_JOURNAL, JOURNAL)
    with pytest.raises(sqlite3.IntegrityError, match="journal: rows are only ever added"):
        database.execute(statement)


def test_a_revision_is_journalled_once(database: sqlite3.Connection) -> None:
    """Two applied changes of one revision cannot be; a conflict beside one can."""
    database.execute(INSERT_JOURNAL, JOURNAL)
    with pytest.raises(sqlite3.IntegrityError, match=r"journal\.entity"):
        database.execute(INSERT_JOURNAL, JOURNAL)
    database.execute(INSERT_JOURNAL, {**JOURNAL, "outcome": "conflict"})
    rows = [read_journal(dict(row)) for row in database.execute("SELECT * FROM journal")]
    assert [row.outcome for row in rows] == ["applied", "conflict"]


def test_an_item_that_is_seen_again_is_not_shown_again(database: sqlite3.Connection) -> None:
    """A repeat adds no row and is no fault."""
    event = {
        "operation_id": "op_1",
        "turn_id": "t",
        "item_id": "i",
        "kind": "plan",
        "at": NOW,
        "text": "A plan.",
    }
    database.execute(INSERT_PROGRESS_EVENT, event)
    assert database.execute(INSERT_PROGRESS_EVENT, event).rowcount == 0


@pytest.mark.parametrize(
    ("column", "value", "fault"),
    [
        ("worker_id", None, "empty although required"),
        ("turn_id", "t", "'t' although it must be empty"),
        ("sandbox", "mood", "'mood' is no text"),
        ("attempt_count", "one", "'one' is no integer"),
        ("last_error", "[]", "'[]' is no object"),
        ("state", "asleep", "'asleep' is no state"),
    ],
)
def test_a_row_that_does_not_fit_is_named(
    walk: Walk, database: sqlite3.Connection, column: str, value: Any, fault: str
) -> None:
    """Reading says which table, which row and which column."""
    walk("operation", "starting_app_server")
    stored = dict(database.execute("SELECT * FROM operation").fetchone())
    with pytest.raises(ValueError, match=f"^operation 'operation_0': column {column}: ") as raised_error:
        operation.read({**stored, column: value})
    assert fault in str(raised_error.value)
