"""The measurements: ours and the yardstick in turn, in one run, on real processes."""

import json
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median

import psutil
from mcp import Client, StdioServerParameters

from bench.figures import Figure, ratio
from codex_control_plane_mcp.codex.connection import Connection
from codex_control_plane_mcp.handlers.prompt_guard import Prompt
from codex_control_plane_mcp.handlers.prompt_print import Print
from codex_control_plane_mcp.testing.rig import Rig, ScriptedRig
from codex_control_plane_mcp.testing.task_client import TaskClient
from codex_control_plane_mcp.testing.witness import Witness

PROMPT = "model: say Done."
SERVER = (sys.executable, "-m", "codex_control_plane_mcp.server")
BARE_SERVER = (sys.executable, str(Path(__file__).with_name("bare_server.py")))
_INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "bench", "version": "0"},
    },
}

Echo = Callable[[], Awaitable[object]]


@asynccontextmanager
async def bare_echo() -> AsyncGenerator[Echo]:
    """Give a call of the bare server's echo tool, through the same SDK client that calls ours."""
    async with Client(StdioServerParameters(command=BARE_SERVER[0], args=list(BARE_SERVER[1:]))) as client:

        async def echo() -> object:
            return await client.call_tool("echo", {"text": "x" * 200})

        yield echo


async def calls(client: TaskClient, echo: Echo, *, operation_id: str, rounds: int) -> list[Figure]:
    """Measure the acknowledgement and a status poll against the echo; nothing runs meanwhile."""
    theirs: list[float] = []
    polls: list[float] = []
    submissions: list[float] = []
    for _ in range(rounds):
        theirs.append(await _seconds(echo))
        polls.append(await _seconds(lambda: client.status(operation_id)))
        theirs.append(await _seconds(echo))
        submissions.append(await _seconds(lambda: client.submit(PROMPT)))
    return [
        ratio("submit acknowledgement / echo", submissions, theirs, goal=3),
        ratio("status poll / echo", polls, theirs, goal=2),
    ]


def duplicates(*, candidates: int = 200, chars: int = 200_000) -> list[Figure]:
    """Measure the guard on the longest prompts: the print of a new one, and what it takes to compare it."""
    lines = [
        f"Rename function {n} of package {n * 7919 % 1013} to follow its neighbours." for n in range(4000)
    ]
    text = "\n".join(lines)[:chars]
    stored = [
        json.dumps(Prompt.of(text.replace(f" {n}", " else"), None).print_as_json()) for n in range(candidates)
    ]
    prints = [_taken(lambda: Prompt.of(text, None)) for _ in range(20)]
    new = Prompt.of(text, None).print
    assert new is not None
    similarity = new.similarity
    reads = [_taken(lambda: [Print.read(json.loads(one)) for one in stored]) for _ in range(20)]
    known = [Print.read(json.loads(one)) for one in stored]
    compared = [_taken(lambda: [*map(similarity, known)]) for _ in range(20)]
    size = f"{candidates} prompts of {chars} characters"
    return [
        Figure("duplicates: print of a new prompt", median(prints) * 1000, "ms", None, f"{chars} characters"),
        Figure("duplicates: reading stored prints", median(reads) * 1000, "ms", None, size),
        Figure("duplicates: comparison", median(compared) * 1000, "ms", 5, size),
    ]


async def tasks(client: TaskClient, rig: ScriptedRig, *, rounds: int) -> list[Figure]:
    """Measure whole tasks against the same turn driven straight over the app-server."""
    ours: list[float] = []
    straight: list[float] = []
    opened: list[float] = []
    started: list[float] = []
    continued: list[float] = []
    running = await rig.app_server()
    assert running is not None
    async with await Connection.open(running.socket_path, client_version="bench") as connection:
        witness = Witness(connection)
        for _ in range(rounds):
            straight.append(await _seconds(lambda: _straight_turn(witness, rig, opened)))
            begun = time.perf_counter()
            task = await client.ended((await client.submit(PROMPT))["operationId"])
            ours.append(time.perf_counter() - begun)
            started.append(_until_sent(rig, task["operationId"]))
            assert "threadId" in task
            following = await client.ended((await client.send(task["threadId"], PROMPT))["operationId"])
            continued.append(_until_sent(rig, following["operationId"]))
    added = (median(ours) - median(straight)) * 1000
    own, other = median(ours) * 1000, median(straight) * 1000
    alone = median(opened) * 1000
    return [
        Figure("task over a straight turn", added, "ms", 40, f"{own:.1f} ms against {other:.1f} ms"),
        Figure("task / straight turn", own / other, "x"),
        Figure("submit to turn/start, known thread, p50", median(continued), "ms", 25, f"{rounds} tasks"),
        Figure("submit to turn/start, new thread, p50", median(started), "ms", 25, f"{rounds} tasks"),
        Figure("… of which Codex's thread/start, alone", alone, "ms", None, f"{rounds} straight turns"),
    ]


