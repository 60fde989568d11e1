"""Goals: what is written, what is still ours of what Codex shows, and what a look leads to."""

import pytest

from codex_control_plane_contract.codex import ThreadGoal
from codex_control_plane_contract.lifecycles import attempt, goal, plan_workflow
from codex_control_plane_contract.types import Error
from codex_control_plane_mcp.codex.errors import CallRefused
from codex_control_plane_mcp.goals import OBJECTIVE_CHARS, written
from codex_control_plane_mcp.store import Fence, Store
from codex_control_plane_mcp.testing.sample_rows import SampleRows
from codex_control_plane_mcp.worker import calls, goal_decisions
from codex_control_plane_mcp.worker.goal_decisions import Caller, GoalCall

OBJECTIVE = "All tests run in a second."
SHOWN: ThreadGoal = {"objective": OBJECTIVE, "status": "paused"}
MINE: ThreadGoal = {"objective": "Mine.", "status": "paused"}
ABSENT = "thread not found: 019b2f10"
FAULT: Error = {"code": "CODEX_TIMEOUT", "message": "no reply", "details": {}, "retryable": True}


class Desk:
    """A goal in a real store, and a worker with the lease that looks at it."""

    def __init__(self, store: Store, fence: Fence, samples: SampleRows) -> None:
        self._store = store
        self._fence = fence
        self._samples = samples
        self.workflow_id = "wf_1"

    def begin(
        self,
        action: goal.CompletionAction = "clear",
        *,
        task: str = "running",
        completion_objective: str | None = None,
    ) -> None:
        """Store a workflow with a goal, whose first task is in this state."""
        planner = self._samples.row("operation", task)
        with self._store.transaction("srv") as (transaction, _):
            transaction.apply(
                plan_workflow.start(
                    plan_workflow_id=self.workflow_id,
                    payload_hash="hash",
                    project_id="project",
                    plan_operation_id=planner.row_id,
                    requested_sandbox="read-only",
                    effective_sandbox="workspace-write",
                )
            )
            transaction.apply(
                goal.configure(
                    goal_id="goal_1",
                    workflow_id=self.workflow_id,
                    objective=OBJECTIVE,
                    completion_action=action,
                    completion_objective=completion_objective,
                )
            )

    def end(self, *events: str) -> None:
        """Lead the workflow to its end."""
        for event in events:
            with self._store.read() as reader:
                row = reader.plan_workflow(self.workflow_id)
            assert row is not None
            self._samples.apply(self._samples.change(row, event))

    def complete(self) -> None:
        """Let the work be done."""
        self.end("offer_plan", "approve", "complete")

    @property
    def state(self) -> str:
        """The state of the goal."""
        return self.row.state

    @property
    def row(self) -> goal.Goal:
        """The goal as it stands."""
        with self._store.read() as reader:
            found = reader.goal_of_workflow(self.workflow_id)
        assert found is not None
        return found

    @property
    def open_calls(self) -> list[attempt.Attempt]:
        """The calls whose outcome is open."""
        with self._store.read() as reader:
            return reader.open_attempts()

    def look(self, shown: ThreadGoal | None) -> GoalCall | None:
        """Let the worker see this on the thread; return the call that it is about to make."""
        with self._store.transaction("wrk_test", self._fence) as (transaction, reader):
            goal_decisions.doubt_calls(transaction, reader, "goal_1")
        with self._store.transaction("wrk_test", self._fence) as (transaction, reader):
            return goal_decisions.next_call(transaction, reader, "goal_1", shown, Caller("wrk_test", 1))

    def reply(self, call: GoalCall | None, shown: ThreadGoal | None) -> None:
        """Let Codex do what was asked."""
        assert call is not None
        with self._store.transaction("wrk_test", self._fence) as (transaction, reader):
            goal_decisions.record_reply(transaction, reader, "goal_1", call, shown)

    def lose(self, call: GoalCall | None) -> None:
        """Lose the reply to a call."""
        assert call is not None
        with self._store.transaction("wrk_test", self._fence) as (transaction, reader):
            calls.doubt(transaction, reader, call.calling.attempt_id, FAULT)

    def refuse(self, message: str, call: GoalCall | None = None) -> None:
        """Let Codex refuse a call, or the look."""
        refused = CallRefused(-32600, message, None, method="thread/goal/set")
        with self._store.transaction("wrk_test", self._fence) as (transaction, reader):
            goal_decisions.record_refusal(transaction, reader, "goal_1", refused, call)

    def write(self) -> None:
        """Have the goal written."""
        self.reply(self.look(None), SHOWN)


