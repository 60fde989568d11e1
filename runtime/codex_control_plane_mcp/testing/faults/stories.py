"""Every message that is used here, and the story in which it passes between worker and Codex."""

import asyncio
from collections.abc import Mapping
from typing import Final, get_args

from codex_control_plane_contract.codex import METHODS, REFUSED_REQUESTS, Notification, ServerRequestParams
from codex_control_plane_mcp.testing.crashes.stage import Stage
from codex_control_plane_mcp.testing.crashes.stories import (
    branches,
    goals,
    losses,
    questions,
    reviews,
    tasks,
    threads,
)
from codex_control_plane_mcp.testing.crashes.stories.story import Tell
from codex_control_plane_mcp.testing.faults.fault import Subject


async def ask_to_change_a_file(stage: Stage) -> None:
    """A change outside of the sandbox, which is allowed."""
    target = stage.rig.directory / stage.new_gate()
    operation_id = await stage.submit(f"patch {target} changed", "say Done.")
    async with stage.trapped_worker():
        await stage.client.answer(await stage.question(operation_id), decision="accept")
        await stage.ended(operation_id)


async def ask_for_permissions(stage: Stage) -> None:
    """A wish for more permissions, which are granted."""
    operation_id = await stage.submit("widen /srv", "say Done.")
    async with stage.trapped_worker():
        question = await stage.question(operation_id)
        await stage.client.answer(question, permissions={"fileSystem": {"write": ["/srv"]}}, scope="turn")
        await stage.ended(operation_id)


async def fall_silent(stage: Stage) -> None:
    """A turn on which nothing is heard for a while, because the model thinks."""
    gate = stage.new_gate()
    operation_id = await stage.submit(f"wait {gate}", "say Done.")
    async with stage.trapped_worker() as wire:
        await stage.sprung(wire)
        await stage.rig.model.gates.open(gate)
        await stage.ended(operation_id)


async def run_many_tasks(stage: Stage) -> None:
    """Tasks of several kinds at once, some of which ask."""
    silent = [await stage.submit("run true", "say Done.", title="A name") for _ in range(3)]
    asking = [await stage.submit("ask echo leave", "say Done.") for _ in range(3)]

    async def see_through(operation_id: str) -> None:
        await stage.client.answer(await stage.question(operation_id), decision="accept")
        await stage.ended(operation_id)

    async with stage.trapped_worker():
        await asyncio.gather(*map(see_through, asking), *map(stage.ended, silent))


NOTIFICATIONS: Final[tuple[str, ...]] = tuple(each.method for each in get_args(Notification))
"""Every notification that is listened to."""

QUESTIONS: Final[tuple[str, ...]] = (
    *(each.method for each in get_args(ServerRequestParams)),
    *REFUSED_REQUESTS,
)
"""Every server request that is answered or refused."""

SUBJECTS: Final[tuple[Subject, ...]] = (
    *(Subject("request", method) for method in METHODS),
    *(Subject("reply", method) for method in METHODS),
    *(Subject("notification", method) for method in NOTIFICATIONS),
    *(Subject("question", method) for method in QUESTIONS),
    *(Subject("answer", method) for method in QUESTIONS),
)
"""Every message between a worker and Codex, as the spec has them."""

STORY_OF: Final[Mapping[str, Tell]] = {
    "account/rateLimits/updated": tasks.run_a_task,
    "account/read": tasks.run_a_task,
    "error": tasks.fail_a_turn,
    "initialize": tasks.run_a_task,
    "item/commandExecution/requestApproval": questions.ask_for_approval,
    "item/completed": tasks.run_a_task,
    "item/fileChange/requestApproval": ask_to_change_a_file,
    "item/permissions/requestApproval": ask_for_permissions,
    "item/started": ask_to_change_a_file,
    "item/tool/requestUserInput": questions.ask_a_question,
    "review/start": reviews.review,
    "serverRequest/resolved": questions.ask_for_approval,
    "thread/archive": threads.act_on_a_thread,
    "thread/backgroundTerminals/clean": tasks.stop_a_turn,
    "thread/compact/start": threads.act_on_a_thread,
    "thread/fork": branches.fork_a_thread,
    "thread/goal/clear": goals.keep_a_goal,
    "thread/goal/cleared": goals.keep_a_goal,
    "thread/goal/get": goals.keep_a_goal,
    "thread/goal/set": goals.keep_a_goal,
    "thread/goal/updated": goals.keep_a_goal,
    "thread/name/set": tasks.run_a_task,
    "thread/read": fall_silent,
    "thread/resume": losses.lose_the_worker_with_a_prompt_sent,
    "thread/start": tasks.run_a_task,
    "thread/status/changed": tasks.run_a_task,
    "thread/tokenUsage/updated": tasks.run_a_task,
    "thread/turns/list": losses.lose_the_worker_with_a_prompt_sent,
    "thread/unarchive": threads.act_on_a_thread,
    "thread/unsubscribe": tasks.run_a_task,
    "turn/completed": tasks.run_a_task,
    "turn/interrupt": tasks.stop_a_turn,
    "turn/start": tasks.run_a_task,
    "turn/started": tasks.stop_a_turn,
    "turn/steer": branches.steer_a_turn,
}
"""The story in which messages about a method pass."""

NEVER_PASSES: Final[Mapping[str, str]] = {
    "account/chatgptAuthTokens/refresh": "Codex asks it only of a client that brought a login of its own.",
    "applyPatchApproval": "Codex asks it only over the old protocol.",
    "attestation/generate": "Codex asks it only of a client that says it can attest.",
    "execCommandApproval": "Codex asks it only over the old protocol.",
    "item/tool/call": "Codex asks it only of a client that offered tools.",
    "mcpServer/elicitation/request": "It takes an MCP server in Codex, which the stage does not have.",
}
"""Messages that do not pass on the stage, with the reason."""
