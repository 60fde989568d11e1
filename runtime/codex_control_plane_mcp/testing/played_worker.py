"""The worker's side of a store, played step by step, with real transitions under a real fence."""

import json
import os
import socket
from collections.abc import Callable
from itertools import count
from typing import TypeVar

from codex_control_plane_contract.change import Change, Touch
from codex_control_plane_contract.contract import CONTRACT_HASH
from codex_control_plane_contract.lifecycles import (
    attempt,
    interaction,
    operation,
    turn,
    worker,
    worker_command,
)
from codex_control_plane_contract.types import Error
from codex_control_plane_contract.values import JsonArray, JsonObject
from codex_control_plane_mcp import questions
from codex_control_plane_mcp.plans import Proposal
from codex_control_plane_mcp.process_identity import ProcessIdentity, identify
from codex_control_plane_mcp.store import LeaseKeeper, Reader, Store, Transaction
from codex_control_plane_mcp.store.identifiers import new_id
from codex_control_plane_mcp.worker import goal_decisions, proposing

ResultT = TypeVar("ResultT")

GENERATION = 1
FAULT: Error = {
    "code": "CODEX_APP_SERVER_UNAVAILABLE",
    "message": "The app-server did not answer.",
    "details": {},
    "retryable": True,
}
"""A fault that waiting may cure."""


