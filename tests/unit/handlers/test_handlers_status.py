"""codex_get_operation_status: each fact once, no prompt, no long text, no needless wait."""

import asyncio
import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from codex_control_plane_contract.settings import Settings
from codex_control_plane_contract.types import Error
from codex_control_plane_contract.values import JsonObject, JsonValue
from codex_control_plane_mcp.process_identity import ProcessIdentity
from codex_control_plane_mcp.questions import COMMAND, USER_INPUT
from codex_control_plane_mcp.store import Store
from codex_control_plane_mcp.testing.played_worker import FAULT, PlayedWorker
from codex_control_plane_mcp.testing.tool_caller import ToolCaller

TOOL = "codex_get_operation_status"
ASKED: JsonObject = {"threadId": "thread-1", "turnId": "turn-1", "command": "make", "cwd": "/srv"}
SECRET = "ghp_" + "a1B2" * 9


def status(client: ToolCaller, operation_id: str, **arguments: JsonValue) -> dict[str, Any]:
    """Read a status."""
    return client.call(TOOL, operation_id=operation_id, **arguments)


def test_an_unknown_operation_is_not_found(client: ToolCaller) -> None:
    """The error says where ids come from."""
    answer = status(client, "op_nobody")
    assert answer["error"]["code"] == "CODEX_OPERATION_NOT_FOUND"


def test_an_unknown_operation_is_not_waited_for(client: ToolCaller) -> None:
    """The error comes at once."""
    assert status(client, "op_nobody", wait_seconds=45)["error"]["code"] == "CODEX_OPERATION_NOT_FOUND"


def test_a_queued_task_says_why_it_waits(client: ToolCaller, task: str) -> None:
    """The reason and what is ahead of it."""
    answer = status(client, task)
    assert (answer["status"], answer["phase"]) == ("queued", "queued")
    assert answer["queueState"] == {"queuedReason": "waiting_for_worker"}


def test_a_queued_task_counts_the_older_ones(client: ToolCaller, task: str, root: Path) -> None:
    """The queue is first come, first served."""
    assert task
    second = client.call("codex_submit_task", operation_type="start_chat", cwd=str(root), message="2")
    assert status(client, second["operationId"])["queueState"]["ahead"] == 1


def test_the_prompt_is_never_shown(client: ToolCaller, task: str) -> None:
    """Its size and SHA-256 are."""
    answer = status(client, task, include_events=True)
    assert answer["requestSummary"] == {
        "messageChars": 6,
        "messageSha256": hashlib.sha256(b"Do it.").hexdigest(),
        "sandbox": "read-only",
        "approvalPolicy": "on-request",
    }
    assert "Do it." not in json.dumps(answer)


def test_no_path_is_shown(client: ToolCaller, task: str, root: Path) -> None:
    """The project is named by its id."""
    assert str(root) not in json.dumps(status(client, task))


def test_a_task_put_back_says_when_it_is_tried_again(
    client: ToolCaller, task: str, worker: PlayedWorker
) -> None:
    """The fault and the time of the next attempt are shown."""
    worker.claim(task)
    worker.put_back(task, next_attempt_at=client.store.clock.now() + 30_000)
    answer = status(client, task)
    assert answer["queueState"]["queuedReason"] == "retry_after_worker_error"
    assert answer["lastError"]["code"] == "CODEX_APP_SERVER_UNAVAILABLE"
    assert answer["nextAttemptAt"] > answer["updatedAt"]
    assert 25 <= answer["recommendedPollAfterSeconds"] <= 30


def test_a_task_whose_pause_is_over_waits_for_a_worker(
    client: ToolCaller, task: str, worker: PlayedWorker
) -> None:
    """The reason of yesterday is not the reason of today."""
    worker.claim(task)
    worker.put_back(task, next_attempt_at=client.store.clock.now() - 1)
    assert status(client, task)["queueState"]["queuedReason"] == "waiting_for_worker"