@pytest.fixture
def desk(store: Store, fence: Fence, samples: SampleRows) -> Desk:
    """A desk without a goal so far."""
    return Desk(store, fence, samples)


def test_an_objective_is_written_as_codex_keeps_it() -> None:
    """Trimmed, and no longer than it takes, so that what comes back is what was written."""
    assert written("  Ship it.\n") == "Ship it."
    assert written("x" * 5000) == "x" * OBJECTIVE_CHARS
    assert written("x" * (OBJECTIVE_CHARS - 1) + " y") == "x" * (OBJECTIVE_CHARS - 1)


def test_a_goal_is_written_paused(desk: Desk) -> None:
    """An active one would make Codex start turns by itself."""
    desk.begin()
    call = desk.look(None)
    assert call is not None
    assert (call.objective, call.status) == (OBJECTIVE, "paused")
    desk.reply(call, SHOWN)
    assert (desk.state, desk.open_calls) == ("active", [])


def test_a_goal_whose_reply_was_lost_is_found_written(desk: Desk) -> None:
    """It is not written again."""
    desk.begin()
    desk.lose(desk.look(None))
    assert desk.look(SHOWN) is None
    assert (desk.state, desk.open_calls) == ("active", [])


def test_a_goal_that_did_not_arrive_is_written_again(desk: Desk) -> None:
    """The look shows that the first call had no effect."""
    desk.begin()
    desk.lose(desk.look(None))
    assert desk.look(None) is not None
    assert len(desk.open_calls) == 1


def test_a_worker_that_died_with_a_call_leaves_it_to_the_next_look(desk: Desk) -> None:
    """Nobody awaits its reply any more."""
    desk.begin()
    assert desk.look(None) is not None
    assert desk.look(SHOWN) is None
    assert (desk.state, desk.open_calls) == ("active", [])


@pytest.mark.parametrize(
    "shown",
    [
        MINE,
        {**SHOWN, "status": "active"},
        {**SHOWN, "status": "budgetLimited"},
        {**SHOWN, "tokenBudget": 7},
        None,
    ],
)
def test_what_is_not_ours_any_more_is_left_alone(desk: Desk, shown: ThreadGoal | None) -> None:
    """Other words, another budget, a goal that somebody has set to work, or none."""
    desk.begin()
    desk.write()
    assert desk.look(shown) is None
    assert desk.state == "external_override"


@pytest.mark.parametrize("status", ["paused", "complete", "blocked"])
def test_a_goal_that_the_model_has_judged_is_still_ours(desk: Desk, status: str) -> None:
    """The model has tools for that; it is taken off at the end."""
    desk.begin()
    desk.write()
    assert desk.look({**SHOWN, "status": status}) is None
    assert desk.state == "active"


def test_a_strange_goal_on_a_new_thread_is_not_overwritten(desk: Desk) -> None:
    """Somebody was faster, perhaps the model."""
    desk.begin()
    assert desk.look(MINE) is None
    assert desk.state == "external_override"


def test_a_goal_is_taken_off(desk: Desk) -> None:
    """Whatever its workflow came to."""
    desk.begin()
    desk.write()
    desk.end("stop")
    call = desk.look(SHOWN)
    assert call is not None
    assert call.status is None
    desk.reply(call, None)
    assert (desk.state, desk.open_calls) == ("cleared", [])


