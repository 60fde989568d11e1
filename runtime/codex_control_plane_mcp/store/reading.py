"""Reads: typed rows, by name of a statement in ``queries.sql``; nothing here writes."""

import contextlib
import json
import sqlite3
from collections.abc import Generator, Iterable, Iterator, Mapping
from pathlib import Path

from codex_control_plane_contract.lifecycles.attempt import Attempt
from codex_control_plane_contract.lifecycles.attempt import read as read_attempt
from codex_control_plane_contract.lifecycles.goal import Goal
from codex_control_plane_contract.lifecycles.goal import read as read_goal
from codex_control_plane_contract.lifecycles.interaction import Interaction, Pending
from codex_control_plane_contract.lifecycles.interaction import read as read_interaction
from codex_control_plane_contract.lifecycles.operation import Operation, Queued, WaitingForQuota
from codex_control_plane_contract.lifecycles.operation import read as read_operation
from codex_control_plane_contract.lifecycles.plan_workflow import PlanWorkflow
from codex_control_plane_contract.lifecycles.plan_workflow import read as read_plan_workflow
from codex_control_plane_contract.lifecycles.review_workflow import ReviewWorkflow
from codex_control_plane_contract.lifecycles.review_workflow import read as read_review_workflow
from codex_control_plane_contract.lifecycles.thread_action import Open as OpenThreadAction
from codex_control_plane_contract.lifecycles.thread_action import ThreadAction
from codex_control_plane_contract.lifecycles.thread_action import read as read_thread_action
from codex_control_plane_contract.lifecycles.turn import Active, Turn
from codex_control_plane_contract.lifecycles.turn import read as read_turn
from codex_control_plane_contract.lifecycles.worker import Live, Worker
from codex_control_plane_contract.lifecycles.worker import read as read_worker
from codex_control_plane_contract.lifecycles.worker_command import Open as OpenCommand
from codex_control_plane_contract.lifecycles.worker_command import WorkerCommand
from codex_control_plane_contract.lifecycles.worker_command import read as read_worker_command
from codex_control_plane_contract.records import (
    ExecutorLeaseRow,
    JournalRow,
    ProgressEventRow,
    TurnPlanRow,
    read_executor_lease,
    read_journal,
    read_progress_event,
    read_turn_plan,
)
from codex_control_plane_contract.values import Value
from codex_control_plane_mcp.store.contenders import Contender, Lane, read_contender, read_lane
from codex_control_plane_mcp.store.database import connect_read_only
from codex_control_plane_mcp.store.faults import explained
from codex_control_plane_mcp.store.goal_standing import GoalStanding
from codex_control_plane_mcp.store.prompts import KnownPrompt
from codex_control_plane_mcp.store.statements import named_statements

_QUERIES = named_statements("queries.sql")
_NEVER = ExecutorLeaseRow(holder=None, fence=0, expires_at=0, pid=None, process_started=None, hostname=None)


@contextlib.contextmanager
def read_only(path: Path, *, busy_seconds: float) -> Generator["Reader"]:
    """Give reads of one snapshot of a state file that is not opened for writing, nor migrated.

    Raises CODEX_STATE_UNUSABLE for a file that is missing, damaged, or not of this program's schema.
    """
    with (
        explained(path),
        contextlib.closing(connect_read_only(path, busy_seconds=busy_seconds)) as connection,
    ):
        connection.execute("BEGIN")
        yield Reader(connection)


