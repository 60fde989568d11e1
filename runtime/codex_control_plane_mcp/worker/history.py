"""A thread's own history, which is the only evidence that counts once a reply or a process is lost."""

from collections.abc import Set
from dataclasses import dataclass

from codex_control_plane_contract import codex
from codex_control_plane_mcp.codex.errors import CallRefused

_PAGE = 10
_PAGES = 10


@dataclass(frozen=True, slots=True)
class History:
    """A loaded thread as Codex tells it: its newest turns first, and whether it is at work.

    ``names_items`` says that an item has the same id here as it had when Codex told of it first.
    """

    turns: list[codex.Turn]
    active: bool
    asking: bool
    names_items: bool

    def turn_with_label(self, label: str) -> codex.Turn | None:
        """Return the turn that holds the prompt with this ``clientUserMessageId``, or None."""
        return next((turn for turn in self.turns if holds_label(turn, {label})), None)

    def turn(self, turn_id: str) -> codex.Turn | None:
        """Return the turn with this id, of a review that has not ended the turn at work in it, or None."""
        found = sorted(
            (turn for turn in self.turns if is_of(turn, turn_id)), key=lambda turn: turn["id"] != turn_id
        )
        return next(iter(found), None)

    def runs(self, turn_id: str) -> bool:
        """Return whether the turn with this id is in progress."""
        found = self.turn(turn_id)
        return found is not None and found["status"] == "inProgress"


async def read_history(
    calls: codex.CodexCalls,
    thread_id: str,
    *,
    timeout: float,  # noqa: ASYNC109 -- the calls' own: after it their outcome is unknown, not cancelled
    turn_id: str | None = None,
    labels: Set[str] = frozenset(),
    pages: int = _PAGES,
) -> History:
    """Load the thread (which makes Codex ask its open questions again), read back as far as needed."""
    thread = (await load_thread(calls, thread_id, timeout=timeout))["thread"]
    turns = await read_turns(calls, thread_id, timeout=timeout, turn_id=turn_id, labels=labels, pages=pages)
    status = thread.get("status", {})
    return History(
        turns,
        active=status.get("type") == "active",
        asking=bool(status.get("activeFlags")),
        names_items=thread.get("historyMode") != "legacy",
    )


async def load_thread(
    calls: codex.CodexCalls,
    thread_id: str,
    *,
    timeout: float,  # noqa: ASYNC109 -- the calls' own: after it their outcome is unknown, not cancelled
) -> codex.ThreadResumeResult:
    """Load and follow the thread; return what Codex says of it, with its status as it is.

    After a review `thread/resume` calls an idle thread active until its next turn; `thread/read` does not.
    """
    resumed = await calls.thread_resume(timeout=timeout, thread_id=thread_id, exclude_turns=True)
    if resumed["thread"].get("status", {}).get("type") != "active":
        return resumed
    try:
        read = await calls.thread_read(timeout=timeout, thread_id=thread_id)
    except CallRefused:
        return resumed
    return {**resumed, "thread": {**resumed["thread"], "status": read["thread"].get("status", {})}}


async def read_turns(
    calls: codex.CodexCalls,
    thread_id: str,
    *,
    timeout: float,  # noqa: ASYNC109 -- the calls' own: after it their outcome is unknown, not cancelled
    turn_id: str | None = None,
    labels: Set[str] = frozenset(),
    pages: int = _PAGES,
) -> list[codex.Turn]:
    """Return the turns of a loaded thread, newest first, back to the one that is looked for.

    At most ``pages`` of ten turns are read.
    """
    turns: list[codex.Turn] = []
    cursor: str | None = None
    for _ in range(pages):
        page = await calls.thread_turns_list(
            timeout=timeout, thread_id=thread_id, limit=_PAGE, items_view="full", cursor=cursor
        )
        turns.extend(page["data"])
        cursor = page.get("nextCursor")
        if cursor is None or any(is_of(turn, turn_id) or holds_label(turn, labels) for turn in page["data"]):
            break
    return turns


def is_of(turn_of_codex: codex.Turn, turn_id: str | None) -> bool:
    """Return whether it is the turn with this id, or the one at work in the review with this id."""
    return turn_id is not None and turn_id in (turn_of_codex["id"], turn_of_codex.get("rootTurnId"))


def reviews(turn_of_codex: codex.Turn) -> bool:
    """Return whether it is a review: at work, as a turn in another one; at its end, under its own id."""
    if turn_of_codex.get("rootTurnId") not in (None, turn_of_codex["id"]):
        return True
    return any(item.get("type") == "enteredReviewMode" for item in turn_of_codex.get("items", []))


def died(turn_of_codex: codex.Turn) -> bool:
    """Return whether a turn shows no end: its process died, or it is ending just now.

    Of a turn that somebody stopped, Codex has the time of its end.
    """
    return turn_of_codex["status"] == "interrupted" and turn_of_codex.get("completedAt") is None


def holds_label(turn_of_codex: codex.Turn, labels: Set[str]) -> bool:
    """Return whether the turn holds a prompt with one of these ``clientUserMessageId``."""
    return any(
        item.get("type") == "userMessage" and item.get("clientId") in labels
        for item in turn_of_codex.get("items", [])
    )
