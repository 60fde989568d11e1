"""The sentences of the reference, held against the real store, for every lifecycle.

What the types and the store refuse by themselves is in test_cells. Here the rules of the schema are tried one
at a time, in a copy of the state file without its triggers: they would refuse the very attempt.
"""

import sqlite3
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import get_args

import pytest

from codex_control_plane_codegen.analysis import analyse
from codex_control_plane_codegen.facts import Facts
from codex_control_plane_codegen.model import Column, UniqueRule
from codex_control_plane_codegen.sentences import SHOWN_BY, Sentence, sentences
from codex_control_plane_contract.values import Actor
from codex_control_plane_mcp.process_identity import ProcessIdentity
from codex_control_plane_mcp.store import LeaseKeeper, Store
from codex_control_plane_mcp.testing.manual_clock import ManualClock
from codex_control_plane_mcp.testing.sample_rows import SampleRows

ROOT = Path(__file__).parents[2]
SPEC = Facts(analyse(ROOT).model).lifecycles
STATES = [(name, state) for name, facts in SPEC.items() for state in facts.paths]
EVENTS = [(name, event.name) for name, facts in SPEC.items() for event in facts.lifecycle.events]
RESTRICTED = [
    (name, event.name)
    for name, facts in SPEC.items()
    for event in facts.lifecycle.events
    if len(event.by) < len(get_args(Actor))
]
"""The events that not everybody may raise."""
CONFLICTS = [
    pytest.param(name, *cell, id="-".join((name, *cell)))
    for name, facts in SPEC.items()
    for cell, verdict in facts.cells.items()
    if verdict == "conflict"
]
RULES = [
    pytest.param(name, rule, id=f"{name}-{'-'.join(rule.columns)}")
    for name, facts in SPEC.items()
    for rule in facts.lifecycle.unique
]


def named(cases: list[tuple[str, ...]]) -> list[str]:
    """Return ids such as `operation-queued`."""
    return ["-".join(case) for case in cases]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the state file is."""
    return tmp_path_factory.mktemp("sentences") / "state" / "state.sqlite"


@pytest.fixture(scope="module")
def store(path: Path) -> Iterator[Store]:
    """One store for all cases, each with rows of its own."""
    with Store.open(path, clock=ManualClock()) as opened:
        yield opened


@pytest.fixture(scope="module")
def samples(store: Store) -> SampleRows:
    """Makes rows in any state."""
    identity = ProcessIdentity(1, "now")
    keeper = LeaseKeeper(store, worker_id="wrk_test", identity=identity, hostname="here", lease_seconds=15)
    lease = keeper.acquire()
    assert lease is not None
    return SampleRows(store, lease.fence)


@pytest.fixture(scope="module")
def stored(store: Store, path: Path) -> Iterator[sqlite3.Connection]:  # noqa: ARG001 - the store makes the file
    """Reads what the store has committed."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


@contextmanager
def copied(stored: sqlite3.Connection) -> Generator[sqlite3.Connection]:
    """A copy in memory of all that is stored now, without triggers."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
        stored.backup(copy)
        for (trigger,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            copy.execute(f"DROP TRIGGER {trigger}")
        yield copy


def a_value(column: Column) -> object:
    """Return some value that fits the column's type."""
    match column.type:
        case "enum":
            return column.values[0]
        case "json":
            return "{}"
        case "text":
            return "same"
        case _:
            return 1


@pytest.mark.parametrize(("lifecycle", "state"), STATES, ids=named([*STATES]))
def test_a_state_keeps_to_its_columns(
    stored: sqlite3.Connection, samples: SampleRows, lifecycle: str, state: str
) -> None:
    """A row that loses what its state needs, or gets what its state leaves empty, is refused by name."""
    facts = SPEC[lifecycle]
    row = samples.row(lifecycle, state)
    wrong: list[tuple[str, object]] = [(name, None) for name in facts.states[state].requires]
    wrong += [(name, a_value(facts.columns[name])) for name in facts.states[state].forbids]
    with copied(stored) as copy:
        for name, value in wrong:
            with pytest.raises(sqlite3.IntegrityError, match=f"{lifecycle}_{state}"):
                copy.execute(
                    f"UPDATE {lifecycle} SET {name} = ? WHERE {facts.key} = ?",  # noqa: S608 - names of the spec
                    (value, row.row_id),
                )