def test_a_clearing_whose_reply_was_lost_is_found_done(desk: Desk) -> None:
    """The thread shows no goal any more."""
    desk.begin()
    desk.write()
    desk.end("stop")
    desk.lose(desk.look(SHOWN))
    assert desk.look(None) is None
    assert (desk.state, desk.open_calls) == ("cleared", [])


def test_a_goal_is_called_complete_in_the_words_of_the_caller(desk: Desk) -> None:
    """Once the work is done; a lost reply is found."""
    desk.begin("set_complete", completion_objective=" They do. ")
    desk.write()
    desk.complete()
    call = desk.look(SHOWN)
    assert call is not None
    assert (call.objective, call.status) == ("They do.", "complete")
    desk.lose(call)
    assert desk.look({"objective": "They do.", "status": "complete"}) is None
    assert (desk.state, desk.open_calls) == ("complete", [])


def test_a_goal_is_not_called_complete_where_the_work_was_not_done(desk: Desk) -> None:
    """It stays, for somebody to go on with."""
    desk.begin("set_complete")
    desk.write()
    desk.end("stop")
    assert desk.look(SHOWN) is None
    assert desk.state == "left"


def test_a_goal_that_is_not_needed_any_more_is_not_written(desk: Desk) -> None:
    """Its workflow ended first."""
    desk.begin()
    desk.end("stop")
    assert desk.look(None) is None
    assert desk.state == "cleared"


def test_a_goal_that_was_written_after_all_is_taken_off(desk: Desk) -> None:
    """The reply was lost and the workflow has ended meanwhile."""
    desk.begin()
    desk.lose(desk.look(None))
    desk.end("stop")
    assert desk.look(SHOWN) is None
    assert desk.look(SHOWN) is not None
    assert desk.state == "active"


@pytest.mark.parametrize(
    "message",
    ["goals feature is disabled", "Invalid request: unknown variant `thread/goal/set`, expected one of `x`"],
)
def test_a_codex_without_goals_is_done_without(desk: Desk, message: str) -> None:
    """Whether it says so to a look or to a call."""
    desk.begin()
    desk.refuse(message, desk.look(None))
    assert (desk.state, desk.open_calls) == ("unsupported", [])


def test_a_thread_that_is_not_there_yet_is_waited_for(desk: Desk) -> None:
    """Its task may get another one."""
    desk.begin()
    desk.refuse(ABSENT)
    assert desk.state == "pending_thread"
    assert desk.row.last_error is not None
    desk.end("stop")
    desk.refuse(ABSENT)
    assert desk.state == "cleared"


def test_a_goal_on_a_thread_that_is_gone_says_so(desk: Desk) -> None:
    """It cannot be taken off: the thread is in the archive, or deleted."""
    desk.begin()
    desk.write()
    desk.end("stop")
    desk.refuse(ABSENT)
    assert isinstance(desk.row, goal.GivenUp)
    assert desk.row.last_error["code"] == "CODEX_THREAD_NOT_FOUND"


def test_a_refusal_that_passes_is_waited_out(desk: Desk) -> None:
    """Codex is overloaded; the call is made again after the next look."""
    desk.begin()
    call = desk.look(None)
    desk.refuse("Server is draining; failed to read thread", call)
    assert (desk.state, desk.open_calls) == ("pending_thread", [])
    assert desk.look(None) is not None


def test_a_goal_without_a_thread_is_dropped_without_codex(desk: Desk, store: Store, fence: Fence) -> None:
    """There is nothing to ask."""
    desk.begin(task="queued")
    assert isinstance(desk.row, goal.PendingThread)
    with store.transaction("wrk_test", fence) as (transaction, reader):
        goal_decisions.drop_threadless(transaction, reader)
    assert desk.state == "pending_thread"
    desk.end("stop")
    with store.transaction("wrk_test", fence) as (transaction, reader):
        goal_decisions.drop_threadless(transaction, reader)
    assert desk.state == "cleared"
