"""Versions: a newer server beside an older worker; the turns change hands and notice nothing."""

from pathlib import Path

import pytest

from codex_control_plane_contract.lifecycles import worker
from codex_control_plane_mcp.testing.evidence import report
from codex_control_plane_mcp.testing.prompts import prompt
from codex_control_plane_mcp.testing.rig import ScriptedRig, scripted_rig
from codex_control_plane_mcp.testing.versions import as_version
from codex_control_plane_mcp.version import program_version

pytestmark = [pytest.mark.live, pytest.mark.anyio]


def rows(rig: ScriptedRig, version: str) -> list[worker.Worker]:
    """Return the workers of a version that have ever lived."""
    with rig.store.read() as reader:
        ids = {entry.entity_id for entry in reader.journal(limit=10_000) if entry.entity == "worker"}
        found = [reader.worker(one) for one in ids]
    return [row for row in found if row is not None and row.version == version]


async def test_an_older_worker_hands_its_turns_over_to_a_newer_one(tmp_path: Path) -> None:
    """A newer server has it leave: the running turn and the open question go on, each prompt is sent once."""
    working, asking = prompt("wait shift", "say Same turn."), prompt("ask echo shift", "say Same question.")
    async with scripted_rig() as rig, rig.open_client(CODEX_MCP_EXECUTION_MODE="client") as client:
        old = await rig.start_worker(**as_version("0.0.1", tmp_path))
        first, second = await client.submit(working), await client.submit(asking)
        await client.wait_until(first["operationId"], "running")
        question = await client.question(second["operationId"])
        async with rig.open_client() as newer:
            assert await old.wait() == 0
            await newer.answer(question, decision="accept")
            assert report(await newer.wait_until(second["operationId"], "completed")) == "Same question."
            await rig.model.gates.open("shift")
            assert report(await newer.wait_until(first["operationId"], "completed")) == "Same turn."
        [left] = rows(rig, "0.0.1")
        assert isinstance(left, worker.Stopped)
        assert (left.stop_reason, left.successor_version) == ("handover", program_version())
        [successor] = rows(rig, program_version())
        assert isinstance(successor, worker.Executing)
        assert (rig.times_seen(working), rig.times_seen(asking)) == (1, 1)


async def test_an_older_server_leaves_a_newer_worker_in_its_place(tmp_path: Path) -> None:
    """Otherwise two installations would send each other's workers away for ever."""
    async with scripted_rig() as rig, rig.open_client(CODEX_MCP_EXECUTION_MODE="client") as client:
        newer = await rig.start_worker(**as_version("99.0", tmp_path))
        await client.wait_until((await client.submit(prompt("say Mine.")))["operationId"], "completed")
        async with rig.open_client() as older:
            task = await older.submit(prompt("say Stayed."))
            await older.wait_until(task["operationId"], "completed")
        assert newer.returncode is None
        assert rig.executing_worker() == newer.pid
        assert rows(rig, program_version()) == []