class Reader:
    """Typed reads on one connection; inside a transaction they see what it has written."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def _all(self, query: str, **parameters: Value) -> list[Mapping[str, Value]]:
        return self._connection.execute(_QUERIES[query], parameters).fetchall()

    def _one(self, query: str, **parameters: Value) -> Mapping[str, Value] | None:
        row: Mapping[str, Value] | None = self._connection.execute(_QUERIES[query], parameters).fetchone()
        return row

    def operation(self, operation_id: str) -> Operation | None:
        """Return the operation, or None."""
        row = self._one("operation", operation_id=operation_id)
        return read_operation(row) if row else None

    def operation_by_key(self, client_request_id: str) -> Operation | None:
        """Return the operation that a caller's key names, or None."""
        row = self._one("operation_by_key", client_request_id=client_request_id)
        return read_operation(row) if row else None

    def active_prompts(
        self, project_id: str, *, prompt_hash: str, inputs_hash: str | None, limit: int
    ) -> list[KnownPrompt]:
        """Return a project's active prompts with these images and schema: the same one, then the newest."""
        rows = self._all(
            "active_prompts",
            project_id=project_id,
            prompt_hash=prompt_hash,
            inputs_hash=inputs_hash,
            limit=limit,
        )
        return [KnownPrompt.read(row) for row in rows]

    def finished_prompt(
        self, project_id: str, *, prompt_hash: str, inputs_hash: str | None
    ) -> KnownPrompt | None:
        """Return the latest completed task of a project with this prompt, images and schema, or None."""
        row = self._one(
            "finished_prompt", project_id=project_id, prompt_hash=prompt_hash, inputs_hash=inputs_hash
        )
        return KnownPrompt.read(row) if row else None

    def operation_of_turn(self, thread_id: str, turn_id: str) -> Operation | None:
        """Return the operation that a turn carries, or None."""
        row = self._one("operation_of_turn", thread_id=thread_id, turn_id=turn_id)
        return read_operation(row) if row else None

    def latest_operation_of_thread(self, thread_id: str) -> Operation | None:
        """Return the newest operation on a thread, or None."""
        row = self._one("latest_operation_of_thread", thread_id=thread_id)
        return read_operation(row) if row else None

    def operations_in_hand(self) -> list[Operation]:
        """Return what a worker has claimed and Codex has not ended, oldest first."""
        return [read_operation(row) for row in self._all("operations_in_hand")]

    def slot_holders(self) -> list[Contender]:
        """Return what takes slots and locks, oldest first."""
        return [read_contender(row) for row in self._all("slot_holders")]

    def waiting_lanes(self) -> list[Lane]:
        """Return a lane for each project, agent and sandbox with queued operations, project by project."""
        return [read_lane(row) for row in self._all("waiting_lanes")]

    def ready_of_lane(self, lane: Lane, *, now: int, limit: int) -> Iterator[Contender]:
        """Yield a lane's queued operations that may go on in their threads and are not postponed, by rank."""
        rows = self._connection.execute(
            _QUERIES["ready_of_lane"],
            {
                "project_id": lane.project_id,
                "agent_id": lane.agent_id,
                "sandbox": lane.sandbox,
                "now": now,
                "limit": limit,
            },
        )
        return map(read_contender, rows)

    def queued_operations(self, *, limit: int) -> list[Queued]:
        """Return the queued operations, oldest first."""
        rows = map(read_operation, self._all("queued_operations", limit=limit))
        return [row for row in rows if isinstance(row, Queued)]

    def quota_waits(self, *, limit: int) -> list[WaitingForQuota]:
        """Return the operations that wait for the usage limit, the earliest first."""
        rows = map(read_operation, self._all("quota_waits", limit=limit))
        return [row for row in rows if isinstance(row, WaitingForQuota)]

    def ended_operations(self, states: Iterable[str], *, limit: int) -> list[str]:
        """Return the ids of the operations in these final states, the latest first."""
        rows = self._all("ended_operations", states=json.dumps(sorted(states)), limit=limit)
        return [str(row["operation_id"]) for row in rows]

    def queued_without_turn(self, now: int) -> list[Queued]:
        """Return the queued operations that need no turn of their own and may start now, oldest first."""
        rows = map(read_operation, self._all("queued_without_turn", now=now))
        return [row for row in rows if isinstance(row, Queued)]

    def next_attempt_due(self, now: int) -> int | None:
        """Return when the next postponed operation may start (milliseconds), or None."""
        return self._number("next_attempt_due", "due", now=now)

    def replenished_operations(self, now: int) -> list[WaitingForQuota]:
        """Return the operations whose usage limit is reset by now, the earliest first."""
        rows = map(read_operation, self._all("replenished_operations", now=now))
        return [row for row in rows if isinstance(row, WaitingForQuota)]

    def next_reset(self) -> int | None:
        """Return when the usage limit of the next waiting operation is reset (milliseconds), or None."""
        return self._number("next_reset", "due")

    def older_queued(self, row: Operation) -> int:
        """Return how many queued operations come before ``row``."""
        return (
            self._number("older_queued", "total", created_at=row.created_at, operation_id=row.operation_id)
            or 0
        )

    def thread_in_use(self, thread_id: str) -> str | None:
        """Return the id of the operation or thread action that is active on the thread, or None."""
        row = self._one("thread_in_use", thread_id=thread_id)
        return str(row["user_id"]) if row else None

    def ahead_on_thread(self, row: Queued) -> str | None:
        """Return the id of the oldest operation that comes before this one on its thread, or None."""
        found = self._one(
            "ahead_on_thread",
            thread_id=row.thread_id,
            created_at=row.created_at,
            operation_id=row.operation_id,
        )
        return str(found["operation_id"]) if found else None

    def waiting_for_thread(self, thread_id: str) -> str | None:
        """Return the id of the oldest operation that is to go on in the thread later, or None."""
        row = self._one("waiting_for_thread", thread_id=thread_id)
        return str(row["operation_id"]) if row else None

    def plan_workflow(self, plan_workflow_id: str) -> PlanWorkflow | None:
        """Return the plan workflow, or None."""
        row = self._one("plan_workflow", plan_workflow_id=plan_workflow_id)
        return read_plan_workflow(row) if row else None

    def plan_workflow_by_key(self, client_request_id: str) -> PlanWorkflow | None:
        """Return the plan workflow that a caller's key names, or None."""
        row = self._one("plan_workflow_by_key", client_request_id=client_request_id)
        return read_plan_workflow(row) if row else None

    def plan_workflow_of_thread(self, thread_id: str) -> PlanWorkflow | None:
        """Return the newest workflow whose plan was made on a thread, or None."""
        row = self._one("plan_workflow_of_thread", thread_id=thread_id)
        return read_plan_workflow(row) if row else None

    def review_workflow(self, review_workflow_id: str) -> ReviewWorkflow | None:
        """Return the review workflow, or None."""
        row = self._one("review_workflow", review_workflow_id=review_workflow_id)
        return read_review_workflow(row) if row else None

    def review_workflow_by_key(self, client_request_id: str) -> ReviewWorkflow | None:
        """Return the review workflow that a caller's key names, or None."""
        row = self._one("review_workflow_by_key", client_request_id=client_request_id)
        return read_review_workflow(row) if row else None

    def successor_of_plan_workflow(self, plan_workflow_id: str) -> PlanWorkflow | None:
        """Return the workflow that took the place of another one, or None."""
        row = self._one("successor_of_plan_workflow", plan_workflow_id=plan_workflow_id)
        return read_plan_workflow(row) if row else None

    def repair_runs_since(self, action: str, scope_id: str, since: int) -> list[int]:
        """Return when a repair was done on a scope after ``since``, the oldest first."""
        rows = self._all("repair_runs_since", action=action, scope_id=scope_id, since=since)
        return [_integer(row["at"]) or 0 for row in rows]

    def operations_of_workflow(self, workflow_id: str) -> list[Operation]:
        """Return the tasks of a workflow, in the order in which they were handed in."""
        return [read_operation(row) for row in self._all("operations_of_workflow", workflow_id=workflow_id)]

    def open_discussion(self, workflow_id: str) -> Operation | None:
        """Return the oldest message on the thread of a workflow's plan that has not ended, or None."""
        row = self._one("open_discussion", workflow_id=workflow_id)
        return read_operation(row) if row else None

    def latest_plans_of_thread(self, thread_id: str, *, limit: int) -> list[TurnPlanRow]:
        """Return the newest plan of each of the newest turns that made one, in order."""
        rows = self._all("latest_plans_of_thread", thread_id=thread_id, limit=limit)
        return [read_turn_plan(row) for row in reversed(rows)]

    def latest_turn_of_thread(self, thread_id: str, *, besides: str | None) -> str | None:
        """Return the newest turn of a thread but for those of the operation ``besides``, or None."""
        row = self._one("latest_turn_of_thread", thread_id=thread_id, besides=besides)
        return str(row["turn_id"]) if row else None

    def workflow_cursor(self, workflow_id: str) -> int:
        """Return the journal sequence of the newest change of a workflow, its tasks or their questions."""
        return self._number("workflow_cursor", "latest", workflow_id=workflow_id) or 0

    def thread_action(self, thread_action_id: str) -> ThreadAction | None:
        """Return the thread action, or None."""
        row = self._one("thread_action", thread_action_id=thread_action_id)
        return read_thread_action(row) if row else None

    def open_thread_action(self, thread_id: str) -> OpenThreadAction | None:
        """Return the action on a thread that has not ended, or None."""
        row = self._one("open_thread_action", thread_id=thread_id)
        found = read_thread_action(row) if row else None
        return found if isinstance(found, OpenThreadAction) else None

    def directories_of_project(self, project_id: str, *, limit: int = 100) -> list[Path]:
        """Return the directories in which tasks of a project worked, the latest first."""
        rows = self._all("directories_of_project", project_id=project_id, limit=limit)
        return [Path(str(row["cwd"])) for row in rows]

    def turn(self, turn_id: str) -> Turn | None:
        """Return the turn, or None."""
        row = self._one("turn", turn_id=turn_id)
        return read_turn(row) if row else None

    def turns_of(self, operation_id: str, *, limit: int) -> list[Turn]:
        """Return the newest turns of an operation, in order."""
        rows = self._all("turns_of", operation_id=operation_id, limit=limit)
        return [read_turn(row) for row in reversed(rows)]

    def active_turns(self) -> list[Active]:
        """Return the turns that have not ended, oldest first."""
        return [row for row in map(read_turn, self._all("active_turns")) if isinstance(row, Active)]

    def attempt(self, attempt_id: str) -> Attempt | None:
        """Return the call, or None."""
        row = self._one("attempt", attempt_id=attempt_id)
        return read_attempt(row) if row else None

    def open_attempts(self) -> list[Attempt]:
        """Return the calls whose outcome is open, oldest first."""
        return [read_attempt(row) for row in self._all("open_attempts")]

    def open_attempt_of(self, subject_id: str, kind: str) -> Attempt | None:
        """Return the call of ``kind`` about ``subject_id`` whose outcome is open, or None."""
        row = self._one("open_attempt_of", subject_id=subject_id, kind=kind)
        return read_attempt(row) if row else None

    def attempts_of(self, operation_id: str, kind: str) -> list[Attempt]:
        """Return every call of ``kind`` that served an operation, newest first."""
        return [read_attempt(row) for row in self._all("attempts_of", operation_id=operation_id, kind=kind)]

    def interaction(self, interaction_id: str) -> Interaction | None:
        """Return the interaction, or None."""
        row = self._one("interaction", interaction_id=interaction_id)
        return read_interaction(row) if row else None

    def times_asked(self, request_id: str, generation: int) -> int:
        """Return how many rows a request id (JSON) of one generation has."""
        return (
            self._number("times_asked", "total", request_id=request_id, app_server_generation=generation) or 0
        )

    def interaction_by_request(self, request_id: str, generation: int) -> Interaction | None:
        """Return the open interaction with this request id (JSON) in one generation, or None."""
        row = self._one("interaction_by_request", request_id=request_id, app_server_generation=generation)
        return read_interaction(row) if row else None

    def open_interactions(self, turn_id: str | None = None) -> list[Interaction]:
        """Return the questions without an outcome, of one turn or of all, oldest first."""
        if turn_id is None:
            return [read_interaction(row) for row in self._all("open_interactions")]
        return [read_interaction(row) for row in self._all("open_interactions_of_turn", turn_id=turn_id)]

    def interactions(
        self,
        *,
        states: Iterable[str],
        operation_id: str | None = None,
        workflow_id: str | None = None,
        thread_id: str | None = None,
        turn_id: str | None = None,
        limit: int,
    ) -> list[Interaction]:
        """Return the interactions in ``states`` that match every filter given, oldest first."""
        rows = self._all(
            "interactions",
            states=json.dumps(sorted(states)),
            operation_id=operation_id,
            workflow_id=workflow_id,
            thread_id=thread_id,
            turn_id=turn_id,
            limit=limit,
        )
        return [read_interaction(row) for row in rows]

    def next_deadline(self) -> int | None:
        """Return when the next question is declined (milliseconds), or None."""
        return self._number("next_deadline", "due")

    def lapsed_interactions(self, now: int) -> list[Pending]:
        """Return the questions whose deadline has passed."""
        rows = map(read_interaction, self._all("lapsed_interactions", now=now))
        return [row for row in rows if isinstance(row, Pending)]

    def worker_command(self, worker_command_id: str) -> WorkerCommand | None:
        """Return the command, or None."""
        row = self._one("worker_command", worker_command_id=worker_command_id)
        return read_worker_command(row) if row else None

    def open_commands(self) -> list[OpenCommand]:
        """Return the commands that are queued or running, oldest first."""
        rows = map(read_worker_command, self._all("open_commands"))
        return [row for row in rows if isinstance(row, OpenCommand)]

    def recent_commands(self, *, limit: int) -> list[WorkerCommand]:
        """Return the newest commands, the newest first."""
        return [read_worker_command(row) for row in self._all("recent_commands", limit=limit)]

    def open_command_of(self, subject_id: str, command_type: str) -> WorkerCommand | None:
        """Return the open command of one type about one subject, or None."""
        row = self._one("open_command_of", subject_id=subject_id, command_type=command_type)
        return read_worker_command(row) if row else None

    def worker(self, worker_id: str) -> Worker | None:
        """Return the worker, or None."""
        row = self._one("worker", worker_id=worker_id)
        return read_worker(row) if row else None

    def live_workers(self) -> list[Live]:
        """Return the workers that have not ended, oldest first."""
        return [row for row in map(read_worker, self._all("live_workers")) if isinstance(row, Live)]

    def lease(self) -> ExecutorLeaseRow:
        """Return the executor lease; with fence 0 where nobody ever held it."""
        row = self._one("lease")
        return read_executor_lease(row) if row else _NEVER

    def progress(self, operation_id: str, *, cursor: int | None, limit: int) -> list[ProgressEventRow]:
        """Return progress in order: behind ``cursor`` from there on, without one the newest."""
        if cursor is not None:
            rows = self._all("progress_after", operation_id=operation_id, cursor=cursor, limit=limit)
            return [read_progress_event(row) for row in rows]
        rows = self._all("progress_tail", operation_id=operation_id, cursor=0, limit=limit)
        return [read_progress_event(row) for row in reversed(rows)]

    def messages(self, operation_id: str, *, limit: int) -> list[ProgressEventRow]:
        """Return the newest agent messages of an operation, in order."""
        rows = self._all("messages", operation_id=operation_id, limit=limit)
        return [read_progress_event(row) for row in reversed(rows)]

    def messages_of_turn(self, turn_id: str, *, limit: int) -> list[ProgressEventRow]:
        """Return the newest agent messages of a turn, in order."""
        rows = self._all("messages_of_turn", turn_id=turn_id, limit=limit)
        return [read_progress_event(row) for row in reversed(rows)]

    def progress_of_turn(self, turn_id: str, *, limit: int) -> list[ProgressEventRow]:
        """Return the newest progress of a turn, agent messages aside, in order."""
        rows = self._all("progress_of_turn", turn_id=turn_id, limit=limit)
        return [read_progress_event(row) for row in reversed(rows)]

    def first_message(self, operation_id: str) -> ProgressEventRow | None:
        """Return the first agent message of an operation, or None."""
        row = self._one("first_message", operation_id=operation_id)
        return read_progress_event(row) if row else None

    def progress_count(self, operation_id: str) -> tuple[int, int | None, int | None]:
        """Return how many progress events there are, the newest sequence and its time (milliseconds)."""
        row = self._one("progress_count", operation_id=operation_id)
        assert row is not None
        return _integer(row["total"]) or 0, _integer(row["latest"]), _integer(row["latest_at"])

    def plan_of(self, turn_id: str) -> TurnPlanRow | None:
        """Return the newest plan of a turn, or None."""
        return next(iter(self.plans_of_turn(turn_id, limit=1)), None)

    def plans_of_turn(self, turn_id: str, *, limit: int) -> list[TurnPlanRow]:
        """Return the newest plans of a turn, in order."""
        rows = self._all("plans_of_turn", turn_id=turn_id, limit=limit)
        return [read_turn_plan(row) for row in reversed(rows)]

    def lacks_plan(self, turn_id: str) -> bool:
        """Return whether the turn is in plan mode, has not ended, and shows no plan."""
        return self._one("lacks_plan", turn_id=turn_id) is not None

    def journal_of_operation(self, operation_id: str) -> list[JournalRow]:
        """Return every change of an operation, its turn, its calls and its questions, in order."""
        return [read_journal(row) for row in self._all("journal_of_operation", operation_id=operation_id)]

    def journal_of(self, entity: str, entity_id: str) -> list[JournalRow]:
        """Return every change of one row of a lifecycle, in order."""
        return [
            read_journal(row) for row in self._all("journal_of_entity", entity=entity, entity_id=entity_id)
        ]

    def state_cursor(self, operation_id: str) -> int:
        """Return the journal sequence of the newest change of an operation or of its questions."""
        return self._number("state_cursor", "latest", operation_id=operation_id) or 0

    def journal(self, *, cursor: int = 0, limit: int) -> list[JournalRow]:
        """Return the journal behind ``cursor``, in order."""
        return [read_journal(row) for row in self._all("journal", cursor=cursor, limit=limit)]

    def replacement_of(self, operation_id: str) -> Operation | None:
        """Return the task that repeats the request of another one, or None."""
        row = self._one("replacement_of", operation_id=operation_id)
        return read_operation(row) if row else None

    def unresolved_operations(self, *, since: int) -> list[Operation]:
        """Return the tasks in doubt, and those that ended unknown since then (milliseconds)."""
        return [read_operation(row) for row in self._all("unresolved_operations", since=since)]

    def recent_errors(self, *, since: int, limit: int) -> list[Operation]:
        """Return the operations with an error that changed since then (milliseconds), newest first."""
        return [read_operation(row) for row in self._all("recent_errors", since=since, limit=limit)]

    def goal_standings(self) -> list[GoalStanding]:
        """Return the goals that have not ended, and what their workflows have come to, oldest first."""
        return [GoalStanding.read(row) for row in self._all("goal_standings")]

    def goal_standing(self, goal_id: str) -> GoalStanding | None:
        """Return where a goal stands; None for one that has ended."""
        row = self._one("goal_standing", goal_id=goal_id)
        return GoalStanding.read(row) if row else None

    def goal_of_workflow(self, workflow_id: str) -> Goal | None:
        """Return the goal that a workflow was started with, or None."""
        row = self._one("goal_of_workflow", workflow_id=workflow_id)
        return read_goal(row) if row else None

    def open_work(self) -> Mapping[str, int]:
        """Return counts: queued, waiting_for_quota, in_hand, in_doubt, turns, interactions, commands,
        goals (that Codex is to be told of)."""
        row = self._one("open_work")
        assert row is not None
        return {name: _integer(value) or 0 for name, value in row.items()}

    def _number(self, query: str, column: str, **parameters: Value) -> int | None:
        row = self._one(query, **parameters)
        return _integer(row[column]) if row else None


def _integer(value: Value) -> int | None:
    return value if isinstance(value, int) else None
