"""The reckoning: what became of every promise, once the dust has settled."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from codex_control_plane_contract.lifecycles import operation
from codex_control_plane_mcp.codex.app_server_record import RunningAppServer
from codex_control_plane_mcp.codex.errors import CallRefused
from codex_control_plane_mcp.handlers.known_workflows import AnyWorkflow
from codex_control_plane_mcp.store.conformance import first_violation
from codex_control_plane_mcp.store.succession import first_usurpation
from codex_control_plane_mcp.testing.chaos.promises import Promises
from codex_control_plane_mcp.testing.codex_history import labels
from codex_control_plane_mcp.testing.crashes.verdict import open_rows
from codex_control_plane_mcp.testing.live_app_server import start_live
from codex_control_plane_mcp.testing.rig import ScriptedRig

_JOURNAL_LIMIT = 10_000_000


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What is wrong, in sentences: promises lost, prompts that ran twice, rows that are stuck, rules broken.

    `endings` counts the operations by how they ended, `workflow_endings` the workflows.
    """

    endings: Mapping[str, int]
    workflow_endings: Mapping[str, int]
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    stuck: tuple[str, ...]
    broken: tuple[str, ...]

    @property
    def complaints(self) -> tuple[str, ...]:
        """All that is wrong."""
        return (*self.lost, *self.doubled, *self.stuck, *self.broken)


Audit: TypeAlias = Callable[[Path], Sequence[str]]
"""Looks at a state file for what else may be wrong with it."""


def no_audit(_state_file: Path) -> Sequence[str]:
    """Return nothing."""
    return ()


async def reckon(rig: ScriptedRig, promises: Promises, audit: Audit) -> Reckoning:
    """Return what became of the operations in `promises`; nothing may kill any more."""
    running = await rig.app_server() or await start_live(rig.state_directory, rig.home)
    rows = {name: _row(rig, name) for name in promises.messages}
    workflows = {name: _workflow(rig, name) for name in promises.workflows}
    return Reckoning(
        endings=Counter(row.state for row in rows.values() if row is not None),
        workflow_endings=Counter(row.state for row in workflows.values() if row is not None),
        lost=(*_lost(rig, promises, rows), *_gone(workflows)),
        doubled=(*_seen_twice(rig, promises), *await _recorded_twice(rig, running, promises)),
        stuck=tuple(_stuck(rig, {**rows, **workflows})),
        broken=(*await asyncio.to_thread(_broken, rig), *await asyncio.to_thread(audit, rig.store.path)),
    )


def _row(rig: ScriptedRig, operation_id: str) -> operation.Operation | None:
    with rig.store.read() as reader:
        return reader.operation(operation_id)


def _workflow(rig: ScriptedRig, workflow_id: str) -> AnyWorkflow | None:
    with rig.store.read() as reader:
        return reader.plan_workflow(workflow_id) or reader.review_workflow(workflow_id)


def _gone(workflows: Mapping[str, AnyWorkflow | None]) -> list[str]:
    """Return the workflows that are gone; how the others ended is compared with their tasks (`follows`)."""
    return [f"{name} was acknowledged and is gone" for name, row in workflows.items() if row is None]


def _lost(rig: ScriptedRig, promises: Promises, rows: Mapping[str, operation.Operation | None]) -> list[str]:
    """Return the operations that are gone, or ended short of their goal without an explanation."""
    wrong: list[str] = []
    for name, row in rows.items():
        reached = not promises.messages[name] or _reached_the_model(rig, promises.messages[name])
        if row is None:
            wrong.append(f"{name} was acknowledged and is gone")
        elif isinstance(row, operation.Completed) or _heard_out(row, promises, rows):
            if not reached:
                wrong.append(f"{name} is {row.state} and its prompt never reached the model")
        elif _was_kept_from_the_model(row, stopped=name in promises.to_be_stopped):
            if reached:
                wrong.append(f"{name} is {row.state} and its prompt reached the model")
        elif row.facts.terminal and not _explained(row, stopped=name in promises.to_be_stopped):
            wrong.append(f"{name} ended {row.state}: {row.last_error}")
    return wrong


