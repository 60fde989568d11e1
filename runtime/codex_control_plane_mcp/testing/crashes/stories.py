"""Stories: what a person and an operator do, so that a process passes the points of certain events and calls.

A story says where the process with the trap lives, and does not know when it dies.
"""

import shutil
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from codex_control_plane_contract.fail_points import FAIL_POINTS, FailPoint
from codex_control_plane_mcp.process_identity import ProcessIdentity
from codex_control_plane_mcp.store import LeaseKeeper
from codex_control_plane_mcp.testing.crashes.stage import Stage
from codex_control_plane_mcp.testing.evidence import thread_of
from codex_control_plane_mcp.testing.versions import as_version

Tell: TypeAlias = Callable[[Stage], Awaitable[None]]

_AN_HOUR_MS: Final = 3600 * 1000
"""After this time a question has been declined."""

_NO_THREAD: Final = "019b2f10-7c3e-7a51-8c67-2f4d8c0e6a01"
LONGEST_WAIT: Final = 120
"""How long a call may wait for what a worker that dies on the way has to do."""

_EIGHT_DAYS_MS: Final = 8 * 24 * 3600 * 1000
"""After this time an order that could not be carried out has been given up."""


@dataclass(frozen=True, slots=True)
class Story:
    """How it is told, and the subjects (``lifecycle.event``, ``codex.method``) whose points it passes."""

    tell: Tell
    subjects: tuple[str, ...]
    by_server: bool = False
    """Whether the trap is in a server; else it is in the worker."""


async def run_a_task(stage: Stage) -> None:
    """A task on a new thread, from the queue to its report."""
    async with stage.trapped_worker():
        await stage.ended(await stage.submit("say Done.", title="A name"))


async def bury_a_worker(stage: Stage) -> None:
    """A worker that finds another one on record whose process is gone."""
    await stage.worker_dies_at("worker.execute.committed")
    async with stage.trapped_worker():
        await stage.ended(await stage.submit("say Done."))


async def ask_for_approval(stage: Stage) -> None:
    """A command that needs leave, which is given."""
    operation_id = await stage.submit("ask echo leave", "say Done.")
    async with stage.trapped_worker():
        await stage.client.answer(await stage.question(operation_id), decision="accept")
        await stage.ended(operation_id)


async def ask_a_question(stage: Stage) -> None:
    """A question to a person, which is answered."""
    operation_id = await stage.submit("question Shall I?", "say Done.")
    async with stage.trapped_worker():
        await stage.client.answer(await stage.question(operation_id), answers={"answer": ["Yes"]})
        await stage.ended(operation_id)


async def let_a_question_lapse(stage: Stage) -> None:
    """A question that nobody answers in time."""
    operation_id = await stage.submit("ask touch never", "say Done.")
    await stage.start_worker()
    await stage.question(operation_id)
    await stage.kill_worker()
    async with stage.trapped_worker("--later", str(_AN_HOUR_MS)):
        await stage.ended(operation_id)


async def stop_a_turn(stage: Stage) -> None:
    """A turn that never ends by itself, and is stopped."""
    operation_id = await stage.submit("wait never", ends=["interrupted"])
    async with stage.trapped_worker():
        await stage.client.wait_until(operation_id, "running")
        await stage.client.interrupt(operation_id)
        await stage.ended(operation_id)


async def stop_a_question(stage: Stage) -> None:
    """A turn that is stopped while its question is open."""
    operation_id = await stage.submit("ask touch never", ends=["interrupted"])
    async with stage.trapped_worker():
        await stage.question(operation_id)
        await stage.client.interrupt(operation_id)
        await stage.ended(operation_id)


async def fail_a_turn(stage: Stage) -> None:
    """A turn that the model's fault ends."""
    operation_id = await stage.submit("fail 500", ends=["failed"])
    async with stage.trapped_worker():
        await stage.ended(operation_id)