def test_a_distant_attempt_is_looked_at_once_a_minute(
    client: ToolCaller, task: str, worker: PlayedWorker
) -> None:
    """A caller is not sent away for hours."""
    worker.claim(task)
    worker.put_back(task, next_attempt_at=client.store.clock.now() + 10_000_000)
    assert status(client, task)["recommendedPollAfterSeconds"] == 60


def test_a_running_task_shows_turn_and_worker(client: ToolCaller, running: str, worker: PlayedWorker) -> None:
    """Who does it, and that he lives."""
    answer = status(client, running)
    assert (answer["status"], answer["phase"]) == ("running", "active")
    assert (answer["threadId"], answer["turnId"], answer["attemptCount"]) == ("thread-1", "turn-1", 1)
    assert answer["workerState"]["workerId"] == worker.worker_id
    assert answer["workerState"]["status"] == "executing"
    assert answer["turnStatus"]["status"] == "running"
    assert (answer["nextRecommendedAction"], answer["recommendedPollAfterSeconds"]) == (
        "poll_turn_status",
        15,
    )


def test_a_killed_worker_is_shown_as_lost(client: ToolCaller, task: str) -> None:
    """It could not write its own end."""
    dead = PlayedWorker(client.store, ProcessIdentity(2**22 + 1, "never"))
    dead.run(task)
    assert status(client, task)["workerState"]["status"] == "lost"


def test_messages_are_shown_while_the_turn_runs(
    client: ToolCaller, running: str, worker: PlayedWorker
) -> None:
    """The newest ones, in order, and not among the progress."""
    for text in ("one", "two", "three"):
        worker.show(running, text, kind="agent_message")
    answer = status(client, running, last_messages=2)
    assert [message["text"] for message in answer["turnStatus"]["latestMessages"]] == ["two", "three"]
    assert "progressEvents" not in answer


def test_a_long_message_is_cut(client: ToolCaller, running: str, worker: PlayedWorker) -> None:
    """It is marked as cut."""
    worker.show(running, "m" * 600, kind="agent_message")
    [message] = status(client, running, message_max_chars=500)["turnStatus"]["latestMessages"]
    assert (len(message["text"]), message["truncated"]) == (500, True)


def test_progress_shows_the_newest(client: ToolCaller, running: str, worker: PlayedWorker) -> None:
    """Without a cursor the last lines count."""
    for number in range(5):
        worker.show(running, f"step {number}")
    answer = status(client, running, progress_events=2)
    assert [event["text"] for event in answer["progressEvents"]] == ["step 3", "step 4"]
    assert answer["progressEventCount"] == 5


def test_a_cursor_reads_on_page_by_page(client: ToolCaller, running: str, worker: PlayedWorker) -> None:
    """Nothing is skipped and nothing is shown twice."""
    worker.show(running, "step 0")
    cursor = status(client, running)["progressCursor"]
    for number in range(1, 6):
        worker.show(running, f"step {number}")
    seen: list[str] = []
    for _ in range(3):
        answer = status(client, running, progress_cursor=cursor, progress_events=2)
        seen += [event["text"] for event in answer.get("progressEvents", [])]
        cursor = answer["progressCursor"]
    assert seen == [f"step {number}" for number in range(1, 6)]
    assert "progressEvents" not in status(client, running, progress_cursor=cursor)


def test_a_cursor_skips_messages_that_were_seen(
    client: ToolCaller, running: str, worker: PlayedWorker
) -> None:
    """A message is sent once to a caller that reads on."""
    worker.show(running, "seen", kind="agent_message")
    cursor = status(client, running)["progressCursor"]
    assert "latestMessages" not in status(client, running, progress_cursor=cursor)["turnStatus"]
    worker.show(running, "new", kind="agent_message")
    [message] = status(client, running, progress_cursor=cursor)["turnStatus"]["latestMessages"]
    assert message["text"] == "new"


