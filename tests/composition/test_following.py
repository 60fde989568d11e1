"""Every order in which the tasks of a plan workflow may change, and what the workflow makes of it."""

from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

from codex_control_plane_codegen.analysis import analyse
from codex_control_plane_codegen.facts import Facts, FollowFacts
from composition.transactions import REPOSITORY

TURNLESS: Final = ("steer", "fork")
"""Events of tasks without a turn of their own; those of a workflow have one."""


def spec() -> FollowFacts:
    """Return how plan workflows follow their tasks."""
    follows = Facts(analyse(REPOSITORY).model).follows("plan_workflow")
    assert follows is not None
    return follows


FOLLOWS: Final = spec()
WORKFLOW: Final = FOLLOWS.follower
TASK: Final = FOLLOWS.followed
ENDED: Final = frozenset(WORKFLOW.groups["ended"])
PLANNED: Final = frozenset(WORKFLOW.groups["planned"])
TASK_ENDED: Final = frozenset(TASK.groups["ended"])


class Standing(NamedTuple):
    """A workflow and its two tasks; the second one is empty before the approval."""

    workflow: str
    plan: str
    execution: str


START: Final = Standing("planning", "queued", "")


def followed(workflow: str, role: str, task: str) -> Iterator[str]:
    """Yield where a workflow may be after a task has come into a state."""
    events = FOLLOWS.roles[role][task]
    raised = [event for event in events if (workflow, event) in WORKFLOW.targets]
    for event in raised:
        yield WORKFLOW.targets[workflow, event]
    if not raised or "nothing" in events:
        yield workflow


def changes(task: str) -> Iterator[str]:
    """Yield the states that a task may come into from another one."""
    for (source, event), target in TASK.targets.items():
        if source == task != target and event not in TURNLESS:
            yield target


def steps(at: Standing) -> Iterator[Standing]:
    """Yield what may come next: a change of a task, or a decision of a client."""
    for task in changes(at.plan):
        for workflow in followed(at.workflow, "plan", task):
            yield Standing(workflow, task, at.execution)
    if at.execution:
        for task in changes(at.execution):
            for workflow in followed(at.workflow, "execution", task):
                yield Standing(workflow, at.plan, task)
    for workflow in followed(at.workflow, "discussion", "completed"):
        yield at._replace(workflow=workflow)
    for event in ("adopt", "stop"):
        if at.workflow in PLANNED:
            yield at._replace(workflow=WORKFLOW.targets[at.workflow, event])
    if (target := WORKFLOW.targets.get((at.workflow, "approve"))) is not None:
        yield Standing(target, at.plan, "queued")


@cache
def explored() -> dict[Standing, frozenset[Standing]]:
    """Return every standing that can be reached, each with what may come next."""
    found: dict[Standing, frozenset[Standing]] = {}
    waiting = [START]
    while waiting:
        at = waiting.pop()
        if at not in found:
            found[at] = frozenset(steps(at))
            waiting += found[at]
    return found


def test_a_workflow_is_never_behind_its_tasks() -> None:
    """In every standing, what the tasks raise has happened."""
    for at in explored():
        for role, task in (("plan", at.plan), ("execution", at.execution)):
            events = FOLLOWS.roles[role][task] if task else ()
            assert not any((at.workflow, event) in WORKFLOW.targets for event in events), at


def test_a_workflow_ends_when_its_last_task_has_ended() -> None:
    """No task is at work for a workflow that has ended, and none has to be for one that executes."""
    for at in explored():
        last = at.execution or at.plan
        if at.workflow in ENDED:
            assert last in TASK_ENDED, at
        elif last in TASK_ENDED:
            assert at.workflow in PLANNED, at


def test_a_workflow_shows_what_its_task_waits_for() -> None:
    """It waits for a person exactly while its task does, or while a plan is there to be decided on."""
    for at in explored():
        last = at.execution or at.plan
        if at.workflow not in PLANNED:
            asks = TASK.states[last].waits_for == "human"
            assert (WORKFLOW.states[at.workflow].waits_for == "human") == asks, at


def test_every_workflow_can_end() -> None:
    """From wherever it is, whatever it has been through."""
    before: defaultdict[Standing, set[Standing]] = defaultdict(set)
    for at, following in explored().items():
        for later in following:
            before[later].add(at)
    ending = [at for at in explored() if at.workflow in ENDED]
    reaching: set[Standing] = set()
    while ending:
        at = ending.pop()
        if at not in reaching:
            reaching.add(at)
            ending += before[at]
    assert reaching == set(explored())


def test_every_phase_is_met() -> None:
    """The exploration leaves no state of the workflow out."""
    assert {at.workflow for at in explored()} == set(WORKFLOW.states)
