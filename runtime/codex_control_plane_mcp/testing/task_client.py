"""The tools of the server as typed calls, whatever client carries them."""

import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias, cast

from codex_control_plane_contract.types import (
    Acknowledgement,
    Answered,
    CompactionStarted,
    Error,
    Health,
    Interaction,
    InteractionList,
    Interrupted,
    Operation,
    OperationStatus,
    Plan,
    RepairRun,
    ReviewAcknowledgement,
    ThreadAction,
    ThreadChanged,
    Turn,
    Workflow,
    WorkflowAcknowledgement,
    WorkflowPhase,
)
from codex_control_plane_contract.values import JsonObject, JsonValue
from codex_control_plane_mcp.testing.evidence import turn_id_of

ToolCall: TypeAlias = Callable[[str, JsonObject], Awaitable[JsonObject]]
"""Calls a tool with arguments and returns the structured result, that of a failure too."""

PATIENCE: Final = 30.0
"""Longest wait, in seconds, for what needs a fraction of a second."""

_WAIT_SECONDS: Final = 20
_ALIKE: Final[JsonObject] = {"dedup_policy": "idempotency_only"}


class CallFailed(Exception):
    """A tool answered with an error of the contract, which `error` holds."""

    def __init__(self, tool: str, error: Error) -> None:
        super().__init__(f"{tool}: {error['code']}: {error['message']}")
        self.error = error

    @property
    def code(self) -> str:
        """The code of the error."""
        return self.error["code"]


class WaitedInVain(Exception):
    """An operation ended otherwise than awaited, or did not get there in time; the message holds it."""


