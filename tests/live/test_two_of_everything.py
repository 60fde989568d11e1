"""Two of everything: servers and workers that are stopped for longer than the lease, and come back."""

import asyncio
import os
import signal
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence

import pytest

from codex_control_plane_mcp.store.conformance import first_violation
from codex_control_plane_mcp.store.succession import first_usurpation, holders
from codex_control_plane_mcp.testing.crashes.verdict import awaited
from codex_control_plane_mcp.testing.evidence import report
from codex_control_plane_mcp.testing.process_end import ends
from codex_control_plane_mcp.testing.prompts import prompt
from codex_control_plane_mcp.testing.rig import ScriptedRig, scripted_rig
from codex_control_plane_mcp.testing.task_client import TaskClient

pytestmark = [pytest.mark.live, pytest.mark.anyio]

SETTINGS = {"CODEX_MCP_LEASE_SECONDS": "2", "CODEX_MCP_EXECUTION_MODE": "client"}
ROUNDS = 3


async def holder_other_than(rig: ScriptedRig, pid: int | None) -> int:
    """Return the process that holds the lease once it is another one than `pid`."""

    def changed() -> bool:
        return rig.executing_worker() not in (pid, None)

    assert await awaited(rig.store, changed, 20.0), "nobody took the lease over"
    found = rig.executing_worker()
    assert found is not None
    return found


async def a_round(rig: ScriptedRig, clients: Sequence[TaskClient], number: int) -> Mapping[str, str]:
    """Stop the executing worker and one server while two tasks are in flight; return prompt and report.

    Who takes over ends the stopped worker; the server goes on afterwards.
    """
    stopped_server, client = clients[number % 2], clients[1 - number % 2]
    gate, command = f"round-{number}", f"echo {number}"
    working, asking = prompt(f"wait {gate}", "say Worked."), prompt(f"ask {command}", "say Asked.")
    first, second = await stopped_server.submit(working), await client.submit(asking)
    await client.wait_until(first["operationId"], "running")
    question = await client.question(second["operationId"])
    assert stopped_server.server_pid is not None
    stopped = [await holder_other_than(rig, None), stopped_server.server_pid]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        await holder_other_than(rig, stopped[0])
        # The stopped worker has this news in its socket, and acts on it as soon as it can.
        await rig.model.gates.open(gate)
        ended = await client.wait_until(first["operationId"], "completed")
    finally:
        os.kill(stopped_server.server_pid, signal.SIGCONT)
    assert await asyncio.to_thread(ends, stopped[0]), "it could still write to Codex"
    await stopped_server.answer(question, decision="accept")
    return {
        working: report(ended),
        asking: report(await client.wait_until(second["operationId"], "completed")),
    }


async def test_there_is_one_holder_at_a_time_and_no_commit_by_a_stale_one() -> None:
    """Whoever is stopped for longer than its lease does nothing more; nothing is lost or done twice."""
    async with scripted_rig(**SETTINGS) as rig, rig.open_client() as one, rig.open_client() as other:
        workers: list[Process] = [await rig.start_worker()]
        reports: dict[str, str] = {}
        for number in range(ROUNDS):
            workers.append(await rig.start_worker())
            reports |= await a_round(rig, (one, other), number)
        assert sorted(reports.values()) == ["Asked."] * ROUNDS + ["Worked."] * ROUNDS
        assert {rig.times_seen(text) for text in reports} == {1}
        assert [await worker.wait() for worker in workers[:-1]] == [-signal.SIGKILL] * ROUNDS
        assert workers[-1].returncode is None
        with rig.store.read() as reader:
            journal = reader.journal(limit=100_000)
        assert len(holders(journal)) > ROUNDS
        assert first_usurpation(journal) is None
        assert await asyncio.to_thread(first_violation, rig.store.path) is None
