"""Questions of Codex: answered, stopped, lapsed, lost with their app-server."""

from typing import Final

from codex_control_plane_mcp.testing.crashes.stage import Stage
from codex_control_plane_mcp.testing.crashes.stories.story import AN_HOUR_MS, Story

_EIGHT_DAYS_MS: Final = 8 * 24 * 3600 * 1000
"""After this time an order that could not be carried out has been given up."""


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


async def answer_by_a_server(stage: Stage) -> None:
    """A question that is answered."""
    operation_id = await stage.submit("ask echo leave", "say Done.")
    await stage.start_worker()
    question = await stage.question(operation_id)
    async with stage.trapped_server() as client:
        await stage.insist(client.answer(question, decision="accept"))
    await stage.ended(operation_id)


async def let_a_question_lapse(stage: Stage) -> None:
    """A question that nobody answers in time."""
    operation_id = await stage.submit("ask touch never", "say Done.")
    await stage.start_worker()
    await stage.question(operation_id)
    await stage.kill_worker()
    async with stage.trapped_worker("--later", str(AN_HOUR_MS)):
        await stage.ended(operation_id)


async def stop_a_question(stage: Stage) -> None:
    """A turn that is stopped while its question is open."""
    operation_id = await stage.submit("ask touch never", ends=["interrupted"])
    async with stage.trapped_worker():
        await stage.question(operation_id)
        await stage.client.interrupt(operation_id)
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


STORIES: Final = (
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
    Story(answer_by_a_server, ("interaction.answer", "worker_command.enqueue"), trap_in="server"),
    Story(let_a_question_lapse, ("interaction.lapse",)),
    Story(stop_a_question, ("interaction.expire",)),
    Story(lose_the_app_server_with_a_question, ("interaction.orphan",)),
    Story(give_an_answer_up, ("interaction.fail", "worker_command.time_out")),
)