async def refuse_a_thread(stage: Stage) -> None:
    """A Codex that cannot read its configuration, until somebody corrects it."""
    with stage.broken_configuration():
        operation_id = await stage.submit("say Done.")
        async with stage.trapped_worker() as wire:
            await stage.has_fault(operation_id)
            await stage.sprung(wire)
            stage.correct_configuration()
            await stage.ended(operation_id)


async def stop_a_start(stage: Stage) -> None:
    """A task that is to be stopped while no worker lives, before its prompt was sent."""
    operation_id = await stage.submit("say Never.", ends=["cancelled"])
    await stage.worker_dies_at("codex.thread/start.before_send")
    await stage.client.interrupt(operation_id, timeout_seconds=1)
    async with stage.trapped_worker():
        await stage.ended(operation_id)


async def lose_the_worker_with_a_prompt_sent(stage: Stage) -> None:
    """A prompt whose worker died before it took notice of the reply; Codex runs it."""
    operation_id = await stage.submit("say Done.")
    # Any earlier, and Codex may drop the request together with the connection.
    await stage.worker_dies_at("codex.turn/start.reply_late")
    async with stage.trapped_worker():
        await stage.ended(operation_id)


async def lose_the_worker_with_a_prompt_on_record(stage: Stage) -> None:
    """A prompt whose worker died before it sent it."""
    operation_id = await stage.submit("say Done.")
    await stage.worker_dies_at("codex.turn/start.before_send")
    async with stage.trapped_worker():
        await stage.ended(operation_id)


async def lose_the_app_server_with_a_question(stage: Stage) -> None:
    """A question that nobody can answer any more."""
    operation_id = await stage.submit("ask touch never", ends=["interrupted"])
    await stage.start_worker()
    await stage.question(operation_id)
    await stage.kill_worker()
    await stage.rig.kill_app_server()
    async with stage.trapped_worker():
        await stage.ended(operation_id)


async def lose_the_thread(stage: Stage) -> None:
    """An app-server that dies, and a successor that finds no thread."""
    operation_id = await stage.submit("wait never", ends=["unknown_after_app_server_exit"])
    await stage.start_worker()
    await stage.client.wait_until(operation_id, "running")
    await stage.kill_worker()
    await stage.rig.kill_app_server()
    shutil.rmtree(stage.rig.home / "sessions")
    async with stage.trapped_worker():
        await stage.ended(operation_id)


async def carry_a_task_on(stage: Stage) -> None:
    """An app-server that dies with a task in it that is to go on in another turn."""
    gate = stage.new_gate()
    operation_id = await stage.submit(f"wait {gate}\nnext: say Done.", recovery_policy="continue")
    await stage.start_worker()
    await stage.held(gate)
    await stage.client.wait_until(operation_id, "running")
    await stage.kill_worker()
    await stage.rig.kill_app_server()
    async with stage.trapped_worker():
        await stage.ended(operation_id)


async def meet_the_usage_limit(stage: Stage) -> None:
    """A task that waits for the reset of the usage limit, and is stopped meanwhile."""
    stage.rig.model.quota.exhaust(_AN_HOUR_MS / 1000)
    operation_id = await stage.submit("say Never.", ends=["interrupted"])
    async with stage.trapped_worker():
        await stage.client.wait_until(operation_id, "waiting_for_quota")
    await stage.client.interrupt(operation_id)
    await stage.ended(operation_id)


async def outwait_the_usage_limit(stage: Stage) -> None:
    """A task that goes on after the reset of the usage limit."""
    operation_id = await _limited(stage, "say Done.\nnext: say Done.", ends=["completed"])
    stage.rig.model.quota.restore()
    async with stage.trapped_worker("--later", str(2 * _AN_HOUR_MS)):
        await stage.ended(operation_id)


async def stop_at_the_usage_limit(stage: Stage) -> None:
    """A task that waits for the usage limit and is stopped."""
    operation_id = await _limited(stage, "say Never.", ends=["interrupted"])
    async with stage.trapped_server() as client:
        await stage.insist(client.interrupt(operation_id))
    await stage.ended(operation_id)


