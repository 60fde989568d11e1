"""Plan workflows as a client drives them: start, read, approve, adopt, stop (contract §9)."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from codex_control_plane_contract.lifecycles import plan_workflow
from codex_control_plane_contract.settings import Settings
from codex_control_plane_mcp.testing.played_worker import FAULT, PlayedWorker
from codex_control_plane_mcp.testing.tool_caller import ToolCaller

PLAN = "1. Read the code.\n2. Change it."
OTHER = "1. Throw the code away.\n2. Write it anew."


class Workflow:
    """One plan workflow and the worker that serves it."""

    def __init__(self, client: ToolCaller, worker: PlayedWorker, root: Path) -> None:
        self._client = client
        self._worker = worker
        self._root = root
        self._turns = 0
        self.id = ""
        self.task = ""

    def start(self, **more: Any) -> dict[str, Any]:
        """Start it; return the acknowledgement."""
        arguments = {"project_id": str(self._root), "message": "Move the cart to the new API.", **more}
        answer = self._client.call("codex_start_plan_workflow", **arguments)
        if answer["ok"]:
            self.id, self.task = answer["workflowId"], answer["planOperationId"]
        return answer

    def run(self, operation_id: str) -> None:
        """Let Codex run a turn of a task on the thread of the plan."""
        self._turns += 1
        self._worker.run(operation_id, turn_id=f"turn-{self._turns}")

    def plan(self, markdown: str = PLAN) -> dict[str, Any]:
        """Let Codex make the plan; return the status."""
        self.run(self.task)
        self._worker.propose(self.task, markdown)
        self._worker.complete(self.task, "Here is the plan.")
        return self.status()

    def discuss(self, markdown: str | None, message: str = "Not like this.") -> str:
        """Say something on the thread, which brings another plan or none; return the task."""
        answer = self._client.call("codex_send_message", chat_id="thread-1", message=message)
        task: str = answer["operationId"]
        self.run(task)
        if markdown is not None:
            self._worker.propose(task, markdown)
        self._worker.complete(task, "Another thought.")
        return task

    def status(self, **more: Any) -> dict[str, Any]:
        """Read it."""
        return self._client.call("codex_get_workflow_status", workflow_id=self.id, **more)

    def approve(self, **more: Any) -> dict[str, Any]:
        """Approve the plan."""
        return self._client.call("codex_approve_plan", workflow_id=self.id, **more)

    def adopt(self, plan: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Adopt one of its candidates."""
        return self._client.call(
            "codex_adopt_workflow_plan",
            workflow_id=self.id,
            candidate_turn_id=plan["turnId"],
            candidate_plan_hash=plan["planHash"],
            **more,
        )


@pytest.fixture
def workflow(client: ToolCaller, worker: PlayedWorker, root: Path) -> Workflow:
    """A workflow that is not started yet."""
    return Workflow(client, worker, root)


def refusal(answer: dict[str, Any]) -> tuple[str, str]:
    """Return code and path of a refusal."""
    assert answer["ok"] is False, answer
    error = answer["error"]
    return error["code"], error["details"].get("path", "")


def test_a_workflow_is_stored_with_its_task(client: ToolCaller, workflow: Workflow) -> None:
    """The acknowledgement names both, says what was adjusted, and a worker is summoned."""
    answer = workflow.start()
    assert answer["phase"] == answer["status"] == "planning"
    assert (answer["requestedSandbox"], answer["effectiveSandbox"]) == ("read-only", "workspace-write")
    assert answer["runtimePolicyAdjusted"] is True
    assert answer["nextRecommendedAction"] == "wait_plan"
    assert client.summons == 1
    task = client.call("codex_get_operation_status", operation_id=workflow.task)
    assert (task["workflowId"], task["workflowRole"]) == (workflow.id, "plan")
    assert task["requestSummary"]["collaborationMode"] == "plan"
    assert task["requestSummary"]["sandbox"] == "workspace-write"


def test_a_sandbox_that_is_wide_enough_is_kept(workflow: Workflow) -> None:
    """Only read-only is raised."""
    answer = workflow.start(sandbox="danger-full-access")
    assert answer["effectiveSandbox"] == "danger-full-access"
    assert answer["runtimePolicyAdjusted"] is False