class PlayedWorker:
    """A worker that holds the executor lease of a store; its process is the one that runs the test."""

    def __init__(self, store: Store, identity: ProcessIdentity | None = None) -> None:
        self._store = store
        self._numbers = count(1)
        own = identity or identify(os.getpid())
        assert own is not None
        self.worker_id = new_id(worker.ID_PREFIX, store.clock.now())
        self.keeper = LeaseKeeper(
            store, worker_id=self.worker_id, identity=own, hostname=socket.gethostname(), lease_seconds=600
        )
        lease = self.keeper.acquire()
        assert lease is not None, "another worker holds the lease"
        self._fence = lease.fence
        self.change(lambda transaction, _: self._register(transaction, own))

    def change(self, work: Callable[[Transaction, Reader], ResultT]) -> ResultT:
        """Return what `work` returns, its changes committed under the fence."""
        with self._store.transaction(self.worker_id, self._fence) as (transaction, reader):
            return work(transaction, reader)

    def claim(self, operation_id: str) -> None:
        """Take a task out of the queue."""

        def work(transaction: Transaction, reader: Reader) -> None:
            row = reader.operation(operation_id)
            assert isinstance(row, operation.Queued)
            transaction.apply(row.claim(worker_id=self.worker_id))

        self.change(work)

    def run(self, operation_id: str, *, thread_id: str = "thread-1", turn_id: str = "turn-1") -> None:
        """Claim a task and bring it to where Codex runs its turn."""
        self.claim(operation_id)
        self.change(
            lambda transaction, reader: self._begin(
                transaction, reader, operation_id, thread_id=thread_id, turn_id=turn_id
            )
        )

    def put_back(
        self, operation_id: str, *, next_attempt_at: int | None, error: Error | None = FAULT
    ) -> None:
        """Put a claimed task back into the queue after a fault."""

        def work(transaction: Transaction, reader: Reader) -> None:
            row = reader.operation(operation_id)
            assert isinstance(row, operation.StartingAppServer)
            transaction.apply(
                row.requeue(
                    next_attempt_at=next_attempt_at,
                    queued_reason="retry_after_worker_error",
                    last_error=error,
                ),
                evidence="a fault of the worker",
            )

        self.change(work)

    def show(self, operation_id: str, text: str, *, kind: str = "command") -> None:
        """Add a line of progress, or a message of the agent."""

        def work(transaction: Transaction, reader: Reader) -> None:
            row = _in_turn(reader, operation_id)
            item_id = f"item-{next(self._numbers)}"
            transaction.add_progress(
                {
                    "operation_id": operation_id,
                    "turn_id": row.turn_id,
                    "item_id": item_id,
                    "kind": kind,
                    "text": text,
                }
            )

        self.change(work)

    def propose(self, operation_id: str, markdown: str) -> None:
        """Let the turn propose a plan."""
        proposal = Proposal(markdown, "plan_item")

        def work(transaction: Transaction, reader: Reader) -> None:
            row = _in_turn(reader, operation_id)
            proposing.keep(transaction, row.thread_id, row.turn_id, [proposal])

        self.change(work)

    def drop_threadless_goals(self) -> None:
        """End the goals whose workflows ended without a thread."""
        self.change(goal_decisions.drop_threadless)

    def ask(
        self,
        operation_id: str,
        method: str,
        params: JsonObject,
        *,
        kind: questions.Kind = "approval",
        changes: JsonArray | None = None,
    ) -> str:
        """Let Codex ask a question; return its interaction id."""

        def work(transaction: Transaction, reader: Reader) -> str:
            row, number = _in_turn(reader, operation_id), next(self._numbers)
            asked = questions.Asked(method, kind, {**params, "itemId": f"item-{number}"}, changes)
            question = transaction.apply(_question(row, asked, number, transaction.now), evidence=method)
            _wait(transaction, reader, operation_id, kind)
            return question.interaction_id

        return self.change(work)

    def confirm(self, interaction_id: str) -> None:
        """Let Codex take the answer, after which the turn goes on."""

        def work(transaction: Transaction, reader: Reader) -> None:
            row = reader.interaction(interaction_id)
            assert isinstance(row, interaction.Answering | interaction.Declining)
            transaction.apply(row.confirm(), evidence="serverRequest/resolved")
            _resume(transaction, reader, row.operation_id)

        self.change(work)

    def complete(
        self, operation_id: str, final_message: str | None = "Done.", token_usage: JsonObject | None = None
    ) -> None:
        """Let the turn complete."""

        def work(transaction: Transaction, reader: Reader) -> None:
            row = _in_turn(reader, operation_id)
            carried = reader.turn(row.turn_id)
            assert isinstance(carried, turn.Active)
            transaction.apply(
                carried.complete(
                    terminal_source="notification",
                    terminal_method="turn/completed",
                    final_message=final_message,
                    token_usage=token_usage,
                ),
                evidence="turn/completed",
            )
            transaction.apply(row.complete(), evidence="turn/completed")

        self.change(work)

    def interrupt(
        self, operation_id: str, final_message: str | None = None, error: Error | None = None
    ) -> None:
        """Let the turn end as interrupted; with an error, it broke off and nobody stopped it."""

        def work(transaction: Transaction, reader: Reader) -> None:
            row = _in_turn(reader, operation_id)
            carried = reader.turn(row.turn_id)
            assert isinstance(carried, turn.Active)
            transaction.apply(
                carried.interrupt(
                    terminal_source="notification",
                    terminal_method="turn/completed",
                    final_message=final_message,
                ),
                evidence="turn/completed",
            )
            transaction.apply(row.interrupt(last_error=error), evidence="turn/completed")

        self.change(work)

    def await_quota(self, operation_id: str, error: Error, *, resumes_at: int, retries: int = 0) -> None:
        """Let the usage limit end the turn; the task waits until then."""

        def work(transaction: Transaction, reader: Reader) -> None:
            row = _in_turn(reader, operation_id)
            carried = reader.turn(row.turn_id)
            assert isinstance(carried, turn.Active)
            transaction.apply(
                carried.fail(
                    terminal_source="notification", terminal_method="turn/completed", last_error=error
                ),
                evidence="turn/completed",
            )
            transaction.apply(
                row.await_quota(
                    continues_turn_id=row.turn_id,
                    resumes_at=resumes_at,
                    quota_retry_count=retries,
                    last_error=error,
                ),
                evidence="turn/completed",
            )

        self.change(work)

    def fail(self, operation_id: str, error: Error) -> None:
        """Give a task up."""

        def work(transaction: Transaction, reader: Reader) -> None:
            row = reader.operation(operation_id)
            assert isinstance(row, operation.Queued | operation.Starting | operation.InTurn)
            transaction.apply(row.fail(last_error=error), by="worker", evidence="a fault that stays")

        self.change(work)

    def report(self, *, fault: Error | None = None, app_server: JsonObject | None = None) -> None:
        """Say what keeps it from executing, and which app-server it drives."""

        def work(transaction: Transaction, reader: Reader) -> None:
            row = reader.worker(self.worker_id)
            assert row is not None
            transaction.touch(row.report_fault(last_fault=fault))
            transaction.touch(row.report_app_server(app_server=app_server))

        self.change(work)

    def report_pressure(self) -> None:
        """Say that Codex has too many calls to answer."""
        self._touch(lambda row: row.report_pressure())

    def report_relief(self) -> None:
        """Say that Codex has caught up."""
        self._touch(lambda row: row.report_relief())

    def carry_out(self, command_id: str, result: JsonObject) -> None:
        """Take up an order and complete it."""

        def work(transaction: Transaction, reader: Reader) -> None:
            row = reader.worker_command(command_id)
            assert isinstance(row, worker_command.Queued)
            taken = transaction.apply(row.take(worker_id=self.worker_id))
            transaction.apply(taken.complete(result=result))

        self.change(work)

    def _touch(self, report: Callable[[worker.Worker], Touch]) -> None:
        def work(transaction: Transaction, reader: Reader) -> None:
            row = reader.worker(self.worker_id)
            assert row is not None
            transaction.touch(report(row))

        self.change(work)

    def _begin(
        self,
        transaction: Transaction,
        reader: Reader,
        operation_id: str,
        *,
        thread_id: str,
        turn_id: str,
    ) -> None:
        row = reader.operation(operation_id)
        assert isinstance(row, operation.StartingAppServer)
        opening = transaction.apply(row.open_thread(app_server_generation=GENERATION))
        opened = "the reply to thread/start"
        starting: operation.Submitting
        if opening.review_target is None:
            starting = transaction.apply(opening.open_turn(thread_id=thread_id), evidence=opened)
        else:
            asked = opening.open_review(thread_id=thread_id, review_target=opening.review_target)
            starting = transaction.apply(asked, evidence=opened)
        attempt_id = self._call(transaction, starting, turn_id=turn_id)
        transaction.apply(
            turn.begin(
                turn_id=turn_id,
                operation_id=operation_id,
                attempt_id=attempt_id,
                thread_id=thread_id,
                app_server_generation=GENERATION,
            ),
            evidence="the reply to turn/start",
        )
        transaction.apply(starting.run(turn_id=turn_id), evidence="the reply to turn/start")

    def _call(self, transaction: Transaction, row: operation.Submitting, *, turn_id: str) -> str:
        """Hand the prompt to Codex, or ask for the review, which it takes up; return the id of the call."""
        calling = transaction.apply(
            attempt.prepare(
                attempt_id=new_id("att", transaction.now),
                operation_id=row.operation_id,
                kind="review_start" if isinstance(row, operation.StartingReview) else "turn_start",
                subject_id=row.operation_id,
                worker_id=self.worker_id,
                app_server_generation=GENERATION,
                thread_id=row.thread_id,
            )
        )
        sent = transaction.apply(calling.send())
        transaction.apply(sent.accept(evidence="reply", turn_id=turn_id))
        return calling.attempt_id

    def _register(self, transaction: Transaction, own: ProcessIdentity) -> None:
        standby = transaction.apply(
            worker.register(
                worker_id=self.worker_id,
                pid=own.pid,
                process_started=own.started,
                hostname=socket.gethostname(),
                version="0.0.0",
                contract_hash=CONTRACT_HASH,
                execution_mode="worker",
            )
        )
        transaction.apply(standby.execute())