@pytest.mark.parametrize(("lifecycle", "event"), RESTRICTED, ids=named([*RESTRICTED]))
def test_nobody_else_may_raise_an_event(
    store: Store, samples: SampleRows, lifecycle: str, event: str
) -> None:
    """The store takes an event from those that the spec names, and refuses it from every other actor."""
    facts = SPEC[lifecycle]
    if event in facts.creations:
        change = samples.creation(lifecycle, event)
    else:
        state = next(source for source, name in facts.targets if name == event)
        change = samples.change(samples.row(lifecycle, state), event)
    for actor in set(get_args(Actor)) - set(change.actors):
        with (
            pytest.raises(ValueError, match=f"not by {actor}"),
            store.transaction("intruder") as (transaction, _),
        ):
            transaction.apply(change, by=actor)


@pytest.mark.parametrize(("lifecycle", "state", "event"), CONFLICTS)
def test_a_conflict_is_journalled_and_changes_nothing(
    stored: sqlite3.Connection, samples: SampleRows, lifecycle: str, state: str, event: str
) -> None:
    """A second, different end is kept in the journal, and the row stays as the first one left it."""
    facts = SPEC[lifecycle]
    row = samples.row(lifecycle, state)
    target = next(target for (_, name), target in facts.targets.items() if name == event)
    samples.contradict(lifecycle, row, event=event, target=target)
    now = stored.execute(
        f"SELECT state, revision FROM {lifecycle} WHERE {facts.key} = ?",  # noqa: S608 - names of the spec
        (row.row_id,),
    ).fetchone()
    told = stored.execute(
        "SELECT outcome, event, source, target FROM journal ORDER BY sequence DESC"
    ).fetchone()
    assert now == (state, row.revision)
    assert told == ("conflict", event, state, target)


@pytest.mark.parametrize(("lifecycle", "rule"), RULES)
def test_what_may_be_once_is_once(
    stored: sqlite3.Connection, samples: SampleRows, lifecycle: str, rule: UniqueRule
) -> None:
    """A second row with the same values is refused where the rule holds, and taken where it does not."""
    facts = SPEC[lifecycle]
    held = facts.flatten(rule.states) or (*facts.paths,)
    filled = [name for name in facts.paths if not {*rule.columns} & {*facts.states[name].forbids}]
    rows = {state: samples.row(lifecycle, state).row_id for state in filled}
    columns = ", ".join(f"{lifecycle}.{name}" for name in rule.columns)
    with copied(stored) as copy:
        for state, row_id in rows.items():
            if state in held:
                with pytest.raises(sqlite3.IntegrityError, match=f"UNIQUE constraint failed: {columns}"):
                    twin(copy, lifecycle, rule, row_id)
            else:
                twin(copy, lifecycle, rule, row_id)


def twin(copy: sqlite3.Connection, lifecycle: str, rule: UniqueRule, row_id: str) -> None:
    """Add a row like this one that shares with it what the rule is about, and nothing of other rules."""
    facts = SPEC[lifecycle]
    for name in rule.columns:
        copy.execute(
            f"UPDATE {lifecycle} SET {name} = coalesce({name}, ?) WHERE {facts.key} = ?",  # noqa: S608 - names of the spec
            (a_value(facts.columns[name]), row_id),
        )
    ruled = {name for each in facts.lifecycle.unique for name in each.columns} - {*rule.columns}
    own = {facts.key, *ruled}
    stored = [row[1] for row in copy.execute(f"PRAGMA table_info({lifecycle})")]
    values = ", ".join(f"{name} || '-twin'" if name in own else name for name in stored)
    copy.execute(
        f"INSERT INTO {lifecycle} ({', '.join(stored)})"  # noqa: S608 - names of the spec
        f" SELECT {values} FROM {lifecycle} WHERE {facts.key} = ?",
        (row_id,),
    )


def all_sentences() -> list[Sentence]:
    """Return the sentences of every lifecycle."""
    return [sentence for facts in SPEC.values() for sentence in sentences(facts)]


def test_each_sentence_has_a_name_of_its_own() -> None:
    """A name that is cited means one sentence."""
    names = [sentence.name for sentence in all_sentences()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("kind", list(SHOWN_BY))
def test_the_test_of_each_kind_exists(kind: str) -> None:
    """The page does not name a test that is gone."""
    path, test = next(shown for name, shown in SHOWN_BY.items() if name == kind)
    assert f"\ndef {test}(" in (ROOT / path).read_text(encoding="utf-8")
    assert any(sentence.kind == kind for sentence in all_sentences())
