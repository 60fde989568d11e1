"""What became of a review (contract §4 reviewState)."""

from typing import Final, Literal, TypeAlias

from codex_control_plane_contract.lifecycles import attempt, operation
from codex_control_plane_contract.types import Operation, ReviewState, ReviewTarget
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.handlers.moment import Moment

TargetType: TypeAlias = Literal["uncommitted_changes", "base_branch", "commit", "custom"]

CODEX_WORDS: Final[dict[TargetType, str]] = {
    "uncommitted_changes": "uncommittedChanges",
    "base_branch": "baseBranch",
    "commit": "commit",
    "custom": "custom",
}
"""How Codex calls what is reviewed."""

_OUR_WORDS: Final[dict[str, TargetType]] = {theirs: ours for ours, theirs in CODEX_WORDS.items()}


def add_review(view: Operation, moment: Moment, row: operation.Operation) -> None:
    """Add `reviewState` to the view of a review."""
    if (state := state_of_review(moment, row)) is not None:
        view["reviewState"] = state


def state_of_review(moment: Moment, row: operation.Operation) -> ReviewState | None:
    """Return what became of a review; None for another task."""
    if row.review_target is None or row.review_delivery is None:
        return None
    calls = moment.reader.attempts_of(row.operation_id, "review_start")
    state: ReviewState = {
        "accepted": any(isinstance(call, attempt.Accepted) for call in calls),
        "target": present_target(row.review_target),
        "delivery": row.review_delivery,
        "startAttempted": bool(calls),
    }
    if row.source_thread_id is not None:
        state["sourceThreadId"] = row.source_thread_id
    if row.thread_id is not None:
        state["reviewThreadId"] = row.thread_id
    if (turn_id := row.turn_id or row.continues_turn_id) is not None:
        state["reviewTurnId"] = turn_id
    return state


def present_target(stored: JsonObject) -> ReviewTarget:
    """Return what is reviewed; instructions, which are a prompt, by their length (contract §12)."""
    target: ReviewTarget = {"type": _OUR_WORDS[str(stored["type"])]}
    if "branch" in stored:
        target["baseBranch"] = str(stored["branch"])
    if "sha" in stored:
        target["commitSha"] = str(stored["sha"])
    if stored.get("title") is not None:
        target["commitTitle"] = str(stored["title"])
    if "instructions" in stored:
        target["instructionsChars"] = len(str(stored["instructions"]))
    return target