def _heard_out(
    row: operation.Operation, promises: Promises, rows: Mapping[str, operation.Operation | None]
) -> bool:
    """Return whether words were taken into a turn that came to its end, so that the model has had them."""
    target = rows.get(promises.steered.get(row.operation_id, ""))
    if not isinstance(row, operation.Steered) or not isinstance(target, operation.Completed):
        return False
    return row.expected_turn_id == target.turn_id


def _was_kept_from_the_model(row: operation.Operation, *, stopped: bool) -> bool:
    """Return whether a task was taken back in time, or words were refused because their turn was over."""
    if isinstance(row, operation.Failed):
        return row.last_error["code"] == "CODEX_TURN_NOT_FOUND"
    return stopped and isinstance(row, operation.Cancelled)


def _reached_the_model(rig: ScriptedRig, message: str) -> bool:
    """Return whether the model was given the message, if only as what came before it was told to go on."""
    return any(message in (one.user_text, *one.earlier_texts) for one in rig.model.requests)


def _explained(row: operation.Operation, *, stopped: bool) -> bool:
    """Return whether an end short of the goal was asked for, or names the death of the app-server."""
    if isinstance(row, operation.Steered | operation.Forked):
        return True
    if stopped and isinstance(row, operation.Interrupted):
        return True
    broke_off = isinstance(row, operation.Interrupted | operation.UnknownAfterAppServerExit)
    return broke_off and row.last_error is not None


def _seen_twice(rig: ScriptedRig, promises: Promises) -> list[str]:
    seen = rig.seen()
    return [
        f"the model saw the prompt of {name} {seen[message]} times"
        for name, message in promises.messages.items()
        if message and seen.get(message, 0) > 1
    ]


async def _recorded_twice(rig: ScriptedRig, running: RunningAppServer, promises: Promises) -> list[str]:
    """Look for labels that Codex's own history has twice, and for messages under two labels.

    A copy of a thread holds the labels of its source, so each is looked for where it was sent to.
    """
    calls = {name: _prompt_calls(rig, name) for name in promises.messages}
    threads = {thread for each in calls.values() for _, thread in each}
    recorded = {thread: Counter(await _labels(running, thread)) for thread in threads}
    wrong: list[str] = []
    for name, labelled in calls.items():
        with rig.store.read() as reader:
            row = reader.operation(name)
        carried_on = row.continuation_count if row is not None else 0
        times = {label: recorded[thread][label] for label, thread in labelled}
        wrong += [f"Codex has the label {label} {count} times" for label, count in times.items() if count > 1]
        prompts = sum(times.values())
        if prompts > 1 + carried_on:
            wrong.append(f"Codex has {prompts} prompts of {name}, which was carried on {carried_on} times")
    return wrong


def _prompt_calls(rig: ScriptedRig, operation_id: str) -> Sequence[tuple[str, str]]:
    """Return the labels of an operation's prompts or words, each with the thread that it was sent to."""
    with rig.store.read() as reader:
        attempts = [
            *reader.attempts_of(operation_id, "turn_start"),
            *reader.attempts_of(operation_id, "turn_steer"),
        ]
    return [(one.attempt_id, one.thread_id) for one in attempts if one.thread_id is not None]


async def _labels(running: RunningAppServer, thread_id: str) -> list[str]:
    try:
        return await labels(running, thread_id)
    except CallRefused:
        # A thread that never got a turn, or whose file a kill left empty.
        return []


def _stuck(rig: ScriptedRig, rows: Mapping[str, operation.Operation | AnyWorkflow | None]) -> list[str]:
    wrong = [
        f"{name} is still {row.state}"
        for name, row in rows.items()
        if row is not None and not row.facts.terminal
    ]
    return [*wrong, *(f"{count} {name} still open" for name, count in open_rows(rig.store).items())]


def _broken(rig: ScriptedRig) -> list[str]:
    """Return what the journal says that the spec, or the lease, forbids."""
    violation = first_violation(rig.store.path)
    with rig.store.read() as reader:
        usurpation = first_usurpation(reader.journal(limit=_JOURNAL_LIMIT))
    return [str(fault) for fault in (violation, usurpation) if fault is not None]