async def lose_the_lease(stage: Stage) -> None:
    """A worker whose lease another one takes while a turn runs."""
    operation_id = await stage.submit("wait never", ends=["interrupted"])
    async with stage.trapped_worker() as wire:
        await stage.client.wait_until(operation_id, "running")
        thief = _thief(stage)
        await stage.sprung(wire)
        thief.release()
        await stage.client.interrupt(operation_id)
        await stage.ended(operation_id)


async def end_the_worker(stage: Stage) -> None:
    """A worker that is asked to end while a turn runs."""
    operation_id = await stage.submit("wait never", ends=["interrupted"])
    async with stage.trapped_worker() as wire:
        await stage.client.wait_until(operation_id, "running")
        stage.worker.send_signal(signal.SIGTERM)
        await stage.sprung(wire)
        await stage.client.interrupt(operation_id)
        await stage.ended(operation_id)


async def hand_over(stage: Stage) -> None:
    """A worker of an older version that a newer server asks to leave."""
    await stage.start_worker(**as_version("0.0.1", stage.rig.directory / "versions"))
    await stage.ended(await stage.submit("say Done."))
    async with stage.trapped_server(CODEX_MCP_EXECUTION_MODE="inline") as client:
        operation_id = await stage.submit("say Done.", by=client)
    # Asked to leave by a server that broke before it could start a successor: the next server starts one.
    await stage.start_worker()
    await stage.ended(operation_id)
    await stage.end_strangers()


async def give_an_answer_up(stage: Stage) -> None:
    """An answer that no worker could deliver for a week."""
    operation_id = await stage.submit("ask touch never", ends=["interrupted"])
    await stage.start_worker()
    question = await stage.question(operation_id)
    await stage.kill_worker()
    await stage.leave_answered(question)
    async with stage.trapped_worker("--later", str(_EIGHT_DAYS_MS)):
        await stage.has_ended(question)
    await stage.kill_worker()
    await stage.start_worker()
    await stage.client.interrupt(operation_id)
    await stage.ended(operation_id)


async def steer_a_turn(stage: Stage) -> None:
    """Words for a turn that runs; it ends with them, or without them if they were lost."""
    gate = stage.new_gate()
    operation_id = await stage.submit(f"wait {gate}", "say Not steered.")
    async with stage.trapped_worker():
        turn = await stage.client.turn_of(operation_id, within=stage.patience)
        await stage.held(gate)
        steer = await stage.steer(turn, "say Steered.")
        await stage.called(steer, "turn_steer")
        await stage.rig.model.gates.open(gate)
        await stage.ended(steer)
        await stage.ended(operation_id)


async def fork_a_thread(stage: Stage) -> None:
    """A copy of a thread, with which nothing is done."""
    operation_id = await stage.submit("say Done.")
    async with stage.trapped_worker():
        row = await stage.client.ended(operation_id, within=stage.patience)
        await stage.ended(await stage.fork(thread_of(row)))


async def submit_by_a_server(stage: Stage) -> None:
    """A task that is submitted again when the server breaks."""
    await stage.start_worker()
    async with stage.trapped_server() as client:
        operation_id = await stage.submit("say Done.", by=client)
    await stage.ended(operation_id)


async def cancel_by_a_server(stage: Stage) -> None:
    """A queued task that is taken back."""
    operation_id = await stage.submit("say Never.", ends=["cancelled"])
    async with stage.trapped_server() as client:
        await stage.insist(client.interrupt(operation_id))
    await stage.ended(operation_id)


async def stop_by_a_server(stage: Stage) -> None:
    """A running turn that is stopped."""
    operation_id = await stage.submit("wait never", ends=["interrupted"])
    await stage.start_worker()
    await stage.client.wait_until(operation_id, "running")
    async with stage.trapped_server() as client:
        await stage.insist(client.interrupt(operation_id))
    await stage.ended(operation_id)


