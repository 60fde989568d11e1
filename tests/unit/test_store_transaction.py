"""The one way to change state: the row, its journal and its effects, together or not at all."""

import dataclasses
import sqlite3
import threading

import pytest

from codex_control_plane_contract.change import Change
from codex_control_plane_contract.lifecycles import interaction, operation, turn, worker, worker_command
from codex_control_plane_contract.records import JournalRow
from codex_control_plane_mcp.store import Fence, FenceLost, Stale, Store
from codex_control_plane_mcp.testing.manual_clock import NOON, ManualClock
from codex_control_plane_mcp.testing.sample_rows import ERROR, SampleRows


def a_task(operation_id: str = "op_1", client_request_id: str | None = None) -> Change[operation.Queued]:
    """Return the submission of a task."""
    return operation.submit(
        operation_id=operation_id,
        operation_type="start_chat",
        client_request_id=client_request_id,
        payload_hash="hash",
        message="Say hello.",
        runs_turn=True,
        project_id="project",
        project_path="/",
        agent_id="",
        resource_keys=[],
        priority="normal",
        estimated_cost_class="normal",
        ranked_at=NOON,
        cwd="/",
        sandbox="read-only",
        approval_policy="never",
        recovery_policy="report",
        max_continuations=1,
        timeout_seconds=60,
    )


def submitted(store: Store) -> operation.Queued:
    """Return a task that was just submitted."""
    with store.transaction("srv") as (transaction, _):
        return transaction.apply(a_task())


def journal(store: Store) -> list[JournalRow]:
    """Return the whole journal."""
    with store.read() as reader:
        return reader.journal(limit=1000)


def contents(store: Store) -> str:
    """Return everything in the database, as SQL."""
    connection = sqlite3.connect(store.path)
    try:
        return "\n".join(connection.iterdump())
    finally:
        connection.close()


def test_a_change_writes_its_row_and_its_journal(store: Store) -> None:
    """Both are there after the commit, at the time of the store's clock."""
    row = submitted(store)
    assert (row.state, row.revision, row.created_at, row.updated_at) == ("queued", 1, NOON, NOON)
    assert journal(store) == [
        JournalRow(
            sequence=1,
            entity="operation",
            entity_id="op_1",
            revision=1,
            event="submit",
            source=None,
            target="queued",
            outcome="applied",
            at=NOON,
            actor="client",
            actor_id="srv",
            fence=None,
            evidence=None,
            cause=None,
        )
    ]


def test_the_journal_keeps_actor_and_evidence(store: Store, fence: Fence) -> None:
    """Who raised an event, who committed it and what shows it are all told."""
    row = submitted(store)
    with store.transaction("wrk_test", fence) as (transaction, _):
        transaction.apply(row.fail(last_error=ERROR), by="codex", evidence="a refusal")
    last = journal(store)[-1]
    assert (last.actor, last.actor_id, last.evidence) == ("codex", "wrk_test", "a refusal")
    assert (last.source, last.target, last.revision) == ("queued", "failed", 2)


@pytest.mark.parametrize("fault", [RuntimeError, KeyboardInterrupt])
def test_an_exception_leaves_nothing(
    store: Store, fence: Fence, samples: SampleRows, fault: type[BaseException]
) -> None:
    """Row, journal, command, progress and touch of a transaction go together when it fails at its end."""
    running, doer = samples.row("operation", "running"), samples.row("worker", "executing")
    assert isinstance(running, operation.Running)
    assert isinstance(doer, worker.Executing)
    before = contents(store)

    def change_everything_and_fail() -> None:
        with store.transaction("wrk_test", fence) as (transaction, _):
            transaction.apply(a_task())
            transaction.apply(running.request_interrupt())
            transaction.touch(doer.report_fault(last_fault=ERROR))
            transaction.add_progress(
                {"operation_id": running.row_id, "turn_id": "t", "kind": "other", "text": "a line"}
            )
            assert contents(store) == before
            raise fault

    with pytest.raises(fault):
        change_everything_and_fail()
    assert contents(store) == before


def test_a_refused_change_takes_the_others_with_it(store: Store) -> None:
    """What was applied before a stale change in the same transaction is rolled back as well."""
    row = submitted(store)
    with store.transaction("srv") as (transaction, _):
        transaction.apply(row.cancel())
    before = contents(store)

    def submit_and_cancel_again() -> None:
        with store.transaction("srv") as (transaction, _):
            transaction.apply(a_task("op_2"))
            transaction.apply(row.cancel())

    with pytest.raises(Stale):
        submit_and_cancel_again()
    assert contents(store) == before


def test_a_row_that_has_moved_on_is_stale(store: Store, fence: Fence) -> None:
    """A change from a state or revision that is gone is refused and names what it expected."""
    row = submitted(store)
    with store.transaction("wrk_test", fence) as (transaction, _):
        transaction.apply(row.claim(worker_id="wrk_test"))
    with (
        pytest.raises(Stale, match="operation op_1 is not queued at revision 1"),
        store.transaction("wrk_test", fence) as (transaction, _),
    ):
        transaction.apply(row.claim(worker_id="wrk_test"))


