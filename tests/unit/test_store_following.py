"""A workflow moves with its tasks, in the transactions in which those change, whoever changes them."""

from dataclasses import replace

import pytest

from codex_control_plane_contract.change import Change
from codex_control_plane_contract.following import FOLLOWERS
from codex_control_plane_contract.lifecycles import operation, plan_workflow
from codex_control_plane_contract.values import Actor
from codex_control_plane_mcp.store import Fence, Store
from codex_control_plane_mcp.store.conformance import first_violation
from codex_control_plane_mcp.store.transaction import LifecycleRow
from codex_control_plane_mcp.testing.sample_rows import SampleRows
from codex_control_plane_mcp.workflows import DECISIONS

WORKFLOW = "wf_1"


class Tasks:
    """The tasks of one plan workflow, led through their states with sample values."""

    def __init__(self, store: Store, fence: Fence, samples: SampleRows) -> None:
        self._store = store
        self._fence = fence
        self._samples = samples

    def begin(self) -> LifecycleRow:
        """Store a workflow with the task that makes its plan, in one transaction; return the task."""
        submission = self._submission("plan")
        with self._store.transaction("srv") as (transaction, _):
            task = transaction.apply(submission)
            transaction.apply(
                plan_workflow.start(
                    plan_workflow_id=WORKFLOW,
                    payload_hash="hash",
                    project_id="project",
                    plan_operation_id=task.row_id,
                    requested_sandbox="read-only",
                    effective_sandbox="workspace-write",
                )
            )
        return task

    def lead(self, row: LifecycleRow, *events: str, by: Actor | None = None) -> LifecycleRow:
        """Change a task along events, each in a transaction of its own."""
        for event in events:
            change = self._samples.change(row, event)
            with self._store.transaction("wrk_test", self._fence) as (transaction, _):
                row = transaction.apply(change, by=by or change.actors[0], evidence="seen by a test")
        return row

    def add(self, role: operation.WorkflowRole) -> LifecycleRow:
        """Store another task of the workflow."""
        submission = self._submission(role)
        with self._store.transaction("srv") as (transaction, _):
            return transaction.apply(submission)

    def plan(self, row: LifecycleRow, *, quality: str = "valid_plan", plan_hash: str = "p1") -> LifecycleRow:
        """Complete a task in whose turn a plan was seen."""
        row = self.lead(row, *TO_RUNNING) if row.state == "queued" else row
        assert isinstance(row, operation.Running)
        with self._store.transaction("wrk_test", self._fence) as (transaction, _):
            transaction.connection.execute(
                "INSERT INTO turn_plan (thread_id, turn_id, plan_hash, quality, source, seen_at, markdown) "
                "VALUES ('t', ?, ?, ?, 'plan_item', 0, '1. do it')",
                (row.turn_id, plan_hash, quality),
            )
        return self.lead(row, "complete")

    def workflow(self) -> plan_workflow.PlanWorkflow:
        """Return the workflow as it is stored."""
        with self._store.read() as reader:
            row = reader.plan_workflow(WORKFLOW)
        assert row is not None
        return row

    def _submission(self, role: operation.WorkflowRole) -> Change[LifecycleRow]:
        change = self._samples.creation("operation", "submit")
        parameters = {**change.parameters, "workflow_id": WORKFLOW, "workflow_role": role}
        return replace(change, parameters=parameters)


TO_RUNNING = ("claim", "open_thread", "open_turn", "run")


@pytest.fixture
def tasks(store: Store, fence: Fence, samples: SampleRows) -> Tasks:
    """The tasks of one plan workflow."""
    return Tasks(store, fence, samples)


def test_a_workflow_begins_with_its_task(tasks: Tasks) -> None:
    """The task names the workflow before that exists, and the creation of neither moves the other."""
    tasks.begin()
    row = tasks.workflow()
    assert (row.state, row.revision) == ("planning", 1)


def test_a_workflow_waits_while_its_task_waits(tasks: Tasks) -> None:
    """A question and its end move both, and a wish to stop the task moves neither."""
    asking = tasks.lead(tasks.begin(), *TO_RUNNING, "ask_approval")
    assert tasks.workflow().state == "waiting_for_approval"
    tasks.lead(asking, "request_interrupt", "ask_user_input")
    assert tasks.workflow().state == "waiting_for_user_input"


def test_a_task_that_is_carried_on_takes_its_workflow_back(tasks: Tasks) -> None:
    """The app-server died with the question in it: nothing is open any more."""
    tasks.lead(tasks.begin(), *TO_RUNNING, "ask_approval", "carry_on")
    assert tasks.workflow().state == "planning"


def test_the_change_of_the_task_is_the_cause(store: Store, tasks: Tasks) -> None:
    """The journal says which change of the task the workflow followed, who made it, and in one commit."""
    task = tasks.lead(tasks.begin(), *TO_RUNNING, "ask_approval")
    with store.read() as reader:
        asked = reader.journal_of("operation", task.row_id)[-1]
        followed = reader.journal_of("plan_workflow", WORKFLOW)[-1]
    assert (followed.event, followed.cause, followed.actor) == ("ask_approval", asked.sequence, "codex")
    assert (followed.at, followed.fence) == (asked.at, asked.fence)
    assert followed.evidence == f"operation {task.row_id} is waiting_for_approval"