def test_no_progress_can_be_asked_for(client: ToolCaller, running: str, worker: PlayedWorker) -> None:
    """Zero events leave the list out, and the given cursor where it is."""
    worker.show(running, "step")
    answer = status(client, running, progress_events=0, progress_cursor=0)
    assert "progressEvents" not in answer
    assert answer["progressCursor"] == 0


def test_long_progress_is_cut(client: ToolCaller, running: str, worker: PlayedWorker) -> None:
    """It is marked as cut."""
    worker.show(running, "p" * 300)
    [event] = status(client, running, progress_max_chars=200)["progressEvents"]
    assert (len(event["text"]), event["truncated"]) == (200, True)


def test_keys_in_progress_and_messages_are_taken_out(
    client: ToolCaller, running: str, worker: PlayedWorker
) -> None:
    """Even where the cut would leave half of one."""
    worker.show(running, f"export TOKEN={SECRET}")
    worker.show(running, "x" * 490 + " " + SECRET, kind="agent_message")
    answer = json.dumps(status(client, running, message_max_chars=500))
    assert "ghp_" not in answer


def test_a_finished_task_carries_its_report(client: ToolCaller, running: str, worker: PlayedWorker) -> None:
    """The report holds the last message, once."""
    worker.show(running, "All tests pass.", kind="agent_message")
    worker.complete(running, "All tests pass.")
    answer = status(client, running)
    assert (answer["status"], answer["phase"]) == ("completed", "ended")
    assert answer["finalReport"] == {
        "text": "All tests pass.",
        "truncated": False,
        "originalChars": 15,
        "returnedChars": 15,
    }
    assert json.dumps(answer).count("All tests pass.") == 1
    assert answer["turnStatus"]["terminalEvidence"]["source"] == "notification"
    assert (answer["nextRecommendedAction"], answer["pollRecommended"]) == ("read_final_report", False)


def test_the_status_of_a_short_task_is_short(client: ToolCaller, root: Path, worker: PlayedWorker) -> None:
    """A finished one with key, title and some progress fits in 2,000 bytes."""
    task = client.call(
        "codex_submit_task",
        operation_type="start_chat",
        cwd=str(root),
        message="Do it.",
        title="A short task",
        client_request_id="ticket-4711",
        model="gpt-5",
    )["operationId"]
    worker.run(
        task, thread_id="019a1b2c-3d4e-7f60-8a9b-0c1d2e3f4a5b", turn_id="019a1b2c-3d4e-7f60-8a9b-0c1d2e3f4a5c"
    )
    worker.show(task, "$ make test")
    worker.show(task, "src/shop.py", kind="file_change")
    worker.show(task, "I have fixed the tests; all 214 pass now.", kind="agent_message")
    worker.complete(task, "I have fixed the tests; all 214 pass now.", {"total": {"totalTokens": 12_345}})
    assert len(json.dumps(status(client, task), separators=(",", ":")).encode()) <= 2000


def test_the_progress_of_a_task_that_ended_is_short(
    client: ToolCaller, running: str, worker: PlayedWorker
) -> None:
    """Its report counts now; with a cursor the lines are read on as they are."""
    line = "make " + "x" * 300
    worker.show(running, line)
    cursor = status(client, running)["progressCursor"]
    worker.show(running, line)
    assert [each["text"] for each in status(client, running)["progressEvents"]] == [line, line]
    worker.complete(running)
    for event in status(client, running)["progressEvents"]:
        assert (len(event["text"]), event["truncated"]) == (80, True)
    assert status(client, running, progress_cursor=cursor)["progressEvents"][0]["text"] == line


def test_messages_share_their_room(client: ToolCaller, running: str, worker: PlayedWorker) -> None:
    """The newest first; with a cursor each is shown as it is."""
    for letter in "abc":
        worker.show(running, letter * 400, kind="agent_message")
    shown = status(client, running, message_max_chars=500)["turnStatus"]["latestMessages"]
    assert [each["text"] for each in shown] == ["b" * 100, "c" * 400]
    shown = status(client, running, message_max_chars=500, progress_cursor=0)["turnStatus"]["latestMessages"]
    assert [each["text"] for each in shown] == ["a" * 400, "b" * 400, "c" * 400]