def test_the_same_state_at_another_revision_is_stale(samples: SampleRows) -> None:
    """A row that came back to the same state is not the row that was read."""
    row = samples.row("operation", "running")
    samples.apply(samples.change(row, "request_interrupt"))
    with pytest.raises(Stale):
        samples.apply(samples.change(row, "complete"))


def test_one_of_many_threads_wins(store: Store) -> None:
    """The same change from many threads at once happens once, and the others are told that it is stale."""
    row = submitted(store)
    outcomes: list[str] = []
    start = threading.Barrier(8)

    def cancel() -> None:
        start.wait()
        try:
            with store.transaction("srv") as (transaction, _):
                transaction.apply(row.cancel())
            outcomes.append("won")
        except Stale:
            outcomes.append("stale")

    threads = [threading.Thread(target=cancel) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["stale"] * 7 + ["won"]


@pytest.mark.parametrize(
    "wrong",
    [None, Fence("wrk_other", 1), Fence("wrk_test", 0), Fence("wrk_test", 2)],
    ids=["none", "another holder", "an older fence", "a fence to come"],
)
def test_only_the_holder_of_the_lease_executes(store: Store, fence: Fence, wrong: Fence | None) -> None:
    """A worker's change without the very fence that is held is refused."""
    row = submitted(store)
    assert fence == Fence("wrk_test", 1)
    before = contents(store)
    with pytest.raises(FenceLost), store.transaction("wrk_test", wrong) as (transaction, _):
        transaction.apply(row.claim(worker_id="wrk_test"))
    assert contents(store) == before


def test_a_creation_is_fenced_too(store: Store, samples: SampleRows, fence: Fence) -> None:
    """Without the lease a worker makes no row either."""
    creation = samples.creation("attempt", "prepare")
    stale = dataclasses.replace(fence, number=fence.number + 1)
    with pytest.raises(FenceLost), store.transaction("wrk_test", stale) as (transaction, _):
        transaction.apply(creation, by="worker")


def test_a_due_lease_executes_nothing(store: Store, clock: ManualClock, fence: Fence) -> None:
    """From the moment at which the lease is due, its holder's commits fail, though nobody took it."""
    row = submitted(store)
    clock.advance(15_000)
    with pytest.raises(FenceLost), store.transaction("wrk_test", fence) as (transaction, _):
        transaction.apply(row.claim(worker_id="wrk_test"))
    clock.advance(-1)
    with store.transaction("wrk_test", fence) as (transaction, _):
        transaction.apply(row.claim(worker_id="wrk_test"))


def test_clients_need_no_fence(store: Store) -> None:
    """A server submits and cancels while nobody holds the lease."""
    row = submitted(store)
    with store.transaction("srv") as (transaction, _):
        assert transaction.apply(row.cancel()).state == "cancelled"


def test_a_worker_speaks_of_itself_without_a_fence(store: Store) -> None:
    """A worker registers before it holds the lease."""
    with store.transaction("wrk_1") as (transaction, _):
        transaction.apply(
            worker.register(
                worker_id="wrk_1",
                pid=1,
                process_started="then",
                hostname="here",
                version="0",
                contract_hash="hash",
                execution_mode="inline",
            )
        )


def test_an_actor_must_be_named_and_allowed(store: Store, fence: Fence) -> None:
    """Where several may raise an event, the caller says who did; nobody else can."""
    row = submitted(store)
    with store.transaction("wrk_test", fence) as (transaction, _):
        with pytest.raises(ValueError, match="not by None"):
            transaction.apply(row.fail(last_error=ERROR))
        with pytest.raises(ValueError, match="not by client"):
            transaction.apply(row.fail(last_error=ERROR), by="client")


def test_the_first_change_is_the_cause_of_the_rest(store: Store) -> None:
    """What a transaction changes besides points to what it began with; the next one starts anew."""
    for name in ("a", "b"):
        with store.transaction("srv") as (transaction, _):
            first = transaction.apply(a_task(f"op_{name}1"))
            transaction.apply(a_task(f"op_{name}2"))
            transaction.apply(first.cancel())
    assert [row.cause for row in journal(store)] == [None, 1, 1, None, 4, 4]


def test_an_effect_is_enqueued_with_its_cause(store: Store, samples: SampleRows) -> None:
    """An interrupt that is asked for becomes an order to the worker in the same transaction."""
    row = samples.row("operation", "running")
    samples.apply(samples.change(row, "request_interrupt"))
    with store.read() as reader:
        (command,) = reader.open_commands()
    assert (command.command_type, command.subject_id) == ("interrupt_turn", row.row_id)
    asked, enqueued = journal(store)[-2:]
    assert (asked.event, enqueued.event, enqueued.cause) == ("request_interrupt", "enqueue", asked.sequence)


def test_asking_twice_is_asking_once(store: Store, samples: SampleRows, fence: Fence) -> None:
    """While an order is open, the same order joins it; afterwards it is a new one."""
    row = samples.row("operation", "running")
    for _ in range(2):
        row = samples.apply(samples.change(row, "request_interrupt"))
    with store.read() as reader:
        (command,) = reader.open_commands()
    assert isinstance(command, worker_command.Queued)
    with store.transaction("wrk_test", fence) as (transaction, _):
        taken = transaction.apply(command.take(worker_id="wrk_test"))
        again = transaction.enqueue("interrupt_turn", row.row_id, by="client")
        transaction.apply(taken.complete())
        assert again == command.row_id
        assert transaction.enqueue("interrupt_turn", row.row_id, by="codex") != command.row_id


def test_an_effect_of_the_clock_is_enqueued(store: Store, samples: SampleRows, fence: Fence) -> None:
    """A question that lapses sends the refusal on its way."""
    row = samples.row("interaction", "pending")
    assert isinstance(row, interaction.Pending)
    with store.transaction("wrk_test", fence) as (transaction, reader):
        transaction.apply(row.lapse(response={"decision": "decline"}, reason="nobody answered"))
        assert reader.open_command_of(row.row_id, "deliver_answer") is not None


def test_a_conflict_is_journalled_and_changes_nothing(store: Store, samples: SampleRows) -> None:
    """The first outcome of a turn stands; that Codex reported another one is kept."""
    row = samples.row("turn", "completed")
    assert isinstance(row, turn.Completed)
    with store.transaction("wrk_test") as (transaction, _):
        transaction.record_conflict("turn", row, event="fail", target="failed", by="codex", evidence="late")
    with store.read() as reader:
        assert reader.turn(row.row_id) == row
    last = journal(store)[-1]
    assert (last.outcome, last.source, last.target) == ("conflict", "completed", "failed")
    assert (last.revision, last.evidence) == (row.revision, "late")


def test_progress_of_an_item_is_shown_once(store: Store, samples: SampleRows) -> None:
    """An item that Codex shows again is absorbed; what has no item is always shown."""
    row = samples.row("operation", "running")
    line = {"operation_id": row.row_id, "turn_id": "t", "kind": "command", "text": "ls"}
    with store.transaction("wrk_test") as (transaction, reader):
        for extra in ({"item_id": "i"}, {"item_id": "i"}, {"item_id": "i", "kind": "error"}, {}, {}):
            transaction.add_progress({**line, **extra})
        shown = reader.progress(row.row_id, cursor=None, limit=10)
    assert [(each.item_id, each.kind) for each in shown] == [
        ("i", "command"),
        ("i", "error"),
        (None, "command"),
        (None, "command"),
    ]


def test_a_touch_is_no_change(store: Store, samples: SampleRows, clock: ManualClock) -> None:
    """A heartbeat moves its own column, and neither the revision nor the journal."""
    row = samples.row("worker", "executing")
    assert isinstance(row, worker.Executing)
    before = journal(store)
    clock.advance(1000)
    with store.transaction(row.row_id) as (transaction, reader):
        transaction.touch(row.heartbeat())
        assert reader.worker(row.row_id) == dataclasses.replace(row, last_heartbeat_at=NOON + 1000)
    assert journal(store) == before


def test_a_broken_rule_of_the_schema_leaves_nothing(store: Store) -> None:
    """A key that names a task already is refused by the database itself."""
    with store.transaction("srv") as (transaction, _):
        transaction.apply(a_task("op_1", "key"))
    before = contents(store)
    with pytest.raises(sqlite3.IntegrityError), store.transaction("srv") as (transaction, _):
        transaction.apply(a_task("op_2", "key"))
    assert contents(store) == before


def test_a_read_is_one_snapshot(store: Store) -> None:
    """What is committed while a reader reads is seen by the next one only."""
    row = submitted(store)
    with store.read() as reader:
        assert reader.operation("op_1") == row
        with store.transaction("srv") as (transaction, _):
            transaction.apply(row.cancel())
        assert reader.operation("op_1") == row
    with store.read() as reader:
        assert isinstance(reader.operation("op_1"), operation.Cancelled)


def test_a_transaction_reads_what_it_wrote(store: Store) -> None:
    """The reader of a transaction sees its changes before the commit."""
    with store.transaction("srv") as (transaction, reader):
        row = transaction.apply(a_task())
        assert reader.operation("op_1") == row


def test_bells_ring_after_a_commit_only(store: Store) -> None:
    """Neither a read, nor an open transaction, nor one that was rolled back wakes anybody."""

    def submit_and_fail() -> None:
        with store.transaction("srv") as (transaction, _):
            transaction.apply(a_task())
            raise RuntimeError

    with store.bells.listen() as listener:
        with store.read():
            pass
        with pytest.raises(RuntimeError):
            submit_and_fail()
        assert not listener.drain()
        with store.transaction("srv") as (transaction, _):
            transaction.apply(a_task())
            assert not listener.drain()
        assert listener.drain()


def test_a_bell_that_cannot_ring_harms_no_commit(store: Store) -> None:
    """What is committed is acknowledged, even where nobody can be told."""
    (store.path.parent / "bells").write_text("in the way", encoding="utf-8")
    assert submitted(store).state == "queued"