def test_the_same_key_names_the_same_workflow(client: ToolCaller, workflow: Workflow) -> None:
    """Twice is once, and another request under the key is a conflict that names the first."""
    first = workflow.start(client_request_id="k")
    again = workflow.start(client_request_id="k")
    assert (again["workflowId"], again["idempotent"]) == (first["workflowId"], True)
    other = workflow.start(client_request_id="k", message="Something else.")
    assert other["error"]["code"] == "IDEMPOTENCY_CONFLICT"
    assert other["error"]["details"]["workflowId"] == first["workflowId"]
    with client.store.read() as reader:
        assert len(reader.queued_operations(limit=10)) == 1


def test_the_same_prompt_is_not_planned_twice_at_once(workflow: Workflow) -> None:
    """The guard against duplicates holds for plans, too."""
    workflow.start()
    assert workflow.start()["error"]["code"] == "CODEX_DUPLICATE_PROMPT_ACTIVE"


def test_a_plan_is_shown_with_its_hash(workflow: Workflow) -> None:
    """The phase follows the task, and the plan is there to be read."""
    workflow.start()
    answer = workflow.plan()
    assert (answer["phase"], answer["nextRecommendedAction"]) == ("plan_ready", "execute_plan")
    assert answer["latestPlan"]["markdown"] == PLAN
    assert answer["latestPlan"]["valid"] is True
    observation = answer["workflowObservation"]
    assert observation["officialPlanTurnId"] == answer["planTurnId"] == "turn-1"
    assert observation["threadAdvancedAfterOfficialTurn"] is False
    assert observation["importStatus"] == "none"


@pytest.mark.parametrize(
    ("markdown", "quality"),
    [("## Blockers\nThe API is not there.", "blocker"), ("Which API do you mean?", "question")],
)
def test_what_is_no_valid_plan_cannot_be_approved(workflow: Workflow, markdown: str, quality: str) -> None:
    """It is shown for review, and the refusal names the phase."""
    workflow.start()
    answer = workflow.plan(markdown)
    assert (answer["phase"], answer["nextRecommendedAction"]) == ("plan_needs_review", "review_plan")
    assert answer["latestPlan"]["planQuality"] == quality
    refused = workflow.approve(plan_hash=answer["latestPlan"]["planHash"])
    assert refusal(refused) == ("INVALID_ARGUMENT", "workflow_id")
    assert refused["error"]["details"]["phase"] == "plan_needs_review"


def test_an_approval_is_a_second_task_on_the_thread(client: ToolCaller, workflow: Workflow) -> None:
    """It runs in default mode, with the sandbox of the plan turn, and says to implement the plan."""
    workflow.start()
    plan = workflow.plan()["latestPlan"]
    answer = workflow.approve(plan_hash=plan["planHash"])
    assert (answer["operationType"], answer["threadId"]) == ("execute_plan", "thread-1")
    assert answer["workflowId"] == workflow.id
    with client.store.read() as reader:
        row = reader.operation(answer["operationId"])
    assert row is not None
    assert (row.message, row.collaboration_mode, row.sandbox) == (
        "Implement the plan.",
        "default",
        "workspace-write",
    )
    status = workflow.status()
    assert (status["phase"], status["nextRecommendedAction"]) == ("executing", "wait_execution")
    assert status["executionOperationId"] == status["currentOperationId"] == answer["operationId"]
    assert "markdown" not in status["latestPlan"]


def test_the_execution_ends_the_workflow(worker: PlayedWorker, workflow: Workflow) -> None:
    """The final report is that of the execution."""
    workflow.start()
    workflow.plan()
    task = workflow.approve()["operationId"]
    workflow.run(task)
    worker.complete(task, "All moved.")
    status = workflow.status()
    assert (status["phase"], status["nextRecommendedAction"]) == ("completed", "read_final_report")
    assert status["finalReport"]["text"] == "All moved."
    assert status["executionTurnId"] == "turn-2"
    assert status["workflowObservation"]["threadAdvancedAfterOfficialTurn"] is False