def test_a_task_that_broke_off_says_where_to_look(
    client: ToolCaller, running: str, worker: PlayedWorker
) -> None:
    """Nobody asked for it to stop."""
    worker.interrupt(running, error=FAULT)
    answer = status(client, running)
    assert (answer["status"], answer["nextRecommendedAction"]) == ("interrupted", "inspect_diagnostics")


def test_a_long_question_is_cut_in_the_status(client: ToolCaller, running: str, worker: PlayedWorker) -> None:
    """It is whole in the list of questions."""
    worker.ask(running, COMMAND, {**ASKED, "command": "make " + "x" * 1000})
    (question,) = status(client, running)["pendingInteractions"]
    assert (len(question["prompt"]), question["truncated"]) == (500, True)
    (listed,) = client.call("codex_list_pending_interactions", operation_id=running)["interactions"]
    assert len(listed["prompt"]) > 1000


def test_a_task_in_plan_mode_says_what_it_may_touch(client: ToolCaller, root: Path) -> None:
    """Read-only is raised, as for the plan of a workflow; in another mode nothing is."""
    answer = client.call(
        "codex_submit_task",
        operation_type="start_chat",
        cwd=str(root),
        message="Plan it.",
        sandbox="read-only",
        collaboration_mode="plan",
    )
    view = status(client, answer["operationId"])
    for each in (answer, view):
        assert (each["requestedSandbox"], each["effectiveSandbox"]) == ("read-only", "workspace-write")
        assert each["runtimePolicyAdjusted"] is True
    assert view["requestSummary"]["sandbox"] == "workspace-write"


def test_a_long_report_says_how_to_read_it_whole(
    client: ToolCaller, running: str, worker: PlayedWorker
) -> None:
    """The call that it names returns all of it."""
    worker.complete(running, "r" * 9000)
    report = status(client, running)["finalReport"]
    assert (report["truncated"], report["originalChars"], report["returnedChars"]) == (True, 9000, 8000)
    assert "message_max_chars=9000" in report["readFullVia"]
    whole = status(client, running, message_max_chars=9000)["finalReport"]
    assert (whole["text"], whole["truncated"]) == ("r" * 9000, False)
    assert "readFullVia" not in whole


def test_a_completed_turn_without_a_word_has_an_empty_report(
    client: ToolCaller, running: str, worker: PlayedWorker
) -> None:
    """read_final_report always finds one."""
    worker.complete(running, None)
    assert status(client, running)["finalReport"]["text"] == ""


def test_an_interrupted_turn_shows_what_was_said(
    client: ToolCaller, running: str, worker: PlayedWorker
) -> None:
    """A message before the end is not lost."""
    worker.interrupt(running, "Half way.")
    assert status(client, running)["finalReport"]["text"] == "Half way."


def test_an_interrupted_turn_without_a_word_has_no_report(
    client: ToolCaller, running: str, worker: PlayedWorker
) -> None:
    """There is nothing to report."""
    worker.interrupt(running)
    assert "finalReport" not in status(client, running)


def test_a_failed_task_says_why(client: ToolCaller, task: str, worker: PlayedWorker) -> None:
    """The error is shown without keys."""
    fault: Error = {
        "code": "CODEX_SEND_FAILED",
        "message": f"Refused: {SECRET}",
        "details": {"codexMessage": SECRET},
        "retryable": False,
    }
    worker.claim(task)
    worker.fail(task, fault)
    answer = status(client, task)
    assert answer["lastError"]["code"] == "CODEX_SEND_FAILED"
    assert SECRET not in json.dumps(answer)
    assert answer["nextRecommendedAction"] == "inspect_diagnostics"


