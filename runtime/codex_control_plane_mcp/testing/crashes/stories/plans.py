"""Plan workflows: planned, talked about, approved, carried out, and ended in every way."""

from typing import Final

from codex_control_plane_mcp.testing.crashes.stage import Stage
from codex_control_plane_mcp.testing.crashes.stories.story import Story
from codex_control_plane_mcp.testing.evidence import thread_of
from codex_control_plane_mcp.testing.rollouts import rollout

PLAN: Final = "plan # The cart\\n\\n1. Read it.\\n2. Move it."
OTHER: Final = "plan # The cart\\n\\n1. Write it anew."


async def plan_and_carry_out(stage: Stage) -> None:
    """A plan, its approval and its execution."""
    workflow_id, _ = await stage.plan(PLAN)
    async with stage.trapped_worker():
        await stage.in_phase(workflow_id, "plan_ready")
        await stage.ended(await stage.approve(workflow_id, "say Done."))
        await stage.in_phase(workflow_id, "completed")


async def ask_while_planning(stage: Stage) -> None:
    """A plan for which Codex needs leave and an answer."""
    workflow_id, operation_id = await stage.plan("ask echo leave", "question Shall I?", PLAN)
    async with stage.trapped_worker():
        await stage.client.answer(await stage.question(operation_id), decision="accept")
        await stage.in_phase(workflow_id, "waiting_for_user_input")
        await stage.client.answer(await stage.question(operation_id), answers={"answer": ["Yes"]})
        await stage.in_phase(workflow_id, "plan_ready")


async def end_without_a_plan(stage: Stage) -> None:
    """A plan turn that brings nothing to approve."""
    workflow_id, _ = await stage.plan("say I made no plan.")
    async with stage.trapped_worker():
        await stage.in_phase(workflow_id, "plan_needs_review")


async def find_another_plan(stage: Stage) -> None:
    """A message on the thread that brings another plan."""
    workflow_id, thread_id = await _planned(stage)
    await stage.kill_worker()
    async with stage.trapped_worker():
        await stage.ended(await stage.submit(OTHER, to=thread_id, collaboration_mode="plan"))
        await stage.in_phase(workflow_id, "plan_candidate_found")


async def fail_to_plan(stage: Stage) -> None:
    """A plan turn that the model's fault ends."""
    workflow_id, _ = await stage.plan("fail 500", ends=["failed"])
    async with stage.trapped_worker():
        await stage.in_phase(workflow_id, "failed")


async def stop_planning(stage: Stage) -> None:
    """A workflow that is stopped while its plan is made."""
    gate = stage.new_gate()
    workflow_id, operation_id = await stage.plan(f"wait {gate}", PLAN, ends=["interrupted"])
    async with stage.trapped_worker():
        await stage.held(gate)
        await stage.client.wait_until(operation_id, "running", within=stage.patience)
        await stage.client.stop_workflow(workflow_id)
        await stage.in_phase(workflow_id, "failed")


async def lose_a_plan(stage: Stage) -> None:
    """A plan turn whose app-server dies, with a successor that cannot read the thread."""
    gate = stage.new_gate()
    workflow_id, operation_id = await stage.plan(f"wait {gate}", PLAN, ends=["unknown_after_app_server_exit"])
    await stage.start_worker()
    await stage.held(gate)
    thread_id = thread_of(await stage.client.wait_until(operation_id, "running"))
    await stage.kill_worker()
    await stage.rig.kill_app_server()
    rollout(stage.rig.home, thread_id).write_text("")
    async with stage.trapped_worker():
        await stage.in_phase(workflow_id, "orphaned_after_app_server_exit")


async def start_by_a_server(stage: Stage) -> None:
    """A workflow that is handed in, once and with its task."""
    async with stage.trapped_server() as client:
        workflow_id, _ = await stage.plan(PLAN, by=client)
    await stage.start_worker()
    await stage.in_phase(workflow_id, "plan_ready")


async def approve_by_a_server(stage: Stage) -> None:
    """A plan that is approved, and carried out once."""
    workflow_id, _ = await _planned(stage)
    async with stage.trapped_server() as client:
        operation_id = await stage.approve(workflow_id, "say Done.", by=client)
    await stage.ended(operation_id)
    await stage.in_phase(workflow_id, "completed")


async def adopt_by_a_server(stage: Stage) -> None:
    """A later plan that is made the one that counts."""
    workflow_id, thread_id = await _planned(stage)
    await stage.ended(await stage.submit(OTHER, to=thread_id, collaboration_mode="plan"))
    row = await stage.in_phase(workflow_id, "plan_candidate_found")
    (candidate,) = row["workflowObservation"]["candidatePlans"] if "workflowObservation" in row else []
    async with stage.trapped_server() as client:
        await stage.insist(client.adopt_plan(workflow_id, candidate))
    row = await stage.in_phase(workflow_id, "plan_ready")
    assert row.get("planTurnId") == candidate["turnId"]


STORIES: Final = (
    Story(plan_and_carry_out, ("plan_workflow.complete", "plan_workflow.offer_plan")),
    Story(
        ask_while_planning,
        ("plan_workflow.ask_approval", "plan_workflow.ask_user_input", "plan_workflow.resume"),
    ),
    Story(end_without_a_plan, ("plan_workflow.hold_plan",)),
    Story(find_another_plan, ("plan_workflow.find_candidate",)),
    Story(fail_to_plan, ("plan_workflow.fail",)),
    Story(stop_planning, ("plan_workflow.stop",)),
    Story(lose_a_plan, ("plan_workflow.orphan",)),
    Story(start_by_a_server, ("plan_workflow.start",), trap_in="server"),
    Story(approve_by_a_server, ("plan_workflow.approve",), trap_in="server"),
    Story(adopt_by_a_server, ("plan_workflow.adopt",), trap_in="server"),
)


async def _planned(stage: Stage) -> tuple[str, str]:
    """Return a workflow whose plan is ready, and its thread; a worker lives."""
    workflow_id, _ = await stage.plan(PLAN)
    await stage.start_worker()
    row = await stage.in_phase(workflow_id, "plan_ready")
    thread_id = row.get("threadId")
    assert thread_id is not None
    return workflow_id, thread_id