async def answer_by_a_server(stage: Stage) -> None:
    """A question that is answered."""
    operation_id = await stage.submit("ask echo leave", "say Done.")
    await stage.start_worker()
    question = await stage.question(operation_id)
    async with stage.trapped_server() as client:
        await stage.insist(client.answer(question, decision="accept"))
    await stage.ended(operation_id)


async def act_on_a_thread(stage: Stage) -> None:
    """A thread that is archived, put back and compacted."""
    thread = await _rested_thread(stage)
    async with stage.trapped_worker():
        await stage.client.archive(thread, timeout_seconds=LONGEST_WAIT)
        await stage.client.unarchive(thread, timeout_seconds=LONGEST_WAIT)
        begun = await stage.client.compact(thread)
        await stage.client.action_ended(begun["actionId"], within=stage.patience)


async def act_on_no_thread(stage: Stage) -> None:
    """A thread that Codex does not know."""
    async with stage.trapped_worker():
        await stage.insist(stage.client.archive(_NO_THREAD, timeout_seconds=LONGEST_WAIT))


async def lose_a_compaction(stage: Stage) -> None:
    """An app-server that dies in the middle of a compaction."""
    gate = stage.new_gate()
    thread = await _rested_thread(stage, f"\nnext: wait {gate}")
    await stage.start_worker()
    begun = await stage.client.compact(thread)
    await stage.held(gate)
    await stage.kill_worker()
    await stage.rig.kill_app_server()
    async with stage.trapped_worker():
        await stage.client.action_ended(begun["actionId"], within=stage.patience)


async def archive_by_a_server(stage: Stage) -> None:
    """A thread that is archived, and put back for the verdict."""
    thread = await _rested_thread(stage)
    await stage.start_worker()
    async with stage.trapped_server() as client:
        await stage.insist(client.archive(thread))
    await stage.client.archive(thread)
    await stage.client.unarchive(thread)


STORIES: Final = (
    Story(
        run_a_task,
        (
            "attempt.accept",
            "attempt.prepare",
            "attempt.send",
            "codex.thread/start",
            "codex.turn/start",
            "operation.claim",
            "operation.complete",
            "operation.open_thread",
            "operation.open_turn",
            "operation.run",
            "turn.begin",
            "turn.complete",
            "worker.execute",
            "worker.register",
        ),
    ),
    Story(bury_a_worker, ("worker.lose",)),
    Story(
        ask_for_approval,
        (
            "codex.answer",
            "interaction.ask",
            "interaction.confirm",
            "operation.ask_approval",
            "operation.resume",
            "turn.ask_approval",
            "turn.resume",
            "worker_command.complete",
            "worker_command.take",
        ),
    ),
    Story(ask_a_question, ("operation.ask_user_input", "turn.ask_user_input")),
    Story(let_a_question_lapse, ("interaction.lapse",)),
    Story(
        stop_a_turn,
        (
            "codex.thread/backgroundTerminals/clean",
            "codex.turn/interrupt",
            "operation.interrupt",
            "turn.interrupt",
        ),
    ),
    Story(stop_a_question, ("interaction.expire",)),
    Story(fail_a_turn, ("operation.fail", "turn.fail")),
    Story(refuse_a_thread, ("attempt.refuse", "operation.requeue")),
    Story(stop_a_start, ("operation.withdraw",)),
    Story(
        lose_the_worker_with_a_prompt_sent,
        ("attempt.doubt", "codex.thread/resume", "codex.thread/turns/list"),
    ),
    Story(lose_the_worker_with_a_prompt_on_record, ("attempt.void",)),
    Story(lose_the_app_server_with_a_question, ("interaction.orphan",)),
    Story(lose_the_thread, ("operation.lose", "turn.lose")),
    Story(carry_a_task_on, ("operation.carry_on",)),
    Story(meet_the_usage_limit, ("operation.await_quota",)),
    Story(outwait_the_usage_limit, ("operation.replenish",)),
    Story(stop_at_the_usage_limit, ("operation.stop",), by_server=True),
    Story(lose_the_lease, ("worker.yield_lease",)),
    Story(end_the_worker, ("worker.drain", "worker.stop")),
    Story(hand_over, ("worker.request_handover",), by_server=True),
    Story(give_an_answer_up, ("interaction.fail", "worker_command.time_out")),
    Story(
        act_on_a_thread,
        (
            "codex.thread/archive",
            "codex.thread/compact/start",
            "codex.thread/unarchive",
            "thread_action.begin",
            "thread_action.complete",
        ),
    ),
    Story(act_on_no_thread, ("thread_action.fail",)),
    Story(lose_a_compaction, ("thread_action.lose",)),
    Story(archive_by_a_server, ("thread_action.request",), by_server=True),
    Story(steer_a_turn, ("codex.turn/steer", "operation.steer", "operation.take_in")),
    Story(fork_a_thread, ("codex.thread/fork", "operation.fork")),
    Story(submit_by_a_server, ("operation.submit", "store"), by_server=True),
    Story(cancel_by_a_server, ("operation.cancel",), by_server=True),
    Story(stop_by_a_server, ("operation.request_interrupt",), by_server=True),
    Story(answer_by_a_server, ("interaction.answer", "worker_command.enqueue"), by_server=True),
)
"""Every story."""