@pytest.mark.parametrize(
    ("usage", "band"),
    [
        ({"total": {"totalTokens": 1000}}, "up_to_1k"),
        ({"total": {"totalTokens": 1001}, "last": {"totalTokens": 5}}, "up_to_10k"),
        ({"last": {"totalTokens": 99_000}}, "up_to_100k"),
        ({"totalTokens": 1_000_000}, "up_to_1m"),
        ({"total": {"totalTokens": 1_000_001}}, "over_1m"),
    ],
)
def test_tokens_are_shown_in_bands(
    client: ToolCaller, running: str, worker: PlayedWorker, usage: JsonObject, band: str
) -> None:
    """Never the exact number."""
    worker.complete(running, "Done.", usage)
    assert status(client, running)["tokenUsage"] == {"totalBand": band}


def test_unknown_usage_is_left_out(client: ToolCaller, running: str, worker: PlayedWorker) -> None:
    """A shape that Codex may bring tomorrow breaks nothing."""
    worker.complete(running, "Done.", {"tokens": "many"})
    assert "tokenUsage" not in status(client, running)


def test_an_open_question_is_part_of_the_status(
    client: ToolCaller, running: str, worker: PlayedWorker
) -> None:
    """With its prompt, and what to do about it."""
    question = worker.ask(running, COMMAND, ASKED)
    answer = status(client, running)
    assert (answer["status"], answer["phase"]) == ("waiting_for_approval", "waiting")
    assert [one["interactionId"] for one in answer["pendingInteractions"]] == [question]
    assert answer["nextRecommendedAction"] == "answer_pending_interaction"
    assert answer["recommendedPollAfterSeconds"] == 10