def _question(
    row: operation.InTurn, asked: questions.Asked, number: int, now: int
) -> Change[interaction.Pending]:
    return interaction.ask(
        interaction_id=new_id(interaction.ID_PREFIX, now),
        operation_id=row.operation_id,
        turn_id=row.turn_id,
        thread_id=row.thread_id,
        item_id=f"item-{number}",
        identity=f"{number}#0",
        request_id=json.dumps(number),
        app_server_generation=GENERATION,
        method=asked.method,
        kind=asked.kind,
        params=asked.params,
        changes=asked.changes,
        prompt=questions.prompt(asked),
        deadline_at=now + 900_000,
    )


def _in_turn(reader: Reader, operation_id: str) -> operation.InTurn:
    row = reader.operation(operation_id)
    assert isinstance(row, operation.InTurn), row
    return row


def _wait(transaction: Transaction, reader: Reader, operation_id: str, kind: questions.Kind) -> None:
    row = _in_turn(reader, operation_id)
    carried = reader.turn(row.turn_id)
    if isinstance(row, operation.Running) and isinstance(carried, turn.Running):
        if kind == "user_input":
            transaction.apply(row.ask_user_input(), evidence="a question of Codex")
            transaction.apply(carried.ask_user_input(), evidence="a question of Codex")
        else:
            transaction.apply(row.ask_approval(), evidence="a question of Codex")
            transaction.apply(carried.ask_approval(), evidence="a question of Codex")


def _resume(transaction: Transaction, reader: Reader, operation_id: str) -> None:
    row = _in_turn(reader, operation_id)
    carried = reader.turn(row.turn_id)
    still_open = reader.open_interactions(row.turn_id)
    if not still_open and isinstance(row, operation.Waiting) and isinstance(carried, turn.Waiting):
        transaction.apply(row.resume(), evidence="serverRequest/resolved")
        transaction.apply(carried.resume(), evidence="serverRequest/resolved")