@pytest.mark.parametrize("ended", [False, True])
def test_approving_twice_makes_one_execution(worker: PlayedWorker, workflow: Workflow, ended: bool) -> None:
    """The second approval names the first task, whether that runs or has ended."""
    workflow.start()
    plan = workflow.plan()["latestPlan"]
    first = workflow.approve(plan_hash=plan["planHash"])
    if ended:
        workflow.run(first["operationId"])
        worker.complete(first["operationId"])
    again = workflow.approve(plan_hash=plan["planHash"], client_request_id="another key")
    assert (again["operationId"], again["idempotent"]) == (first["operationId"], True)


def test_a_late_approval_says_what_it_did_not_do(workflow: Workflow) -> None:
    """The arguments of the first one count; the same again needs no warning."""
    workflow.start()
    workflow.plan()
    assert "warnings" not in workflow.approve(sandbox="workspace-write")
    assert "warnings" not in workflow.approve(sandbox="workspace-write")
    late = workflow.approve(sandbox="danger-full-access")
    assert (late["idempotent"], len(late["warnings"])) == (True, 1)


def test_a_plan_that_changed_is_not_approved(workflow: Workflow) -> None:
    """The refusal says which hash counts now."""
    workflow.start()
    plan = workflow.plan()["latestPlan"]
    refused = workflow.approve(plan_hash="0" * 64)
    assert refusal(refused) == ("INVALID_ARGUMENT", "plan_hash")
    assert refused["error"]["details"]["allowed"] == [plan["planHash"]]


def test_a_plan_cannot_be_approved_while_it_is_made(workflow: Workflow) -> None:
    """There is nothing to approve yet."""
    workflow.start()
    assert refusal(workflow.approve()) == ("INVALID_ARGUMENT", "workflow_id")


def test_a_plan_cannot_be_approved_while_somebody_talks_about_it(
    client: ToolCaller, workflow: Workflow
) -> None:
    """A message on the thread may bring another plan; the refusal names its task."""
    workflow.start()
    workflow.plan()
    talk = client.call("codex_send_message", chat_id="thread-1", message="Not like this.")
    refused = workflow.approve()
    assert refused["error"]["code"] == "CODEX_BUSY"
    assert refused["error"]["details"]["operationId"] == talk["operationId"]


def test_a_plan_that_is_talked_about_is_waited_for(
    client: ToolCaller, worker: PlayedWorker, workflow: Workflow
) -> None:
    """Until the message has ended, nothing can be approved, so the status does not ask for it."""
    workflow.start()
    assert workflow.plan()["nextRecommendedAction"] == "execute_plan"
    talk = client.call("codex_send_message", chat_id="thread-1", message="Not like this.")
    assert talk["workflowId"] == workflow.id
    status = workflow.status()
    assert (status["phase"], status["nextRecommendedAction"]) == ("plan_ready", "wait_plan")
    assert status["pollRecommended"] is True
    workflow.run(talk["operationId"])
    worker.complete(talk["operationId"], "As you say.")
    assert workflow.status()["nextRecommendedAction"] == "execute_plan"


def test_what_was_said_in_place_of_a_plan_is_shown(worker: PlayedWorker, workflow: Workflow) -> None:
    """It is the report of the plan's task; a plan is shown as a plan and not twice."""
    workflow.start()
    workflow.run(workflow.task)
    worker.complete(workflow.task, "I cannot find the cart.")
    status = workflow.status()
    assert (status["phase"], status["finalReport"]["text"]) == (
        "plan_needs_review",
        "I cannot find the cart.",
    )


def test_a_plan_is_no_report(workflow: Workflow) -> None:
    """It is shown once."""
    workflow.start()
    assert "finalReport" not in workflow.plan()


