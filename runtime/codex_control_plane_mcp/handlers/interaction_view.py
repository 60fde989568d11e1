"""Questions of Codex as clients see them: whole, since a person decides on them (contract §4, §12)."""

from typing import Final

from codex_control_plane_contract.lifecycles import interaction
from codex_control_plane_contract.types import Interaction, InteractionSummary
from codex_control_plane_mcp import offers, questions
from codex_control_plane_mcp.handlers.times import timestamp
from codex_control_plane_mcp.questions import Asked, asked_of

PROMPT_CHARS: Final = 500
"""How much of a question a status shows (spec/types/interaction.yaml)."""


def summarise_interaction(row: interaction.Interaction) -> InteractionSummary:
    """Return a question as part of its task's status."""
    summary: InteractionSummary = {
        "interactionId": row.interaction_id,
        "kind": row.kind,
        "prompt": row.prompt[:PROMPT_CHARS],
        "expiresAt": timestamp(row.deadline_at),
    }
    if len(row.prompt) > PROMPT_CHARS:
        summary["truncated"] = True
    return summary


def present_interaction(row: interaction.Interaction) -> Interaction:
    """Return a question and how to answer it."""
    asked = asked_of(row)
    view: Interaction = {
        "interactionId": row.interaction_id,
        "method": row.method,
        "kind": row.kind,
        "operationId": row.operation_id,
        "threadId": row.thread_id,
        "turnId": row.turn_id,
        "status": row.status,
        "terminal": row.facts.terminal,
        "answerRecorded": answer_recorded(row),
        "prompt": row.prompt,
        "answerSchema": questions.answer_schema(asked),
        "riskSummary": questions.risk(asked),
        "expiresAt": timestamp(row.deadline_at),
        "createdAt": timestamp(row.created_at),
    }
    _add_question(view, row, asked)
    _add_outcome(view, row)
    return view


def answer_recorded(row: interaction.Interaction) -> bool:
    """Return whether an answer, or the refusal at the deadline, is stored."""
    return row.response is not None


def _add_question(view: Interaction, row: interaction.Interaction, asked: Asked) -> None:
    if row.item_id is not None:
        view["itemId"] = row.item_id
    if decisions := offers.available_decisions(asked):
        view["availableDecisions"] = decisions
    if payloads := offers.offered_payloads(asked):
        view["decisionPayloads"] = payloads
        view["answerSchema"]["alternatives"] = ["decision_payload"]
        view["riskSummary"]["summary"] += " A decision_payload makes a rule that stays."
    if listed := questions.questions(asked):
        view["questions"] = listed
    if changes := questions.file_changes(asked):
        view["changes"] = changes


def _add_outcome(view: Interaction, row: interaction.Interaction) -> None:
    if row.resolved_at is not None:
        view["resolvedAt"] = timestamp(row.resolved_at)
    if row.state == "auto_declined":
        view["autoResolved"] = True
    if row.reason is not None:
        view["reason"] = row.reason