def test_a_question_whose_answer_is_on_its_way_asks_nobody(
    client: ToolCaller, running: str, worker: PlayedWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller only has to look again."""
    monkeypatch.setattr("codex_control_plane_mcp.handlers.interactions.CONFIRMATION_SECONDS", 0.01)
    question = worker.ask(running, COMMAND, ASKED)
    client.call("codex_answer_pending_interaction", interaction_id=question, decision="accept")
    answer = status(client, running)
    assert answer["status"] == "waiting_for_approval"
    assert "pendingInteractions" not in answer
    assert answer["nextRecommendedAction"] == "poll_operation_status"


def test_the_journal_is_shown_on_demand(client: ToolCaller, running: str) -> None:
    """In order, what the task and its calls went through, each by the name of its lifecycle."""
    events = status(client, running, include_events=True)["events"]
    own = [event["event"] for event in events if event["entity"] == "operation"]
    assert own == ["submit", "claim", "open_thread", "open_turn", "run"]
    assert {event["entity"] for event in events} == {"operation", "attempt", "turn"}
    assert events[0]["actor"] == "client"
    assert "events" not in status(client, running)


class ObservedCaller(ToolCaller):
    """Tells when a waiting call has looked often enough to know what it waits from."""

    def __init__(self, settings: Settings, looks: int) -> None:
        super().__init__(settings)
        self._looks = threading.Semaphore(0)
        self._needed = looks

    def open_store(self) -> Store:
        """Count a look."""
        self._looks.release()
        return super().open_store()

    def await_looks(self) -> None:
        """Return once a call has listened, taken its mark and looked once more."""
        for _ in range(self._needed):
            assert self._looks.acquire(timeout=60)


def waited(settings: Settings, operation_id: str, change: Callable[[], None], seconds: int) -> dict[str, Any]:
    """Return what a waiting call returns when another thread makes `change` during the wait."""
    observed = ObservedCaller(settings, looks=3)

    async def scenario() -> dict[str, Any]:
        waiting = asyncio.create_task(
            observed.answer(TOOL, {"operation_id": operation_id, "wait_seconds": seconds})
        )
        await asyncio.to_thread(observed.await_looks)
        await asyncio.to_thread(change)
        return await asyncio.wait_for(waiting, 30)

    return asyncio.run(scenario())


def test_a_waiting_call_returns_when_the_status_changes(
    settings: Settings, task: str, worker: PlayedWorker
) -> None:
    """A commit of another thread wakes it long before its time is up."""
    assert waited(settings, task, lambda: worker.claim(task), 45)["status"] == "starting_app_server"


def test_a_waiting_call_returns_when_a_question_is_asked(
    settings: Settings, running: str, worker: PlayedWorker
) -> None:
    """A second question changes no status, but matters."""
    worker.ask(running, USER_INPUT, ASKED, kind="user_input")

    def ask_again() -> None:
        worker.ask(running, USER_INPUT, ASKED, kind="user_input")

    answer = waited(settings, running, ask_again, 45)
    assert len(answer["pendingInteractions"]) == 2


def test_a_waiting_call_returns_when_the_task_ends(
    settings: Settings, running: str, worker: PlayedWorker
) -> None:
    """With the report."""
    assert waited(settings, running, lambda: worker.complete(running), 45)["finalReport"]["text"] == "Done."


def test_progress_alone_wakes_nobody(settings: Settings, running: str, worker: PlayedWorker) -> None:
    """The call returns at its time, with the progress."""
    answer = waited(settings, running, lambda: worker.show(running, "step"), 1)
    assert [event["text"] for event in answer["progressEvents"]] == ["step"]
    assert answer["status"] == "running"


def test_a_finished_task_is_not_waited_for(client: ToolCaller, running: str, worker: PlayedWorker) -> None:
    """The call returns at once, however long it would wait."""
    worker.complete(running)

    async def scenario() -> dict[str, Any]:
        call = client.answer(TOOL, {"operation_id": running, "wait_seconds": 45})
        return await asyncio.wait_for(call, 20)

    assert asyncio.run(scenario())["status"] == "completed"


def test_the_end_of_the_time_is_a_normal_result(client: ToolCaller, running: str) -> None:
    """Nothing happened, and that is no error."""
    assert status(client, running, wait_seconds=1)["status"] == "running"


def test_a_change_between_two_calls_is_not_waited_for(
    client: ToolCaller, running: str, worker: PlayedWorker
) -> None:
    """With the state cursor of the last result the call returns at once."""
    cursor = status(client, running)["stateCursor"]
    worker.ask(running, COMMAND, ASKED)

    async def scenario() -> dict[str, Any]:
        call = client.answer(TOOL, {"operation_id": running, "wait_seconds": 45, "state_cursor": cursor})
        return await asyncio.wait_for(call, 20)

    assert asyncio.run(scenario())["stateCursor"] > cursor


def test_a_current_state_cursor_is_waited_from(client: ToolCaller, running: str) -> None:
    """Nothing has changed since, so the call uses its time."""
    cursor = status(client, running)["stateCursor"]
    assert status(client, running, wait_seconds=1, state_cursor=cursor)["stateCursor"] == cursor


def test_waiting_leaves_no_listener_behind(client: ToolCaller, running: str) -> None:
    """The pipe goes with the call."""
    bells = client.store.path.parent / "bells"
    before = set(bells.iterdir())
    status(client, running, wait_seconds=1)
    assert set(bells.iterdir()) == before


def test_many_calls_wait_at_once(client: ToolCaller, running: str, worker: PlayedWorker) -> None:
    """One change wakes them all."""

    async def scenario() -> list[dict[str, Any]]:
        calls = [
            asyncio.create_task(client.answer(TOOL, {"operation_id": running, "wait_seconds": 45}))
            for _ in range(20)
        ]
        await asyncio.to_thread(worker.complete, running)
        return await asyncio.wait_for(asyncio.gather(*calls), 30)

    assert {answer["status"] for answer in asyncio.run(scenario())} == {"completed"}


def test_a_status_reads_and_changes_nothing(settings: Settings, task: str) -> None:
    """No worker is summoned by a look."""
    passive = ToolCaller(replace(settings, execution_mode="client"))
    status(passive, task)
    assert passive.summons == 0