def test_a_later_plan_has_to_be_adopted(workflow: Workflow) -> None:
    """Until somebody says which one counts, neither is carried out; then that one is."""
    workflow.start()
    first = workflow.plan()["latestPlan"]
    workflow.discuss(OTHER)
    status = workflow.status()
    assert (status["phase"], status["nextRecommendedAction"]) == (
        "plan_candidate_found",
        "adopt_candidate_plan",
    )
    observation = status["workflowObservation"]
    assert observation["threadAdvancedAfterOfficialTurn"] is True
    assert observation["importStatus"] == "candidate_available"
    (candidate,) = observation["candidatePlans"]
    assert refusal(workflow.approve(plan_hash=first["planHash"]))[0] == "INVALID_ARGUMENT"

    adopted = workflow.adopt(candidate, adoption_note="The second is better.")
    assert (adopted["phase"], adopted["planHash"]) == ("plan_ready", candidate["planHash"])
    assert workflow.adopt(candidate)["idempotent"] is True
    assert refusal(workflow.approve(plan_hash=first["planHash"])) == ("INVALID_ARGUMENT", "plan_hash")
    assert workflow.approve(plan_hash=candidate["planHash"])["ok"]
    assert workflow.status()["workflowObservation"]["importStatus"] == "adopted"


def test_the_first_plan_may_be_kept(client: ToolCaller, workflow: Workflow) -> None:
    """Then Codex is told which of the plans in its conversation is meant."""
    workflow.start()
    first = workflow.plan()["latestPlan"]
    workflow.discuss(OTHER)
    assert workflow.adopt(first)["phase"] == "plan_ready"
    answer = workflow.approve(plan_hash=first["planHash"])
    with client.store.read() as reader:
        row = reader.operation(answer["operationId"])
    assert row is not None
    assert row.message.startswith("Implement the following plan")
    assert row.message.endswith(PLAN)


def test_a_talk_without_a_plan_leaves_the_plan_to_be_approved(workflow: Workflow) -> None:
    """It is reported, and Codex is told which plan is meant."""
    workflow.start()
    workflow.plan()
    task = workflow.discuss(None)
    status = workflow.status()
    assert status["phase"] == "plan_ready"
    observation = status["workflowObservation"]
    assert observation["candidateReports"] == [
        {"turnId": "turn-2", "operationId": task, "originalChars": len("Another thought.")}
    ]
    assert workflow.approve()["ok"]


def test_a_question_is_answered_and_then_planned(workflow: Workflow) -> None:
    """What needs review becomes a plan by a message on its thread."""
    workflow.start()
    workflow.plan("Which API do you mean?")
    workflow.discuss(PLAN, "The second version.")
    status = workflow.status()
    assert status["phase"] == "plan_candidate_found"
    (candidate,) = status["workflowObservation"]["candidatePlans"]
    assert workflow.adopt(candidate)["phase"] == "plan_ready"


def test_only_a_plan_of_the_thread_can_be_adopted(client: ToolCaller, workflow: Workflow) -> None:
    """An unknown turn, another hash and something that is no plan are refused, each with its reason."""
    workflow.start()
    plan = workflow.plan()["latestPlan"]
    assert refusal(workflow.adopt({**plan, "turnId": "turn-9"}))[0] == "CODEX_TURN_NOT_FOUND"
    assert refusal(workflow.adopt({**plan, "planHash": "0" * 64}))[1] == "candidate_plan_hash"
    workflow.discuss("Which API do you mean?")
    with client.store.read() as reader:
        question = reader.plan_of("turn-2")
    assert question is not None
    asked = {"turnId": "turn-2", "planHash": question.plan_hash}
    assert refusal(workflow.adopt(asked))[1] == "candidate_turn_id"


def test_execute_plan_is_an_approval(client: ToolCaller, workflow: Workflow) -> None:
    """By workflow or by its chat, through the thin tool or the general one, it is one execution."""
    workflow.start()
    workflow.plan()
    first = client.call("codex_execute_plan", chat_id="thread-1")
    assert first["ok"], first
    again = client.call("codex_submit_task", operation_type="execute_plan", workflow_id=workflow.id)
    assert (again["operationId"], again["idempotent"]) == (first["operationId"], True)
    assert workflow.status()["executionOperationId"] == first["operationId"]


