"""A person who sees errands through: submits, answers, stops, waits, whatever dies meanwhile."""

import asyncio
import time
from collections.abc import Callable, Iterator

from codex_control_plane_contract.types import Operation
from codex_control_plane_contract.values import JsonObject, JsonValue
from codex_control_plane_mcp.testing.chaos.errands import Errand, Part
from codex_control_plane_mcp.testing.chaos.flows import Flows
from codex_control_plane_mcp.testing.chaos.insistence import PATIENCE, WAIT_SECONDS, insist
from codex_control_plane_mcp.testing.chaos.line import Line
from codex_control_plane_mcp.testing.chaos.promises import Promises
from codex_control_plane_mcp.testing.evidence import thread_of, turn_id_of
from codex_control_plane_mcp.testing.gates import Gates
from codex_control_plane_mcp.testing.task_client import CallFailed, TaskClient

_CONTINUATIONS = 10


class Person:
    """One person with one client; takes errands from a common stack until it is empty."""

    def __init__(self, line: Line, cwd: str, gates: Gates, promises: Promises) -> None:
        self.line = line
        self._client = TaskClient(line.call, cwd=cwd)
        self._gates = gates
        self._promises = promises
        self._flows = Flows(self._client, promises, self._answer)
        self._opening: set[asyncio.Task[None]] = set()

    async def work(self, errands: Iterator[Errand], done: Callable[[], None]) -> None:
        """See one errand after the other to its end; `done` is called after each of its operations."""
        for errand in errands:
            thread_id: str | None = None
            for number, part in enumerate(errand.parts):
                thread_id = await self._see_through(errand, number, part, thread_id)
                done()
                if thread_id is None:
                    break

    async def _see_through(
        self, errand: Errand, number: int, part: Part, thread_id: str | None
    ) -> str | None:
        """See one step to its end; return the thread that the next one goes on in, None if there is none."""
        match part.does:
            case "plan_workflow":
                await self._flows.plan(errand, part.message, **_policy(errand))
                return None
            case "review_workflow":
                await self._flows.review(errand, part.message)
                return None
            case "archive" | "unarchive" | "compact":
                assert thread_id is not None, "an errand begins its thread"
                return thread_id if await self._flows.act(part.does, thread_id) else None
            case _:
                row = await self._run(errand, number, part, thread_id)
        # Of a thread whose turn died early there may be nothing to copy.
        return None if errand.copies and row["status"] != "completed" else row.get("threadId")

    async def _run(self, errand: Errand, number: int, part: Part, thread_id: str | None) -> Operation:
        operation_id = await self._submit(errand, number, part, thread_id)
        self._promises.messages[operation_id] = part.message
        if errand.kind == "stop":
            self._promises.to_be_stopped.add(operation_id)
        row = await self._watch(errand, operation_id)
        for steer, target in self._promises.steered.items():
            if target == operation_id:
                await self._watch(errand, steer)
        return row

    async def _watch(self, errand: Errand, operation_id: str) -> Operation:
        """Do what an operation waits for until it has ended, or patience has."""
        row = await self._client.status(operation_id)
        patience = time.monotonic() + PATIENCE
        while row["phase"] != "ended" and time.monotonic() < patience:
            await self._act(errand, row)
            row = await self._client.status(
                operation_id, wait_seconds=WAIT_SECONDS, state_cursor=row["stateCursor"]
            )
        return row

    async def _submit(self, errand: Errand, number: int, part: Part, thread_id: str | None) -> str:
        """Submit until it is acknowledged; the key makes one task of it."""
        return await self._acknowledged(
            operation_type=part.does,
            client_request_id=f"errand-{errand.number}.{number}",
            **(_turn(errand, part.message) if part.message else {}),
            **_place(part, thread_id, self._client.cwd),
        )

    async def _acknowledged(self, **arguments: JsonValue) -> str:
        """Submit until it is acknowledged; return the operation's id."""
        known = await insist(lambda: self._client.call("codex_submit_task", **arguments))
        return str(known["operationId"])

    async def _act(self, errand: Errand, row: Operation) -> None:
        """Do what the operation waits for; who was overtaken by events is told so, and looks again."""
        try:
            if row["status"] in ("waiting_for_approval", "waiting_for_user_input"):
                await self._answer(errand, row["operationId"])
            elif row["status"] == "running" and errand.kind == "stop":
                await self._client.interrupt(row["operationId"])
            elif row["status"] == "running" and errand.kind == "steer":
                await self._steer(errand, row)
                self._open_later(errand)
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
            elif question["kind"] == "permissions":
                await self._client.answer(
                    question, permissions={"fileSystem": {"write": ["/srv"]}}, scope="turn"
                )
            else:
                decision = "decline" if errand.kind == "decline" else "accept"
                await self._client.answer(question, decision=decision)

    async def _steer(self, errand: Errand, row: Operation) -> None:
        """Say the words to the turn that runs, once."""
        if row["operationId"] in self._promises.steered.values():
            return
        steer = await self._acknowledged(
            operation_type="steer_turn",
            client_request_id=f"errand-{errand.number}.words",
            message=errand.words,
            thread_id=thread_of(row),
            expected_turn_id=turn_id_of(row),
        )
        self._promises.messages[steer] = errand.words
        self._promises.steered[steer] = row["operationId"]

    def _open_later(self, errand: Errand) -> None:
        """Let the model work for a while, then come to its end."""
        opening = asyncio.create_task(self._open(errand), name=errand.gate)
        self._opening.add(opening)
        opening.add_done_callback(self._opening.discard)

    async def _open(self, errand: Errand) -> None:
        await asyncio.sleep(errand.seconds)
        await self._gates.open(errand.gate)


def _turn(errand: Errand, message: str) -> dict[str, JsonValue]:
    """Return what only a part with a turn of its own has."""
    return {
        "message": message,
        "dedup_policy": "idempotency_only",
        **_policy(errand),
    }


def _policy(errand: Errand) -> dict[str, JsonValue]:
    """Return what is to follow a death of the app-server."""
    return {
        "recovery_policy": errand.recovery_policy,
        "max_continuations": _CONTINUATIONS if errand.recovery_policy == "continue" else 1,
    }


def _place(part: Part, thread_id: str | None, cwd: str) -> dict[str, JsonValue]:
    """Return where a part goes: on a new thread, on the one before it, or on a copy of that."""
    match part.does:
        case "start_chat":
            return {"cwd": cwd}
        case "send_message":
            return {"thread_id": thread_id}
        case "fork_thread":
            return {"source_thread_id": thread_id}
        case _:
            raise AssertionError(f"{part.does} is no task")