class TaskClient:
    """One client of one server; `server_pid` is the process, None where nobody knows it.

    `cwd` is the directory for tasks that name none. Prompts of tests are alike, so they are submitted with
    `dedup_policy` idempotency_only unless a test says otherwise.
    """

    def __init__(self, call: ToolCall, *, cwd: str, server_pid: int | None = None) -> None:
        self._call = call
        self.cwd = cwd
        self.server_pid = server_pid

    async def call(self, tool: str, **arguments: JsonValue) -> JsonObject:
        """Return the result of a tool. Raises CallFailed."""
        result = await self._call(tool, arguments)
        if result.get("ok") is not True:
            raise CallFailed(tool, cast("Error", result["error"]))
        return result

    async def submit(self, message: str, **more: JsonValue) -> Acknowledgement:
        """Submit a prompt for a new thread. Raises CallFailed."""
        arguments: JsonObject = {"cwd": self.cwd, "message": message, **_ALIKE, **more}
        return cast(
            "Acknowledgement", await self.call("codex_submit_task", operation_type="start_chat", **arguments)
        )

    async def send(self, thread_id: str, message: str, **more: JsonValue) -> Acknowledgement:
        """Submit a prompt that continues a thread. Raises CallFailed."""
        arguments: JsonObject = {"thread_id": thread_id, "message": message, **_ALIKE, **more}
        return cast(
            "Acknowledgement",
            await self.call("codex_submit_task", operation_type="send_message", **arguments),
        )

    async def steer(self, turn: Turn, message: str, **more: JsonValue) -> Acknowledgement:
        """Submit words for a turn that runs. Raises CallFailed."""
        arguments: JsonObject = {"thread_id": turn["threadId"], "expected_turn_id": turn["turnId"], **more}
        return cast(
            "Acknowledgement",
            await self.call("codex_submit_task", operation_type="steer_turn", message=message, **arguments),
        )

    async def fork(self, source_thread_id: str, **more: JsonValue) -> Acknowledgement:
        """Submit the copy of a thread, with a `message` or without. Raises CallFailed."""
        arguments: JsonObject = {"source_thread_id": source_thread_id, **more}
        return cast(
            "Acknowledgement", await self.call("codex_submit_task", operation_type="fork_thread", **arguments)
        )

    async def review(self, **more: JsonValue) -> ReviewAcknowledgement:
        """Submit a review, in `cwd` unless a thread or a place is named. Raises CallFailed."""
        placed = any(name in more for name in ("thread_id", "project_id", "cwd"))
        place: JsonObject = {} if placed else {"cwd": self.cwd}
        return cast(
            "ReviewAcknowledgement", await self.call("codex_start_review_workflow", **{**place, **more})
        )

    async def turn(self, turn_id: str, **more: JsonValue) -> Turn:
        """Read a turn. Raises CallFailed."""
        return cast("Turn", await self.call("codex_get_turn_status", turn_id=turn_id, **more))

    async def turn_of(self, operation_id: str, *, within: float = PATIENCE) -> Turn:
        """Return the turn of an operation once it runs. Raises as `wait_until` does."""
        row = await self.wait_until(operation_id, "running", within=within)
        return await self.turn(turn_id_of(row))

    async def status(self, operation_id: str, **more: JsonValue) -> Operation:
        """Read an operation. Raises CallFailed."""
        return cast(
            "Operation", await self.call("codex_get_operation_status", operation_id=operation_id, **more)
        )

    async def wait_until(
        self, operation_id: str, *statuses: OperationStatus, within: float = PATIENCE
    ) -> Operation:
        """Return the operation once it has one of `statuses`. Raises WaitedInVain and CallFailed."""
        deadline = time.monotonic() + within
        row = await self.status(operation_id)
        while row["status"] not in statuses:
            if row["phase"] == "ended" or time.monotonic() >= deadline:
                raise WaitedInVain(f"{row['status']} in place of {' or '.join(statuses)}: {row}")
            row = await self.status(operation_id, wait_seconds=_WAIT_SECONDS, state_cursor=row["stateCursor"])
        return row

    async def ended(self, operation_id: str, *, within: float = PATIENCE) -> Operation:
        """Return the operation once it has ended, however it did. Raises WaitedInVain and CallFailed."""
        return await self.wait_until(
            operation_id,
            "completed",
            "failed",
            "interrupted",
            "cancelled",
            "orphaned",
            "unknown_after_app_server_exit",
            within=within,
        )

    async def list_interactions(self, **filters: JsonValue) -> list[Interaction]:
        """Return the questions that match, open ones unless `status` says otherwise. Raises CallFailed."""
        listed = cast("InteractionList", await self.call("codex_list_pending_interactions", **filters))
        return listed["interactions"]

    async def question(self, operation_id: str, *, within: float = PATIENCE) -> Interaction:
        """Return the oldest open question of an operation, waiting for it. Raises as `wait_until` does."""
        await self.wait_until(operation_id, "waiting_for_approval", "waiting_for_user_input", within=within)
        return (await self.list_interactions(operation_id=operation_id))[0]

    async def answer(self, question: Interaction, **answer: JsonValue) -> Answered:
        """Answer a question. Raises CallFailed."""
        return cast(
            "Answered",
            await self.call(
                "codex_answer_pending_interaction", interaction_id=question["interactionId"], **answer
            ),
        )

    async def interrupt(self, operation_id: str, **more: JsonValue) -> Interrupted:
        """Stop an operation. Raises CallFailed."""
        return cast("Interrupted", await self.call("codex_interrupt_turn", operation_id=operation_id, **more))

    async def start_plan(self, message: str, **more: JsonValue) -> WorkflowAcknowledgement:
        """Start a plan workflow. Raises CallFailed."""
        return cast(
            "WorkflowAcknowledgement",
            await self.call("codex_start_plan_workflow", project_id=self.cwd, message=message, **more),
        )

    async def workflow(self, workflow_id: str, **more: JsonValue) -> Workflow:
        """Read a workflow. Raises CallFailed."""
        return cast("Workflow", await self.call("codex_get_workflow_status", workflow_id=workflow_id, **more))

    async def workflow_until(
        self, workflow_id: str, fulfilled: Callable[[Workflow], bool], *, within: float = PATIENCE
    ) -> Workflow:
        """Return a workflow once something is true of it. Raises WaitedInVain and CallFailed."""
        deadline = time.monotonic() + within
        row = await self.workflow(workflow_id)
        while not fulfilled(row):
            if time.monotonic() >= deadline:
                raise WaitedInVain(f"{row}")
            row = await self.workflow(
                workflow_id, wait_seconds=_WAIT_SECONDS, state_cursor=row["stateCursor"]
            )
        return row

    async def approve_plan(self, workflow_id: str, **more: JsonValue) -> Acknowledgement:
        """Approve the plan of a workflow. Raises CallFailed."""
        return cast("Acknowledgement", await self.call("codex_approve_plan", workflow_id=workflow_id, **more))

    async def in_phase(self, workflow_id: str, *phases: WorkflowPhase, within: float = PATIENCE) -> Workflow:
        """Return a workflow once it is in one of these phases. Raises WaitedInVain and CallFailed."""
        row = await self.workflow_until(
            workflow_id, lambda row: row["phase"] in phases or "completedAt" in row, within=within
        )
        if row["phase"] not in phases:
            raise WaitedInVain(f"{row['phase']} in place of {' or '.join(phases)}: {row}")
        return row

    async def adopt_plan(self, workflow_id: str, plan: Plan, **more: JsonValue) -> WorkflowAcknowledgement:
        """Make a plan the one that counts. Raises CallFailed."""
        return cast(
            "WorkflowAcknowledgement",
            await self.call(
                "codex_adopt_workflow_plan",
                workflow_id=workflow_id,
                candidate_turn_id=plan["turnId"],
                candidate_plan_hash=plan["planHash"],
                **more,
            ),
        )

    async def stop_workflow(self, workflow_id: str) -> Interrupted:
        """Stop a workflow. Raises CallFailed."""
        return cast("Interrupted", await self.call("codex_interrupt_turn", workflow_id=workflow_id))

    async def retry_workflow(self, workflow_id: str, **more: JsonValue) -> RepairRun:
        """Begin an ended workflow anew; without `dry_run=False` say what would be done. Raises CallFailed."""
        action = "retry_workflow_with_runtime_policy"
        repaired = await self.call("codex_repair_issue", action=action, workflow_id=workflow_id, **more)
        return cast("RepairRun", repaired)

    async def archive(self, thread_id: str, **more: JsonValue) -> ThreadChanged:
        """Archive a thread. Raises CallFailed."""
        return cast("ThreadChanged", await self.call("codex_archive_thread", thread_id=thread_id, **more))

    async def unarchive(self, thread_id: str, **more: JsonValue) -> ThreadChanged:
        """Put an archived thread back. Raises CallFailed."""
        return cast("ThreadChanged", await self.call("codex_unarchive_thread", thread_id=thread_id, **more))

    async def compact(self, thread_id: str, **more: JsonValue) -> CompactionStarted:
        """Begin to compact a thread. Raises CallFailed."""
        return cast(
            "CompactionStarted",
            await self.call("codex_start_thread_compaction", thread_id=thread_id, **more),
        )

    async def thread_action(self, action_id: str, **more: JsonValue) -> ThreadAction:
        """Read an action on a thread. Raises CallFailed."""
        return cast(
            "ThreadAction",
            await self.call("codex_get_thread_compaction_status", action_id=action_id, **more),
        )

    async def action_ended(self, action_id: str, *, within: float = PATIENCE) -> ThreadAction:
        """Return an action on a thread once it has ended. Raises WaitedInVain and CallFailed."""
        deadline = time.monotonic() + within
        while not (row := await self.thread_action(action_id, wait_seconds=_WAIT_SECONDS)).get("completedAt"):
            if time.monotonic() >= deadline:
                raise WaitedInVain(f"not ended: {row}")
        return row

    async def health(self) -> Health:
        """Return the health of server, workers and app-server. Raises CallFailed."""
        return cast("Health", await self.call("codex_health_summary"))