def test_a_plan_of_no_workflow_is_carried_out_as_it_was_made(
    client: ToolCaller, worker: PlayedWorker, root: Path
) -> None:
    """A chat in plan mode can be continued in default mode, with the sandbox of its last task."""
    task = client.call(
        "codex_start_chat",
        project_id=str(root),
        message="Plan it.",
        collaboration_mode="plan",
        sandbox="workspace-write",
    )["operationId"]
    worker.run(task)
    worker.propose(task, PLAN)
    worker.complete(task)
    answer = client.call("codex_execute_plan", chat_id="thread-1")
    with client.store.read() as reader:
        row = reader.operation(answer["operationId"])
    assert row is not None
    assert (row.sandbox, row.collaboration_mode, row.workflow_id) == ("workspace-write", "default", None)


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({}, "workflow_id"),
        ({"workflow_id": "wf_1", "chat_id": "thread-1"}, "chat_id"),
        ({"workflow_id": "wf_1", "project_id": "/"}, "project_id"),
        ({"chat_id": "thread-1", "collaboration_mode": "plan"}, "collaboration_mode"),
        ({"chat_id": "thread-1", "title": "A name"}, "title"),
    ],
)
def test_arguments_that_do_not_fit_an_execution_are_refused(
    client: ToolCaller, arguments: dict[str, Any], path: str
) -> None:
    """Each refusal names the argument."""
    answer = client.call("codex_submit_task", operation_type="execute_plan", **arguments)
    assert refusal(answer) == ("INVALID_ARGUMENT", path)


@pytest.mark.parametrize(
    "tool",
    [
        "codex_get_workflow_status",
        "codex_approve_plan",
        "codex_execute_plan",
        "codex_interrupt_turn",
        "codex_list_pending_interactions",
    ],
)
def test_an_unknown_workflow_is_said_to_be_unknown(client: ToolCaller, tool: str) -> None:
    """Whatever is asked of it."""
    answer = client.call(tool, workflow_id="wf_unknown")
    assert refusal(answer)[0] == "CODEX_WORKFLOW_NOT_FOUND"


def test_a_queued_plan_is_stopped_with_its_workflow(client: ToolCaller, workflow: Workflow) -> None:
    """Nothing of it has reached Codex."""
    workflow.start()
    answer = client.call("codex_interrupt_turn", workflow_id=workflow.id)
    assert (answer["status"], answer["workflowPhase"]) == ("cancelled", "failed")
    assert answer["nextRecommendedAction"] == "none"


def test_a_plan_that_is_not_wanted_is_dropped(client: ToolCaller, workflow: Workflow) -> None:
    """The workflow ends, and its plan cannot be approved any more."""
    workflow.start()
    workflow.plan()
    answer = client.call("codex_interrupt_turn", workflow_id=workflow.id)
    assert answer["workflowPhase"] == "failed"
    assert refusal(workflow.approve())[0] == "INVALID_ARGUMENT"


def test_an_execution_is_stopped_by_its_workflow(
    client: ToolCaller, worker: PlayedWorker, workflow: Workflow
) -> None:
    """The turn is interrupted by the worker, and the workflow follows."""
    workflow.start()
    workflow.plan()
    task = workflow.approve()["operationId"]
    workflow.run(task)
    client.on_summon = lambda: worker.interrupt(task)
    answer = client.call("codex_interrupt_turn", workflow_id=workflow.id)
    assert (answer["operationId"], answer["status"]) == (task, "interrupted")
    assert answer["workflowPhase"] == "failed"


def test_a_workflow_that_failed_says_why(worker: PlayedWorker, workflow: Workflow) -> None:
    """The fault is that of its task."""
    workflow.start()
    worker.fail(workflow.task, FAULT)
    status = workflow.status()
    assert (status["phase"], status["nextRecommendedAction"]) == ("failed", "inspect_diagnostics")
    assert status["lastError"]["code"] == FAULT["code"]


def test_a_workflow_that_broke_off_says_where_to_look(worker: PlayedWorker, workflow: Workflow) -> None:
    """Nobody wanted it stopped, so its diagnostics are of interest."""
    workflow.start()
    workflow.run(workflow.task)
    worker.interrupt(workflow.task, error=FAULT)
    status = workflow.status()
    assert (status["phase"], status["nextRecommendedAction"]) == ("failed", "inspect_diagnostics")
    assert status["lastError"]["code"] == FAULT["code"]