def test_a_valid_plan_is_offered(tasks: Tasks) -> None:
    """What the workflow keeps of it is the turn, the hash and the quality."""
    task = tasks.plan(tasks.begin())
    row = tasks.workflow()
    assert isinstance(row, plan_workflow.PlanReady)
    assert isinstance(task, operation.Completed)
    assert (row.plan_turn_id, row.plan_hash, row.plan_quality) == (task.turn_id, "p1", "valid_plan")


@pytest.mark.parametrize("quality", ["blocker", "question", "partial", "needs_review", "unknown"])
def test_any_other_plan_needs_review(tasks: Tasks, quality: str) -> None:
    """Only a valid plan can be approved (contract §9)."""
    tasks.plan(tasks.begin(), quality=quality)
    row = tasks.workflow()
    assert isinstance(row, plan_workflow.PlanNeedsReview)
    assert row.plan_quality == quality


def test_a_turn_without_a_plan_needs_review(tasks: Tasks) -> None:
    """Nothing that was said can be approved."""
    tasks.lead(tasks.begin(), *TO_RUNNING, "complete")
    row = tasks.workflow()
    assert isinstance(row, plan_workflow.PlanNeedsReview)
    assert (row.plan_hash, row.plan_quality) == (None, "unknown")


@pytest.mark.parametrize(
    ("events", "state"),
    [
        (("fail",), "failed"),
        (("cancel",), "stopped"),
        ((*TO_RUNNING, "fail"), "failed"),
        ((*TO_RUNNING, "interrupt"), "stopped"),
        ((*TO_RUNNING, "orphan"), "orphaned_after_app_server_exit"),
        ((*TO_RUNNING, "lose"), "orphaned_after_app_server_exit"),
        ((*TO_RUNNING, "declare_lost"), "orphaned_after_app_server_exit"),
    ],
)
def test_a_task_that_ends_ends_its_workflow(tasks: Tasks, events: tuple[str, ...], state: str) -> None:
    """Whoever ends it: a client, the worker, Codex or an operator."""
    tasks.lead(tasks.begin(), *events)
    assert tasks.workflow().state == state


@pytest.mark.parametrize(
    ("quality", "plan_hash", "state"),
    [
        ("valid_plan", "p2", "plan_candidate_found"),
        ("valid_plan", "p1", "plan_ready"),
        ("question", "p3", "plan_ready"),
    ],
)
def test_another_plan_on_the_thread_is_a_candidate(
    tasks: Tasks, quality: str, plan_hash: str, state: str
) -> None:
    """A later message may bring one; the same plan, or one that cannot be approved, changes nothing."""
    tasks.plan(tasks.begin())
    tasks.plan(tasks.add("discussion"), quality=quality, plan_hash=plan_hash)
    assert tasks.workflow().state == state


@pytest.mark.spoils_state
def test_a_change_that_cannot_be_followed_is_not_made(
    store: Store, tasks: Tasks, samples: SampleRows
) -> None:
    """A task whose workflow is missing stays as it is: half of a change is none."""
    change = samples.creation("operation", "submit")
    parameters = {**change.parameters, "workflow_id": "wf_0", "workflow_role": "plan"}
    task = samples.apply(replace(change, parameters=parameters))
    with pytest.raises(AssertionError, match="names no plan_workflow"):
        tasks.lead(task, "claim")
    with store.read() as reader:
        assert reader.operation(task.row_id) == task
    violation = first_violation(store.path)
    assert violation is not None
    assert violation.fault.startswith("there is no such row")


@pytest.mark.spoils_state
def test_conformance_finds_a_workflow_that_has_not_followed(store: Store, fence: Fence, tasks: Tasks) -> None:
    """The stored phase is compared with the tasks, and the fault names both."""
    task = tasks.lead(tasks.begin(), *TO_RUNNING)
    assert first_violation(store.path) is None
    row = tasks.workflow()
    assert isinstance(row, plan_workflow.Planning)
    with store.transaction("wrk_test", fence) as (transaction, _):
        transaction.apply(row.ask_approval(), evidence="a slip")
    violation = first_violation(store.path)
    assert violation is not None
    assert violation.fault == (
        "it is waiting_for_approval and has not followed by resume; "
        f"operation {task.row_id}, its plan, is running"
    )


def test_every_choice_that_the_spec_leaves_is_made() -> None:
    """There is a decision for each role and state that has one, and no other."""
    wanted = {
        (follower.lifecycle, f"when_{role}_{state}")
        for follower in FOLLOWERS
        for role, state in follower.decided
    }
    made = {
        (name, decision)
        for name in ("plan_workflow",)
        for decision in vars(getattr(DECISIONS, name))
        if decision.startswith("when_")
    }
    assert made == wanted
