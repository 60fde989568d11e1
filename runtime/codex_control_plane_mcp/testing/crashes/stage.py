"""A stage: one rig on which story after story is played, each with one process that has a trap.

The story does not know where the trap is. When the process dies, another one takes its place, as a service
supervisor would see to it, and the story goes on.
"""

import asyncio
import os
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Awaitable, Collection, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from itertools import count

from codex_control_plane_contract.fail_points import FailPoint
from codex_control_plane_contract.lifecycles import attempt
from codex_control_plane_contract.types import Answered, Interaction, Turn, Workflow, WorkflowPhase
from codex_control_plane_contract.values import JsonValue
from codex_control_plane_mcp.process_identity import ProcessIdentity, is_alive
from codex_control_plane_mcp.testing.crashes.armed_server import armed, armed_server, unarmed
from codex_control_plane_mcp.testing.crashes.verdict import (
    Task,
    awaited,
    complaints,
    described_open_rows,
    open_rows,
)
from codex_control_plane_mcp.testing.crashes.wire import Wire
from codex_control_plane_mcp.testing.evidence import thread_of
from codex_control_plane_mcp.testing.process_end import ends
from codex_control_plane_mcp.testing.prompts import prompt
from codex_control_plane_mcp.testing.rig import ScriptedRig
from codex_control_plane_mcp.testing.scripted_model import MODEL
from codex_control_plane_mcp.testing.task_client import CallFailed, TaskClient
from codex_control_plane_mcp.testing.trap import EXIT_CODE, RELEASE, Action

SETTINGS = {
    "CODEX_MCP_EXECUTION_MODE": "client",
    "CODEX_MCP_LEASE_SECONDS": "3",
    "CODEX_MCP_RETRY_SECONDS": "1",
}
"""The settings of the rig: the stage starts the workers."""

PATIENCE = 20.0
"""Longest wait, in seconds, for what needs a second or two."""

LATE_SECONDS = 1.3
"""How late a late reply is; a task that is submitted meanwhile does not wait for it as long as that."""