def test_questions_of_a_workflow_are_listed(
    client: ToolCaller, worker: PlayedWorker, workflow: Workflow
) -> None:
    """In its status and by its id."""
    workflow.start()
    workflow.run(workflow.task)
    question = worker.ask(
        workflow.task, "item/commandExecution/requestApproval", {"command": "ls", "cwd": "/"}
    )
    status = workflow.status()
    assert (status["phase"], status["nextRecommendedAction"]) == (
        "waiting_for_approval",
        "answer_pending_interaction",
    )
    assert [each["interactionId"] for each in status["pendingInteractions"]] == [question]
    listed = client.call("codex_list_pending_interactions", workflow_id=workflow.id)
    assert [each["interactionId"] for each in listed["interactions"]] == [question]


def test_a_status_is_small(worker: PlayedWorker, workflow: Workflow) -> None:
    """With a turn of twenty commands and a report of 3,000 characters it is at most 8 KB (issue: sizes)."""
    workflow.start()
    workflow.plan()
    task = workflow.approve()["operationId"]
    workflow.run(task)
    for number in range(20):
        worker.show(task, f"command {number}: make test, which prints a line or two")
    worker.complete(task, "r" * 3000)
    assert len(json.dumps(workflow.status())) <= 8_000


def test_a_change_ends_the_wait(workflow: Workflow) -> None:
    """What happened since the cursor answers at once."""
    workflow.start()
    before = workflow.status()["stateCursor"]
    workflow.plan()
    status = workflow.status(wait_seconds=45, state_cursor=before)
    assert status["phase"] == "plan_ready"


def test_the_journal_of_a_workflow_is_shown_on_demand(workflow: Workflow) -> None:
    """Each change of its phase with what shows it."""
    workflow.start()
    workflow.plan()
    events = workflow.status(include_events=True)["events"]
    assert [event["event"] for event in events] == ["start", "offer_plan"]
    assert events[-1]["evidence"] == f"operation {workflow.task} is completed"


def test_a_plan_waits_for_the_quota_of_its_task(
    worker: PlayedWorker, workflow: Workflow, client: ToolCaller
) -> None:
    """The phase says planning, and the next step when it goes on."""
    workflow.start()
    workflow.run(workflow.task)
    worker.await_quota(workflow.task, FAULT, resumes_at=client.store.clock.now() + 60_000)
    status = workflow.status()
    assert (status["phase"], status["nextRecommendedAction"]) == ("planning", "wait_for_quota")


def test_a_workflow_that_took_the_place_of_another_is_linked(
    client: ToolCaller, root: Path, workflow: Workflow
) -> None:
    """Both say so, and the reason stands with the later one."""
    workflow.start()
    client.call("codex_interrupt_turn", workflow_id=workflow.id)
    first = workflow.id
    task = client.call("codex_start_chat", project_id=str(root), message="Plan the move again.")
    with client.store.transaction("a repair") as (transaction, _):
        transaction.apply(
            plan_workflow.start(
                plan_workflow_id="wf_later",
                payload_hash="hash",
                project_id="project",
                plan_operation_id=task["operationId"],
                requested_sandbox="workspace-write",
                effective_sandbox="workspace-write",
                replaces_workflow_id=first,
                retry_of_workflow_id=first,
                retry_reason="It may write now.",
            )
        )
    before = client.call("codex_get_workflow_status", workflow_id=first)["workflowRetryState"]
    assert before["replacedByWorkflowId"] == "wf_later"
    after = client.call("codex_get_workflow_status", workflow_id="wf_later")["workflowRetryState"]
    assert (after["replacesWorkflowId"], after["retryOfWorkflowId"]) == (first, first)
    assert after["retryReason"] == "It may write now."
    assert before["retryCreatedAt"] == after["retryCreatedAt"]


def test_two_servers_that_approve_at_once_make_one_execution(
    client: ToolCaller, settings: Settings, workflow: Workflow
) -> None:
    """The second one waits for the first one's commit, and finds its task."""
    workflow.start()
    workflow.plan()
    other = ToolCaller(settings)
    try:
        with ThreadPoolExecutor(2) as threads:
            answers = [
                waiting.result()
                for waiting in [
                    threads.submit(caller.call, "codex_approve_plan", workflow_id=workflow.id)
                    for caller in (client, other)
                ]
            ]
    finally:
        other.close()
    assert len({answer["operationId"] for answer in answers}) == 1
    assert sorted(answer["idempotent"] for answer in answers) == [False, True]
