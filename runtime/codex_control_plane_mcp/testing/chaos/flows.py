"""Workflows and actions on threads, as a person of a chaos run sees them through."""

import time
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from codex_control_plane_contract.types import Workflow
from codex_control_plane_contract.values import JsonValue
from codex_control_plane_mcp.testing.chaos.errands import Errand, ThreadAction
from codex_control_plane_mcp.testing.chaos.insistence import PATIENCE, WAIT_SECONDS, insist
from codex_control_plane_mcp.testing.chaos.promises import Promises
from codex_control_plane_mcp.testing.evidence import plan_of
from codex_control_plane_mcp.testing.task_client import CallFailed, TaskClient

Answer: TypeAlias = Callable[[Errand, str], Awaitable[None]]
"""Answers what an operation of an errand asks."""


class Flows:
    """The workflows and thread actions of one client; questions are given to `answer`."""

    def __init__(self, client: TaskClient, promises: Promises, answer: Answer) -> None:
        self._client = client
        self._promises = promises
        self._answer = answer

    async def plan(self, errand: Errand, message: str, **policy: JsonValue) -> None:
        """Have something planned, approve it twice, and wait for the end; every other one has a goal."""
        goal: dict[str, JsonValue] = {"goal": f"Errand {errand.number} is done."} if errand.number % 2 else {}
        started = await insist(
            lambda: self._client.start_plan(
                message, client_request_id=f"errand-{errand.number}", **policy, **goal
            )
        )
        self._promises.messages[started["planOperationId"]] = message
        await self._watch(errand, started["workflowId"])

    async def review(self, errand: Errand, instructions: str) -> None:
        """Have something reviewed, in a thread of its own, and wait for the end."""
        started = await insist(
            lambda: self._client.review(
                target_type="custom", instructions=instructions, client_request_id=f"errand-{errand.number}"
            )
        )
        self._promises.messages[started["reviewOperationId"]] = instructions
        await self._watch(errand, started["workflowId"])

    async def act(self, action: ThreadAction, thread_id: str) -> bool:
        """Archive a thread, take it back or compact it; return whether one may go on in it.

        A thread whose turn died early may not be on disk, and a compaction may die with its app-server.
        """
        try:
            match action:
                case "archive":
                    await insist(lambda: self._client.archive(thread_id))
                case "unarchive":
                    await insist(lambda: self._client.unarchive(thread_id))
                case "compact":
                    begun = await insist(lambda: self._client.compact(thread_id))
                    await self._client.action_ended(begun["actionId"], within=PATIENCE)
        except CallFailed as failed:
            if failed.code == "INTERNAL_ERROR":
                raise
            return action == "compact"
        return True

    async def _watch(self, errand: Errand, workflow_id: str) -> None:
        """Do what a workflow waits for until it has ended, or patience has."""
        self._promises.workflows.add(workflow_id)
        row = await self._client.workflow(workflow_id)
        patience = time.monotonic() + PATIENCE
        while "completedAt" not in row and time.monotonic() < patience:
            await self._do_next(errand, row)
            row = await self._client.workflow(
                workflow_id, wait_seconds=WAIT_SECONDS, state_cursor=row["stateCursor"]
            )

    async def _do_next(self, errand: Errand, row: Workflow) -> None:
        if row["phase"] == "plan_ready":
            for _ in range(2):
                await self._approve(errand, row)
        elif row["phase"] in ("waiting_for_approval", "waiting_for_user_input"):
            try:
                await self._answer(errand, row["currentOperationId"])
            except CallFailed as failed:
                # Events were faster: the question is closed.
                if failed.code == "INTERNAL_ERROR":
                    raise

    async def _approve(self, errand: Errand, row: Workflow) -> None:
        task = await insist(
            lambda: self._client.approve_plan(
                row["workflowId"], plan_hash=plan_of(row)["planHash"], message=errand.words
            )
        )
        self._promises.messages[task["operationId"]] = errand.words
