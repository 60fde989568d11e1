"""Reads: the right rows, in the right order, for whoever asks."""

import re

import pytest

from codex_control_plane_contract.lifecycles import operation, turn
from codex_control_plane_mcp.store import Store
from codex_control_plane_mcp.store.identifiers import new_id
from codex_control_plane_mcp.store.lifecycle_tables import LIFECYCLES
from codex_control_plane_mcp.store.statements import named_statements
from codex_control_plane_mcp.testing.manual_clock import NOON
from codex_control_plane_mcp.testing.sample_rows import SampleRows

QUERIES = {**named_statements("queries.sql"), **named_statements("lease.sql")}


@pytest.mark.parametrize("name", QUERIES)
def test_each_statement_fits_the_schema(store: Store, name: str) -> None:
    """Every named statement compiles against the tables as they are."""
    parameters = dict.fromkeys(re.findall(r":(\w+)", QUERIES[name]))
    with store.transaction("test") as (transaction, _):
        transaction.connection.execute(f"EXPLAIN {QUERIES[name]}", parameters)


def test_the_order_on_a_thread_is_looked_up_by_the_thread(store: Store) -> None:
    """With the index of the state each queued task would look at all the others."""
    parameters = dict.fromkeys(re.findall(r":(\w+)", QUERIES["ready_of_lane"]))
    with store.transaction("test") as (transaction, _):
        plan = transaction.connection.execute(
            f"EXPLAIN QUERY PLAN {QUERIES['ready_of_lane']}", parameters
        ).fetchall()
    looked_up = [str(row["detail"]) for row in plan if " ahead " in str(row["detail"])]
    assert looked_up
    assert all("(thread_id=?" in detail for detail in looked_up), looked_up


def test_lists_of_states_are_groups_of_the_spec() -> None:
    """Where a statement lists states, it is a group of the spec, or those that hold a slot."""
    facts = vars(operation)["FACTS"]
    groups = {frozenset(state for state in facts if facts[state].holds_slot)}
    for lifecycle in LIFECYCLES.values():
        groups |= set(vars(lifecycle.module)["GROUPS"].values())
    for statement in QUERIES.values():
        for listed in re.findall(r"state IN \(('[^)]*)\)", statement):
            assert frozenset(re.findall(r"'(\w+)'", listed)) in groups, statement


def test_progress_is_read_from_a_cursor_or_from_its_end(store: Store, samples: SampleRows) -> None:
    """Without a cursor the newest come; with one, what is behind it; messages are apart."""
    row = samples.row("operation", "running")
    with store.transaction("wrk_test") as (transaction, reader):
        for number in range(5):
            kind = "agent_message" if number == 2 else "command"
            transaction.add_progress(
                {"operation_id": row.row_id, "turn_id": "t", "kind": kind, "text": str(number)}
            )
        newest = reader.progress(row.row_id, cursor=None, limit=2)
        assert [each.text for each in newest] == ["3", "4"]
        first = reader.progress(row.row_id, cursor=0, limit=2)
        assert [each.text for each in first] == ["0", "1"]
        rest = reader.progress(row.row_id, cursor=first[-1].sequence, limit=9)
        assert [each.text for each in rest] == ["3", "4"]
        assert [each.text for each in reader.messages(row.row_id, limit=9)] == ["2"]
        assert reader.progress_count(row.row_id) == (5, newest[-1].sequence, NOON)


def test_questions_are_found_by_what_is_known_of_them(store: Store, samples: SampleRows) -> None:
    """A question is found by turn, by Codex's request id and by its identity, within one generation."""
    row, other = (samples.row("interaction", "pending") for _ in range(2))
    with store.read() as reader:
        question = reader.interaction(row.row_id)
        assert question is not None
        generation = question.app_server_generation
        assert reader.times_asked(question.request_id, generation) == 1
        assert reader.interaction_by_request(question.request_id, generation) == question
        assert reader.interaction_by_request(question.request_id, generation + 1) is None
        assert reader.open_interactions(question.turn_id) == [question]
        assert [each.row_id for each in reader.open_interactions()] == [row.row_id, other.row_id]
        found = reader.interactions(states=["pending"], turn_id=question.turn_id, limit=9)
        assert found == [question]
        assert reader.interactions(states=["answered"], limit=9) == []
        assert len(reader.interactions(states=["pending", "answered"], limit=1)) == 1


def test_a_task_tells_its_whole_story(store: Store, samples: SampleRows) -> None:
    """The journal of a task holds what became of it, its calls, its turn and its questions only."""
    samples.row("interaction", "answered")
    row = samples.row("interaction", "pending")
    with store.read() as reader:
        question = reader.interaction(row.row_id)
        assert question is not None
        held = reader.turn(question.turn_id)
        assert isinstance(held, turn.Running)
        story = reader.journal_of_operation(question.operation_id)
        assert ("interaction", row.row_id) in {(each.entity, each.entity_id) for each in story}
        assert {each.entity for each in story} <= {"operation", "turn", "attempt", "interaction"}
        assert len(story) < len(reader.journal(limit=1000))


def test_what_is_not_there_is_none(store: Store) -> None:
    """Nothing is made up for an unknown id, and nobody has held the lease of a new store."""
    with store.read() as reader:
        for read in (reader.operation, reader.turn, reader.attempt, reader.interaction, reader.worker):
            assert read("unknown") is None
        assert (reader.lease().holder, reader.lease().fence) == (None, 0)
        assert set(reader.open_work().values()) == {0}


def test_ids_sort_by_time_and_do_not_repeat() -> None:
    """An id opens with its prefix and its time, so that later ones sort behind."""
    ids = [new_id("op", NOON + number // 100) for number in range(1000)]
    assert len(set(ids)) == 1000
    assert [each[:13] for each in ids] == sorted(each[:13] for each in ids)
    assert all(re.fullmatch(r"op_[0-9a-hjkmnp-tv-z]{26}", each) for each in ids)