async def sizes(client: TaskClient, *, operation_id: str) -> list[Figure]:
    """Measure the results in bytes of compact JSON; each stands twice on the wire."""
    acknowledgement = await client.submit(PROMPT)
    await client.ended(acknowledgement["operationId"])
    status = await client.status(operation_id)
    long = "\n".join([*["model: run echo hello"] * 20, f"model: say {'x' * 3000}"])
    busy = await client.submit(long)
    planned = await client.start_plan("model: plan # The cart\\n\\n1. Read it.\\n2. Move it.")
    await client.in_phase(planned["workflowId"], "plan_ready")
    await client.approve_plan(planned["workflowId"], message=long)
    carried_out = await client.in_phase(planned["workflowId"], "completed")
    return [
        Figure(
            "status of 20 commands, 3,000 characters",
            _bytes(await client.ended(busy["operationId"])),
            "bytes",
            6000,
        ),
        Figure("workflow status of the same", _bytes(carried_out), "bytes", 8000),
        Figure("status of a short finished task", _bytes(status), "bytes", 2000),
        Figure("acknowledgement", _bytes(acknowledgement), "bytes", 1000),
    ]


def cold_start(rig: Rig, *, rounds: int) -> list[Figure]:
    """Measure the start to the first reply against the bare server's."""
    for command in (BARE_SERVER, SERVER):
        _first_reply(command, rig)
    theirs: list[float] = []
    ours: list[float] = []
    for _ in range(rounds):
        theirs.append(_first_reply(BARE_SERVER, rig))
        ours.append(_first_reply(SERVER, rig))
    return [ratio("cold start to the first reply / bare server", ours, theirs, goal=1.1)]


def idle(processes: Sequence[tuple[str, int]], *, seconds: float) -> list[Figure]:
    """Measure what processes use that have nothing to do, and their memory."""
    watched = [(name, psutil.Process(pid)) for name, pid in processes]
    before = [_processor_seconds(process) for _, process in watched]
    time.sleep(seconds)
    figures: list[Figure] = []
    for (name, process), spent in zip(watched, before, strict=True):
        share = (_processor_seconds(process) - spent) / seconds * 100
        figures.append(Figure(f"idle {name}, of a core", share, "%", 0.5, f"over {seconds:g} s"))
        figures.append(Figure(f"memory of the {name}", process.memory_info().rss / 1e6, "MB"))
    return figures


def _taken(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


async def _seconds(call: Callable[[], Awaitable[object]]) -> float:
    begun = time.perf_counter()
    await call()
    return time.perf_counter() - begun


async def _straight_turn(witness: Witness, rig: Rig, opened: list[float]) -> None:
    begun = time.perf_counter()
    thread_id = await witness.start_thread(str(rig.project))
    opened.append(time.perf_counter() - begun)
    await witness.start_turn(thread_id, PROMPT)
    await witness.see_end()
    await witness.connection.call("thread/unsubscribe", {"threadId": thread_id})


def _until_sent(rig: Rig, operation_id: str) -> float:
    """Return the milliseconds from the commit of the submission to that of the call of turn/start."""
    with rig.store.read() as reader:
        row = reader.operation(operation_id)
        calling = reader.attempts_of(operation_id, "turn_start")[0]
    assert row is not None
    assert calling.sent_at is not None
    return calling.sent_at - row.created_at


def _first_reply(command: Sequence[str], rig: Rig) -> float:
    begun = time.perf_counter()
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**rig.environment}
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(_INITIALIZE).encode() + b"\n")
        process.stdin.flush()
        process.stdout.readline()
        seconds = time.perf_counter() - begun
        process.stdin.close()
        process.wait()
    return seconds


def _bytes(result: object) -> int:
    # The client sees "ok" too, which the typed calls leave to their reader.
    return len(json.dumps(result, separators=(",", ":"), ensure_ascii=False).encode())


def _processor_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
