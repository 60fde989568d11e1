"""The story of the demo: three tasks, two kills, nothing lost."""

import asyncio
import subprocess
import time
from collections.abc import Collection
from typing import Final

from codex_control_plane_contract.types import Interaction, Operation, OperationStatus
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.testing import residue
from codex_control_plane_mcp.testing.demo.screen import Screen
from codex_control_plane_mcp.testing.demo.tasks import HEARTBEAT, Heartbeat, Task, Tasks
from codex_control_plane_mcp.testing.demo.verdict import Claim, Verdict, report_of
from codex_control_plane_mcp.testing.rig import Rig, ScriptedRig
from codex_control_plane_mcp.testing.task_client import TaskClient

_WAITING: Final[Collection[OperationStatus]] = ("waiting_for_approval", "waiting_for_user_input")
_MORE_BEATS: Final = 5
_LOOK_SECONDS: Final = 0.05
_OURS: Final = "codex_control_plane_mcp"


class StoryBroken(Exception):
    """The story could not be told to its end; the message says why."""


class Story:
    """Tells the story with a rig, which the caller opens and closes.

    `patience` is how many seconds a task may take to its next milestone.
    """

    def __init__(self, rig: Rig, screen: Screen, tasks: Tasks, *, patience: float) -> None:
        self._rig = rig
        self._screen = screen
        self._tasks = tasks
        self._patience = patience
        self._heartbeat = Heartbeat(rig.project)
        self._cursors: dict[str, int] = {}
        self._shown: dict[str, str] = {}
        self._claims: list[Claim] = []

    async def tell(self) -> Verdict:
        """Tell it; return what held. Raises StoryBroken."""
        await self._introduce()
        async with self._rig.open_client() as client:
            self._screen.say(f"MCP server {client.server_pid} started, as a client would")
            asked = await self._ask(client)
            working, waiting = await self._begin_two(client)
            question = (await client.list_interactions(operation_id=waiting))[0]
            before = await self._kill_all(client)
        await self._look_meanwhile(before)
        async with self._rig.open_client() as client:
            self._screen.chapter("A new server")
            self._screen.say(f"MCP server {client.server_pid} started; it knows what its predecessor knew:")
            await self._find_again(client, working, waiting, question)
            ended = await self._end_two(client, working, waiting)
            await self._compare_app_server(before)
        self._judge([asked, *ended])
        return Verdict(
            scripted=self._tasks.scripted,
            seconds=self._screen.seconds,
            operations=(asked, *ended),
            kills=self._rig.kills,
            claims=tuple(self._claims),
        )

    async def _introduce(self) -> None:
        self._screen.chapter("Three durable tasks for Codex")
        if self._tasks.scripted:
            self._screen.say("Codex is real, the model behind it is scripted: no login, no cost.")
        else:
            self._screen.say(
                "--live: your own Codex login and model. This spends your quota: three short tasks.",
                style="bold yellow",
            )
            await asyncio.to_thread(subprocess.run, ("git", "init", "--quiet", self._rig.project), check=True)

    async def _ask(self, client: TaskClient) -> Operation:
        """A task that asks for leave, answered while all is well."""
        task = self._tasks.asking
        operation_id = await self._submit(client, task)
        row = await self._see_through(client, operation_id, task)
        self._screen.report(task.title, row)
        return row

    async def _begin_two(self, client: TaskClient) -> tuple[str, str]:
        """A task that works and one that waits."""
        self._screen.chapter("One works, one waits for you")
        working = await self._submit(client, self._tasks.working)
        waiting = await self._submit(client, self._tasks.waiting)
        await self._reach(client, waiting, self._tasks.waiting, until=_WAITING)
        await self._reach(client, working, self._tasks.working, until=("running", *_WAITING))
        with self._screen.waiting("the heartbeat begins"):
            await self._await_beats(1)
        self._screen.say(f"{self._tasks.working.title}: {HEARTBEAT} has {self._heartbeat.beats} line(s)")
        return working, waiting

    async def _kill_all(self, client: TaskClient) -> int:
        """Kill server and worker; return the pid of the app-server."""
        self._screen.chapter("kill -9")
        running = await self._rig.app_server()
        if running is None:
            raise StoryBroken("No app-server listens.")
        await self._rig.kill_server(client)
        self._screen.say(f"MCP server {client.server_pid} killed", style="bold red")
        self._screen.say(f"worker {await self._rig.kill_worker()} killed", style="bold red")
        return running.identity.pid

    async def _look_meanwhile(self, app_server: int) -> None:
        """Nothing of ours runs; the turn goes on."""
        ours = [one for one in await residue.processes_of(self._rig.directory) if _OURS in one.command]
        before = self._heartbeat.beats
        with self._screen.waiting("nothing of ours runs"):
            await self._await_beats(before + _MORE_BEATS)
        beats = self._heartbeat.beats - before
        self._screen.say(
            f"nothing of ours runs, only Codex's own app-server {app_server} with both turns in it"
        )
        self._screen.say(f"{self._tasks.working.title}: {beats} more lines in {HEARTBEAT} meanwhile")
        self._claim(
            "Codex went on while server and worker were dead",
            not ours and beats > 0,
            f"{beats} heartbeats, {len(ours)} processes of ours",
        )

    async def _find_again(
        self, client: TaskClient, working: str, waiting: str, question: Interaction
    ) -> None:
        rows = [await client.status(working), await client.status(waiting)]
        self._screen.tasks(rows)
        again = await client.list_interactions(operation_id=waiting)
        same = [one["interactionId"] for one in again] == [question["interactionId"]]
        self._claim(
            "the approval waited for its answer", same, f"the same question, {question['interactionId']}"
        )

    async def _end_two(self, client: TaskClient, working: str, waiting: str) -> list[Operation]:
        """Let the working task finish, answer the waiting one; show both reports."""
        self._heartbeat.end()
        ended = [
            await self._see_through(client, waiting, self._tasks.waiting),
            await self._see_through(client, working, self._tasks.working),
        ]
        for task, row in zip((self._tasks.waiting, self._tasks.working), ended, strict=True):
            self._screen.report(task.title, row)
        return ended

    async def _compare_app_server(self, before: int) -> None:
        running = await self._rig.app_server()
        after = running.identity.pid if running is not None else None
        self._claim("one and the same Codex carried every turn", after == before, f"app-server {before}")

    def _judge(self, rows: list[Operation]) -> None:
        completed = sum(row["status"] == "completed" for row in rows)
        self._claim("every task completed", completed == len(rows), f"{completed} of {len(rows)}")
        if isinstance(self._rig, ScriptedRig):
            seen = self._rig.seen()
            self._claim(
                "the model saw each prompt exactly once",
                sorted(seen.values()) == [1] * len(rows),
                f"{sum(seen.values())} prompts for {len(rows)} tasks",
            )
            return
        with self._rig.store.read() as reader:
            sent = [len(reader.attempts_of(row["operationId"], "turn_start")) for row in rows]
        self._claim(
            "each prompt was sent exactly once", sent == [1] * len(rows), f"{sum(sent)} for {len(rows)} tasks"
        )

    async def _submit(self, client: TaskClient, task: Task) -> str:
        known = await client.submit(task.prompt, title=task.title, sandbox=task.sandbox)
        self._screen.say(f"submitted “{task.title}” as {known['operationId']}")
        return known["operationId"]

    async def _see_through(self, client: TaskClient, operation_id: str, task: Task) -> Operation:
        """Return the task once it has ended, having accepted whatever it asked."""
        while (row := await self._follow(client, operation_id, task, until=_WAITING))["phase"] != "ended":
            for question in await client.list_interactions(operation_id=operation_id):
                self._screen.question(task.title, question)
                self._screen.say("answered: accept", style="bold")
                await client.answer(question, decision="accept")
        return row

    async def _reach(
        self, client: TaskClient, operation_id: str, task: Task, *, until: Collection[OperationStatus]
    ) -> None:
        """Show what the task does until it comes to a status. Raises StoryBroken if it ends before."""
        row = await self._follow(client, operation_id, task, until=until)
        if row["phase"] == "ended":
            raise StoryBroken(f"“{task.title}” ended too early ({row['status']}): {report_of(row)}")

    async def _follow(
        self, client: TaskClient, operation_id: str, task: Task, *, until: Collection[OperationStatus]
    ) -> Operation:
        """Show what the task does until it comes to a status or ends. Raises StoryBroken."""
        deadline = time.monotonic() + self._patience
        news: JsonObject = {}
        with self._screen.waiting(f"{task.title} …"):
            while True:
                row = await client.status(
                    operation_id, progress_cursor=self._cursors.get(operation_id, 0), **news
                )
                self._show(row, task)
                if row["status"] in until or row["phase"] == "ended":
                    return row
                self._refuse_fault(row, task, late=time.monotonic() >= deadline)
                # Not longer than a second: progress alone ends no wait, and is to be seen.
                news = {"wait_seconds": 1, "state_cursor": row["stateCursor"]}

    def _show(self, row: Operation, task: Task) -> None:
        """Show what is new."""
        for event in row.get("progressEvents", []):
            self._screen.progress(task.title, event)
        self._cursors[row["operationId"]] = row.get("progressCursor", 0)
        if self._shown.get(row["operationId"]) != row["status"]:
            self._shown[row["operationId"]] = row["status"]
            self._screen.status(task.title, row["status"])

    def _refuse_fault(self, row: Operation, task: Task, *, late: bool) -> None:
        """A fault that waiting may cure is no end for a task, but one for a demo."""
        error = row.get("lastError")
        if row["status"] == "queued" and error is not None:
            raise StoryBroken(f"“{task.title}” cannot run: {error['message']}")
        if late:
            raise StoryBroken(f"“{task.title}” is still {row['status']} after {self._patience:g} s.")

    async def _await_beats(self, beats: int) -> None:
        """Wait for lines that a process of Codex writes; a file tells nobody that it grows."""
        deadline = time.monotonic() + self._patience
        while self._heartbeat.beats < beats:
            if time.monotonic() >= deadline:
                raise StoryBroken(f"{HEARTBEAT} has {self._heartbeat.beats} lines in place of {beats}.")
            await asyncio.sleep(_LOOK_SECONDS)

    def _claim(self, text: str, held: bool, figures: str) -> None:
        self._claims.append(Claim(text, held, figures))