STORY_OF: Final[Mapping[str, Story]] = {subject: story for story in STORIES for subject in story.subjects}
"""The story that passes the points of a subject."""

NEVER_RAISED: Final[Mapping[str, str]] = {
    "operation.submit_again": "An operator's command raises it; test_cli_resolve kills that.",
    "operation.declare_lost": "An operator's command raises it; test_cli_resolve kills that.",
    "operation.declare_never_received": "An operator's command raises it; test_cli_resolve kills that.",
    "operation.orphan": "A thread that Codex does not know ends its task as failed or lost.",
    "worker_command.fail": "An order is repeated until its subject ends or its time is over.",
    "worker_command.requeue": "An order belongs to no worker: whoever holds the lease carries it on.",
}
"""Events that the spec allows and no server or worker raises, with the reason; neither can pass them."""


def subject(point: FailPoint) -> str:
    """Return what a point is about: an event, a method, or the store."""
    return point.rpartition(".")[0]


REACHABLE: Final[tuple[FailPoint, ...]] = tuple(
    point for point in FAIL_POINTS if subject(point) not in NEVER_RAISED
)
"""The points that a process can pass."""


async def _limited(stage: Stage, steps: str, *, ends: Sequence[str]) -> str:
    """Bring a task to wait for the usage limit, which is reset after an hour, with no worker left."""
    stage.rig.model.quota.exhaust(_AN_HOUR_MS / 1000)
    operation_id = await stage.submit(steps, ends=ends)
    await stage.start_worker()
    await stage.client.wait_until(operation_id, "waiting_for_quota")
    await stage.kill_worker()
    return operation_id


async def _rested_thread(stage: Stage, then: str = "") -> str:
    """Return a thread with one completed turn, and no worker; `then` is the script for what follows."""
    await stage.start_worker()
    operation_id = await stage.submit(f"say Done.{then}")
    await stage.ended(operation_id)
    await stage.kill_worker()
    return thread_of(await stage.client.status(operation_id))


def _thief(stage: Stage) -> LeaseKeeper:
    """Take the lease from whoever holds it, as a worker does whose clock has run ahead."""
    with stage.rig.store.read() as reader:
        fence = reader.lease().fence
    keeper = LeaseKeeper(
        stage.rig.store,
        worker_id="wrk_thief",
        identity=ProcessIdentity(1, "a process that is none of ours"),
        hostname=f"not-{socket.gethostname()}",
        lease_seconds=60,
    )
    assert keeper.acquire(fence) is not None
    return keeper