class Stage:
    """A rig, a client of a server without a trap, and the worker that lives now."""

    patience = PATIENCE
    """Longest wait, in seconds, for what is to come of a story."""

    def __init__(self, rig: ScriptedRig, client: TaskClient) -> None:
        self.rig = rig
        self.client = client
        self.point: FailPoint = "store.before_begin"
        self.action: Action = "exit"
        self.second_deaths = 0
        self.call_seconds: int | None = None
        self._then: FailPoint | None = None
        self._replaced = asyncio.Event()
        self._worker: Process | None = None
        self._tasks: list[Task] = []
        self._answering: asyncio.Task[Answered] | None = None
        self._configuration = rig.home / "config.toml"
        self._correct = self._configuration.read_text()
        self._wires = count(1)
        self._keys = count(1)

    @property
    def threat(self) -> str:
        """What is to be passed in this story."""
        return self.point

    @property
    def worker(self) -> Process:
        """The worker that lives now."""
        assert self._worker is not None
        return self._worker

    def new_gate(self) -> str:
        """Return the name of a gate that no other story uses."""
        return f"gate-{next(self._keys)}"

    async def begin(self, point: FailPoint, action: Action, *, then: FailPoint | None = None) -> None:
        """Begin a story: what is broken, and how.

        ``then`` is where the worker that takes over dies as well, if it passes there.
        """
        self.point, self.action, self._then = point, action, then
        self.call_seconds = 1 if action == "delay" else None
        await self.clear()

    async def clear(self) -> None:
        """End what an earlier story that went wrong has left."""
        self.rig.model.quota.restore()
        await self.kill_worker()
        self._tasks.clear()

    async def conclude(self) -> None:
        """End a story: a worker without a trap settles all, nothing may be wrong, the worker is killed."""
        if self._then is not None:
            await self.kill_worker()
        if self._worker is None:
            await self.start_worker()
        if not await awaited(self.rig.store, lambda: not open_rows(self.rig.store), self.patience):
            raise AssertionError(f"still open: {described_open_rows(self.rig.store)}")
        wrong = await complaints(self.rig, self._tasks)
        await self.kill_worker()
        assert not wrong, "; ".join(wrong)

    async def submit(
        self,
        *steps: str,
        ends: Collection[str] = ("completed",),
        by: TaskClient | None = None,
        to: str | None = None,
        **more: JsonValue,
    ) -> str:
        """Submit a task that may end so, on a thread if one is given; return its operation's id."""
        text, client = prompt(*steps), by or self.client
        # The key makes it safe to submit again when a server breaks.
        more |= {**self._bound(), "client_request_id": f"crash-{next(self._keys)}"}
        acknowledged = await (client.submit(text, **more) if to is None else client.send(to, text, **more))
        self._tasks.append(Task(acknowledged["operationId"], text, tuple(ends)))
        return acknowledged["operationId"]

    async def steer(self, turn: Turn, *steps: str) -> str:
        """Submit words for a turn, which it may end without; return the operation's id."""
        text = prompt(*steps)
        steer = await self.client.steer(
            turn, text, client_request_id=f"crash-{next(self._keys)}", **self._bound()
        )
        self._tasks.append(Task(steer["operationId"], text, ("steered", "failed")))
        return steer["operationId"]

    async def fork(self, source_thread_id: str) -> str:
        """Submit the copy of a thread; return the operation's id."""
        fork = await self.client.fork(
            source_thread_id, client_request_id=f"crash-{next(self._keys)}", **self._bound()
        )
        self._tasks.append(Task(fork["operationId"], "", ("forked",)))
        return fork["operationId"]

    async def plan(
        self, *steps: str, ends: Collection[str] = ("completed",), by: TaskClient | None = None
    ) -> tuple[str, str]:
        """Start a plan workflow whose plan turn may end so; return its id and that of its first operation."""
        text = prompt(*steps)
        key = f"crash-{next(self._keys)}"
        started = await (by or self.client).start_plan(text, client_request_id=key, **self._bound())
        self._tasks.append(Task(started["planOperationId"], text, tuple(ends)))
        return started["workflowId"], started["planOperationId"]

    async def review(
        self, *steps: str, ends: Collection[str] = ("completed",), by: TaskClient | None = None
    ) -> tuple[str, str]:
        """Start a review that may end so; return its workflow and its operation."""
        text = prompt(*steps)
        key = f"crash-{next(self._keys)}"
        started = await (by or self.client).review(
            target_type="custom", instructions=text, client_request_id=key, **self._bound()
        )
        self._tasks.append(Task(started["reviewOperationId"], text, tuple(ends)))
        return started["workflowId"], started["reviewOperationId"]

    async def approve(self, workflow_id: str, *steps: str, by: TaskClient | None = None) -> str:
        """Approve the plan of a workflow; return the operation that carries it out."""
        text = prompt(*steps)
        approved = await (by or self.client).approve_plan(workflow_id, message=text, **self._bound())
        self._tasks.append(Task(approved["operationId"], text, ("completed",)))
        return approved["operationId"]

    async def in_phase(self, workflow_id: str, phase: WorkflowPhase) -> Workflow:
        """Return a workflow once it is in this phase."""
        return await self.client.in_phase(workflow_id, phase, within=self.patience)

    def expect_again(self, operation_id: str) -> None:
        """Let the prompt of a task reach the model once more: somebody has decided so."""
        self._tasks = [
            replace(task, most=task.most + 1) if task.operation_id == operation_id else task
            for task in self._tasks
        ]

    def replacement_of(self, operation_id: str) -> str:
        """Return the operation that repeats the request of this one."""
        with self.rig.store.read() as reader:
            row = reader.replacement_of(operation_id)
        assert row is not None, f"{operation_id} was not submitted again"
        return row.operation_id

    async def start_plan(self, *, by: TaskClient | None = None, **more: JsonValue) -> str:
        """Start a workflow whose plan can be approved; return its id."""
        text = prompt("plan # Plan\\n\\n1. Do it.")
        more |= self._bound()
        started = await (by or self.client).start_plan(
            text, client_request_id=f"crash-{next(self._keys)}", **more
        )
        self._tasks.append(Task(started["planOperationId"], text, ("completed",)))
        return started["workflowId"]

    async def approve_plan(self, workflow_id: str) -> str:
        """Approve the plan of a workflow; return the id of the operation that carries it out."""
        text = prompt("say Done.")
        approved = await self.client.approve_plan(workflow_id, message=text, **self._bound())
        self._tasks.append(Task(approved["operationId"], text, ("completed",)))
        return approved["operationId"]

    async def goal_is(self, workflow_id: str, *sync_states: str) -> None:
        """Return once the goal of a workflow is in one of these states."""
        await self.client.workflow_until(
            workflow_id,
            lambda row: row["threadGoal"]["syncState"] in sync_states,
            within=self.patience,
        )

    async def planned(self, workflow_id: str) -> str:
        """Return the thread of a workflow once its plan can be approved."""
        row = await self.client.workflow_until(
            workflow_id, lambda row: row["phase"] == "plan_ready", within=self.patience
        )
        return thread_of(row)

    async def answered(self, operation_id: str) -> None:
        """Return once Codex has said what becomes of words, or nobody can tell whether it has."""

        def is_known() -> bool:
            with self.rig.store.read() as reader:
                row = reader.operation(operation_id)
                calling = reader.open_attempt_of(operation_id, "turn_steer")
            return isinstance(calling, attempt.Unknown) or (row is not None and row.facts.terminal)

        assert await awaited(self.rig.store, is_known, self.patience), f"no answer to {operation_id}"

    def _bound(self) -> dict[str, JsonValue]:
        """Return the bound of a call where replies may be late."""
        return {} if self.call_seconds is None else {"timeout_seconds": self.call_seconds}

    async def ended(self, operation_id: str) -> str:
        """Return the status in which an operation ends."""
        return (await self.client.ended(operation_id, within=self.patience))["status"]

    async def held(self, gate: str) -> None:
        """Return once the model holds an answer at a gate, which no other story may use."""
        assert await self.rig.model.gates.reached(gate, self.patience), f"the model was not asked: {gate}"

    async def question(self, operation_id: str) -> Interaction:
        """Return the open question of an operation."""
        return await self.client.question(operation_id, within=self.patience)

    async def leave_answered(self, question: Interaction) -> None:
        """Answer a question while no worker lives; returns without waiting for what becomes of it."""
        answering = asyncio.create_task(self.client.answer(question, decision="accept"), name="answer")
        answering.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._answering = answering

        def stored() -> bool:
            with self.rig.store.read() as reader:
                row = reader.interaction(question["interactionId"])
            return row is not None and row.state != "pending"

        assert await awaited(self.rig.store, stored, self.patience)

    async def insist(self, call: Awaitable[object]) -> None:
        """Await a call; its refusal is fine if the server that broke had done it already."""
        with suppress(CallFailed):
            await call

    async def has_fault(self, operation_id: str) -> None:
        """Return once an operation has met a fault."""
        row = await self.client.status(operation_id)
        while "lastError" not in row:
            row = await self.client.status(operation_id, wait_seconds=5, state_cursor=row["stateCursor"])

    async def has_ended(self, question: Interaction) -> None:
        """Return once a question has ended, however it did."""

        def over() -> bool:
            with self.rig.store.read() as reader:
                row = reader.interaction(question["interactionId"])
            return row is not None and row.facts.terminal

        assert await awaited(self.rig.store, over, self.patience), f"still open: {question}"

    @contextmanager
    def broken_configuration(self) -> Generator[None]:
        """Make Codex unable to read its configuration, until it is corrected or the block ends."""
        self._configuration.write_text(self._correct.replace(f'model = "{MODEL}"', "model = 3"))
        try:
            yield
        finally:
            self.correct_configuration()

    @contextmanager
    def goals_switched_off(self) -> Generator[None]:
        """Have a Codex that is started meanwhile keep no goals."""
        self._configuration.write_text(f"features.goals = false\n{self._correct}")
        try:
            yield
        finally:
            self.correct_configuration()

    def correct_configuration(self) -> None:
        """Make Codex able to read its configuration."""
        self._configuration.write_text(self._correct)

    async def start_worker(self, *arguments: str, **settings: str) -> None:
        """Start a worker without a trap; `settings` are added to its environment."""
        self._worker = await self.rig.start_worker(*arguments, command=unarmed("worker"), **settings)

    async def end_strangers(self) -> None:
        """Kill the workers that a server has started."""
        with self.rig.store.read() as reader:
            rows = reader.live_workers()
        own = self._worker.pid if self._worker is not None else None
        for row in rows:
            if row.pid != own and is_alive(ProcessIdentity(row.pid, row.process_started)):
                os.kill(row.pid, signal.SIGKILL)
                assert await asyncio.to_thread(ends, row.pid)

    async def kill_worker(self) -> None:
        """Kill the worker that lives."""
        worker, self._worker = self._worker, None
        if worker is not None:
            await self._kill(worker)

    async def worker_dies_at(self, point: FailPoint) -> None:
        """Let a worker live until it passes a point."""
        with self.new_wire() as wire:
            worker = await self.rig.start_worker(command=armed(point, "exit", wire, "worker"))
            self._worker = worker
            async with asyncio.timeout(self.patience):
                assert await worker.wait() == EXIT_CODE
            self._worker = None

    @asynccontextmanager
    async def trapped_worker(self, *arguments: str, **settings: str) -> AsyncGenerator[Wire]:
        """Start the worker with the trap; when it dies another one takes over. At the end it has sprung."""
        with self.new_wire() as wire:
            command = armed(self.point, self.action, wire, "worker")
            self._replaced.clear()
            worker = await self.rig.start_worker(*arguments, command=command, **settings)
            self._worker = worker
            keeper = asyncio.create_task(self._keep(worker, wire, arguments), name="keeper")
            try:
                yield wire
                await self.sprung(wire)
                if self.action in ("exit", "stop"):
                    await self._replaced.wait()
            finally:
                keeper.cancel()
                await asyncio.gather(keeper, return_exceptions=True)

    @asynccontextmanager
    async def trapped_server(self, **settings: str) -> AsyncGenerator[TaskClient]:
        """Start a server with the trap; give a client that turns to the other server when it breaks."""
        environment = self.rig.environment | settings
        with self.new_wire() as wire:
            async with armed_server(environment, self.point, self.action, wire, other=self.client) as client:
                yield client
                await self.sprung(wire)

    async def sprung(self, wire: Wire) -> None:
        """Return once the trap has sprung."""
        assert await wire.sprung(self.patience), f"{self.threat} was not passed"

    async def _keep(self, worker: Process, wire: Wire, arguments: Sequence[str]) -> None:
        """Carry out what the action needs from outside, and replace the worker once it has died."""
        if await wire.sprung(2 * self.patience):
            if self.action == "stop":
                await self._kill(worker)
            elif self.action == "delay":
                # What makes it late is time itself.
                await asyncio.sleep(LATE_SECONDS)
                os.kill(worker.pid, RELEASE)
        await worker.wait()
        if self._then is not None:
            await self._die_again(self._then, arguments)
        await self.start_worker(*arguments)
        self._replaced.set()

    async def _die_again(self, point: FailPoint, arguments: Sequence[str]) -> None:
        """Let the worker that takes over live until it passes a point, if it ever does."""
        with self.new_wire() as wire:
            self._worker = await self.rig.start_worker(
                *arguments, command=armed(point, "exit", wire, "worker")
            )
            self._replaced.set()
            await self._worker.wait()
            self.second_deaths += 1

    async def _kill(self, worker: Process) -> None:
        with suppress(ProcessLookupError):
            worker.send_signal(signal.SIGKILL)
        self.rig.kills += 1
        await worker.wait()

    def new_wire(self) -> Wire:
        """Return a wire that no other story uses."""
        return Wire(self.rig.directory / f"wire-{next(self._wires)}")
