"""A person who sees errands through: submits, answers, stops, waits, whatever dies meanwhile."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from codex_control_plane_contract.types import Operation
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.testing.chaos.errands import Errand
from codex_control_plane_mcp.testing.chaos.line import Line
from codex_control_plane_mcp.testing.gates import Gates
from codex_control_plane_mcp.testing.task_client import CallFailed, TaskClient

PATIENCE = 300.0
"""Longest time, in seconds, that a person waits for the end of an operation, which is stuck then."""

_WAIT_SECONDS = 10
_PAUSE_SECONDS = 0.3
_CONTINUATIONS = 10


@dataclass(slots=True)
class Ledger:
    """What the persons were promised: the message of each acknowledged operation, and which to stop."""

    messages: dict[str, str] = field(default_factory=dict[str, str])
    to_be_stopped: set[str] = field(default_factory=set[str])


class Person:
    """One person with one client; takes errands from a common stack until it is empty."""

    def __init__(self, line: Line, cwd: str, gates: Gates, ledger: Ledger) -> None:
        self.line = line
        self._client = TaskClient(line.call, cwd=cwd)
        self._gates = gates
        self._ledger = ledger
        self._opening: set[asyncio.Task[None]] = set()

    async def work(self, errands: Iterator[Errand], done: Callable[[], None]) -> None:
        """See one errand after the other to its end; `done` is called after each of its operations."""
        for errand in errands:
            thread_id: str | None = None
            for part, message in enumerate(errand.messages):
                row = await self._see_through(errand, part, message, thread_id)
                done()
                thread_id = row.get("threadId")
                if thread_id is None:
                    break

    async def _see_through(self, errand: Errand, part: int, message: str, thread_id: str | None) -> Operation:
        operation_id = await self._submit(errand, part, message, thread_id)
        self._ledger.messages[operation_id] = message
        if errand.kind == "stop":
            self._ledger.to_be_stopped.add(operation_id)
        row = await self._client.status(operation_id)
        patience = time.monotonic() + PATIENCE
        while row["phase"] != "ended" and time.monotonic() < patience:
            await self._act(errand, row)
            row = await self._client.status(
                operation_id, wait_seconds=_WAIT_SECONDS, state_cursor=row["stateCursor"]
            )
        return row

    async def _submit(self, errand: Errand, part: int, message: str, thread_id: str | None) -> str:
        """Submit until it is acknowledged; the key makes one task of it."""
        while True:
            try:
                known = await self._client.call(
                    "codex_submit_task",
                    operation_type="send_message" if thread_id else "start_chat",
                    client_request_id=f"errand-{errand.number}.{part}",
                    dedup_policy="idempotency_only",
                    recovery_policy=errand.recovery_policy,
                    max_continuations=_CONTINUATIONS if errand.recovery_policy == "continue" else 1,
                    message=message,
                    **({"thread_id": thread_id} if thread_id else {"cwd": self._client.cwd}),
                )
            except CallFailed as failed:
                if not failed.error["retryable"]:
                    raise
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                return str(known["operationId"])

    async def _act(self, errand: Errand, row: Operation) -> None:
        """Do what the operation waits for; who was overtaken by events is told so, and looks again."""
        try:
            if row["status"] in ("waiting_for_approval", "waiting_for_user_input"):
                await self._answer(errand, row["operationId"])
            elif row["status"] == "running" and errand.kind == "stop":
                await self._client.interrupt(row["operationId"])
            elif row["status"] == "running" and errand.kind == "long":
                self._open_later(errand)
        except CallFailed as failed:
            if failed.code == "INTERNAL_ERROR":
                raise

    async def _answer(self, errand: Errand, operation_id: str) -> None:
        for question in await self._client.list_interactions(operation_id=operation_id):
            if question["kind"] == "user_input":
                answers: JsonObject = {one["id"]: ["Yes"] for one in question.get("questions", [])}
                await self._client.answer(question, answers=answers)
            else:
                decision = "decline" if errand.kind == "decline" else "accept"
                await self._client.answer(question, decision=decision)

    def _open_later(self, errand: Errand) -> None:
        """Let the model work for a while, then come to its end."""
        opening = asyncio.create_task(self._open(errand), name=errand.gate)
        self._opening.add(opening)
        opening.add_done_callback(self._opening.discard)

    async def _open(self, errand: Errand) -> None:
        await asyncio.sleep(errand.seconds)
        await self._gates.open(errand.gate)
