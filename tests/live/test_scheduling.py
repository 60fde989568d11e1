"""A crowd of tasks on a real Codex: within the limits, through the death of a worker, nobody left behind."""

import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import cast

import pytest

from codex_control_plane_contract.lifecycles import operation
from codex_control_plane_contract.records import JournalRow
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.testing.crashes.verdict import awaited
from codex_control_plane_mcp.testing.evidence import report
from codex_control_plane_mcp.testing.prompts import prompt
from codex_control_plane_mcp.testing.rig import ScriptedRig, scripted_rig

pytestmark = [pytest.mark.live, pytest.mark.anyio]

TASKS = 30
PROJECTS = ("shop", "site", "tools")
AN_HOUR_MS = 3_600_000
SETTINGS = {
    "CODEX_MCP_EXECUTION_MODE": "client",
    "CODEX_MCP_LEASE_SECONDS": "2",
    "CODEX_MCP_MAX_ACTIVE_TURNS_GLOBAL": "4",
    "CODEX_MCP_MAX_ACTIVE_TURNS_PER_PROJECT": "3",
    "CODEX_MCP_MAX_ACTIVE_WRITE_TURNS_PER_PROJECT": "1",
}
HOLDING = operation.GROUPS["starting"] | operation.GROUPS["in_turn"]
WITHIN = 240.0
"""Longest wait, in seconds, for thirty turns on a machine that has other things to do."""


def wish(number: int) -> JsonObject:
    """Return what a task asks of the scheduler: some write, with every priority, for two agents or none."""
    choice: JsonObject = {
        "priority": ("low", "normal", "high")[number // 3 % 3],
        "sandbox": "workspace-write" if number % 5 in (0, 3) else "read-only",
    }
    if number % 3:
        choice["agent_id"] = f"agent-{number % 3}"
    return choice


def most_at_once(journal: Sequence[JournalRow], key: dict[str, str]) -> Counter[str]:
    """Return, for each value of `key` by operation, how many operations held a slot at once at most."""
    holding: dict[str, set[str]] = defaultdict(set)
    most: Counter[str] = Counter()
    for row in journal:
        if row.entity != "operation" or row.entity_id not in key or row.outcome != "applied":
            continue
        holders = holding[key[row.entity_id]]
        if row.target in HOLDING:
            holders.add(row.entity_id)
        else:
            holders.discard(row.entity_id)
        most[key[row.entity_id]] = max(most[key[row.entity_id]], len(holders))
    return most


async def ended_unwatched(rig: ScriptedRig, operation_id: str) -> operation.Operation:
    """Return a task once it has ended, from the store alone: no client looks."""

    def row() -> operation.Operation:
        with rig.store.read() as reader:
            found = reader.operation(operation_id)
        assert found is not None
        return found

    assert await awaited(rig.store, lambda: row().facts.terminal, WITHIN)
    return row()


async def test_thirty_tasks_share_four_slots_and_none_starves() -> None:
    """Two workers, one of them killed on the way: every task ends, within every limit, and runs once."""
    async with scripted_rig(**SETTINGS) as rig, rig.open_client() as client:
        for name in PROJECTS:
            (rig.project / name).mkdir()
        await rig.start_worker()
        await rig.start_worker()
        texts: dict[str, str] = {}
        wishes: dict[str, JsonObject] = {}
        for number in range(TASKS):
            text, asked = prompt(f"say Task {number}."), wish(number)
            cwd = str(rig.project / PROJECTS[number % len(PROJECTS)])
            task = (await client.submit(text, cwd=cwd, **asked))["operationId"]
            texts[task], wishes[task] = text, asked
        first, *_ = texts
        await client.ended(first, within=WITHIN)
        await rig.kill_worker()
        rows = {task: await client.ended(task, within=WITHIN) for task in texts}
        assert {row["status"] for row in rows.values()} == {"completed"}
        assert [report(row) for row in rows.values()] == [f"Task {number}." for number in range(TASKS)]
        assert {rig.times_seen(text) for text in texts.values()} == {1}
        with rig.store.read() as reader:
            journal = reader.journal(limit=100_000)
        projects = {task: row["projectId"] for task, row in rows.items()}
        writers = {task: projects[task] for task in rows if wishes[task]["sandbox"] != "read-only"}
        assert max(most_at_once(journal, dict.fromkeys(rows, "all")).values()) <= 4
        assert max(most_at_once(journal, projects).values()) <= 3
        assert set(most_at_once(journal, writers).values()) == {1}
        queue = await client.call("codex_get_queue_status")
        assert queue["queueSummary"] == dict.fromkeys(cast("JsonObject", queue["queueSummary"]), 0)


async def test_a_client_that_vanishes_after_submit_finds_its_task_done_an_hour_later() -> None:
    """Its server is killed before any worker runs; its key leads another client to the report."""
    text = prompt("say While you were away.")
    async with scripted_rig(CODEX_MCP_EXECUTION_MODE="client") as rig:
        async with rig.open_client() as client:
            task = await client.submit(text, client_request_id="before-lunch")
            with rig.store.read() as reader:
                submitted = reader.operation(task["operationId"])
            await rig.kill_server(client)
        assert submitted is not None
        worker = (sys.executable, "-P", "-m", "codex_control_plane_mcp.testing.armed", "none", "none", "none")
        await rig.start_worker("worker", "--later", str(AN_HOUR_MS), command=worker)
        done = await ended_unwatched(rig, task["operationId"])
        async with rig.open_client() as client:
            again = await client.submit(text, client_request_id="before-lunch")
            assert again["operationId"] == task["operationId"]
            assert again["idempotent"] is True
            row = await client.status(task["operationId"])
        assert report(row) == "While you were away."
        assert rig.times_seen(text) == 1
        assert done.scheduled_at is not None
        assert done.scheduled_at - submitted.created_at >= AN_HOUR_MS


async def test_tasks_start_one_after_the_other_where_codex_may_have_one_call_to_answer() -> None:
    """Pressure delays starts and stops nothing: whoever waits is taken up when Codex has caught up."""
    async with (
        scripted_rig(CODEX_MCP_MAX_APP_SERVER_PENDING_REQUESTS="1") as rig,
        rig.open_client() as client,
    ):
        texts = [prompt(f"say Task {number}.") for number in range(6)]
        tasks = [(await client.submit(text))["operationId"] for text in texts]
        for task in tasks:
            await client.wait_until(task, "completed", within=WITHIN)
        assert {rig.times_seen(text) for text in texts} == {1}
