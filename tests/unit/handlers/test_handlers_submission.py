"""codex_submit_task: what it takes, what it stores, what it answers."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from codex_control_plane_contract.lifecycles import operation
from codex_control_plane_contract.settings import Settings
from codex_control_plane_contract.values import JsonValue
from codex_control_plane_mcp.projects import project_id_of
from codex_control_plane_mcp.testing.played_worker import PlayedWorker
from codex_control_plane_mcp.testing.tool_caller import ToolCaller

TOOL = "codex_submit_task"


def submit(client: ToolCaller, cwd: Path, **arguments: JsonValue) -> dict[str, Any]:
    """Submit a start_chat; the arguments come on top."""
    given: dict[str, JsonValue] = {"operation_type": "start_chat", "cwd": str(cwd), "message": "Do it."}
    return client.call(TOOL, **(given | arguments))


def stored(client: ToolCaller, operation_id: str) -> operation.Operation:
    """Return the row of an operation."""
    with client.store.read() as reader:
        row = reader.operation(operation_id)
    assert row is not None
    return row


def error(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the error of a failed call."""
    assert answer["ok"] is False
    found: dict[str, Any] = answer["error"]
    return found


def test_a_task_is_acknowledged_as_queued(client: ToolCaller, root: Path) -> None:
    """The answer names the operation, why it waits and when to look again."""
    answer = submit(client, root, client_request_id="ticket-1")
    assert answer["status"] == "queued"
    assert answer["operationId"].startswith("op_")
    assert answer["clientRequestId"] == "ticket-1"
    assert answer["queuedReason"] == "waiting_for_worker"
    assert answer["nextRecommendedAction"] == "wait_for_background_worker"
    assert answer["recommendedPollAfterSeconds"] == 2
    assert answer["idempotent"] is False


def test_a_worker_is_summoned_for_a_task(client: ToolCaller, root: Path) -> None:
    """Every submission makes sure that a worker runs."""
    submit(client, root)
    assert client.summons == 1


def test_the_acknowledgement_is_short(client: ToolCaller, root: Path) -> None:
    """It fits in 1,000 bytes even with the longest key and a warning."""
    answer = submit(client, root, client_request_id="k" * 200, approval_policy="on-failure")
    assert len(json.dumps(answer, separators=(",", ":")).encode()) <= 1000


def test_what_a_task_names_is_stored(client: ToolCaller, root: Path) -> None:
    """The row holds the request as the worker needs it."""
    answer = submit(
        client,
        root,
        title="Tests",
        model="gpt-x",
        effort="high",
        sandbox="workspace-write",
        approval_policy="untrusted",
        timeout_seconds=17,
    )
    row = stored(client, answer["operationId"])
    assert (row.title, row.model, row.effort) == ("Tests", "gpt-x", "high")
    assert (row.sandbox, row.approval_policy) == ("workspace-write", "untrusted")
    assert (row.cwd, row.project_id, row.timeout_seconds) == (str(root), project_id_of(root), 17)


def test_what_a_task_leaves_open_comes_from_the_settings(settings: Settings, root: Path) -> None:
    """Sandbox, approval policy, model and effort have defaults."""
    client = ToolCaller(
        replace(
            settings,
            default_sandbox="danger-full-access",
            default_approval_policy="never",
            default_model="gpt-y",
            default_effort="low",
        )
    )
    row = stored(client, submit(client, root)["operationId"])
    assert (row.sandbox, row.approval_policy) == ("danger-full-access", "never")
    assert (row.model, row.effort) == ("gpt-y", "low")


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("on-failure", "on-request"),
        ("ask_openclaw", "on-request"),
        ("never_auto_approve", "never"),
        ("untrusted", "untrusted"),
    ],
)
def test_approval_words_of_older_clients_are_understood(
    client: ToolCaller, root: Path, word: str, meaning: str
) -> None:
    """An alias is stored as the word that Codex knows."""
    assert (
        stored(client, submit(client, root, approval_policy=word)["operationId"]).approval_policy == meaning
    )


def test_only_a_changed_policy_is_warned_about(client: ToolCaller, root: Path) -> None:
    """on-failure is another policy than asked for; an alias is the same by another name."""
    assert "on-failure" in submit(client, root, approval_policy="on-failure")["warnings"][0]
    assert "warnings" not in submit(client, root, approval_policy="ask_openclaw")


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({"operation_type": "start_chat", "message": "x"}, "cwd"),
        ({"operation_type": "start_chat", "message": "x", "cwd": "/r", "thread_id": "t"}, "thread_id"),
        ({"operation_type": "start_chat", "message": "x", "cwd": "/r", "chat_id": "t"}, "chat_id"),
        (
            {"operation_type": "start_chat", "message": "x", "cwd": "/r", "sandbox": "respect_existing"},
            "sandbox",
        ),
        (
            {
                "operation_type": "start_chat",
                "message": "x",
                "cwd": "/r",
                "approval_policy": "respect_existing",
            },
            "approval_policy",
        ),
        ({"operation_type": "send_message", "message": "x", "cwd": "/r"}, "thread_id"),
        ({"operation_type": "send_message", "message": "x", "thread_id": "a", "chat_id": "b"}, "chat_id"),
        ({"operation_type": "send_message", "message": "x", "thread_id": "a", "title": "t"}, "title"),
        ({"operation_type": "send_message", "message": "x", "thread_id": "unseen"}, "cwd"),
        ({"operation_type": "start_chat", "message": "a\0b", "cwd": "/r"}, "message"),
        ({"operation_type": "start_chat", "message": "a\ud800b", "cwd": "/r"}, "message"),
        ({"operation_type": "start_chat", "message": "x", "cwd": "/r", "title": "\0"}, "title"),
        ({"operation_type": "start_chat", "message": "x", "cwd": "relative"}, "cwd"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(
    client: ToolCaller, arguments: dict[str, JsonValue], path: str
) -> None:
    """INVALID_ARGUMENT names the argument, and nothing is stored."""
    fault = error(client.call(TOOL, **arguments))
    assert fault["code"] == "INVALID_ARGUMENT"
    assert fault["details"]["path"] == path
    with client.store.read() as reader:
        assert reader.open_work()["queued"] == 0


def test_a_directory_outside_the_roots_is_refused(client: ToolCaller, tmp_path: Path) -> None:
    """The answer names the roots, and not whether the directory exists."""
    fault = error(submit(client, tmp_path / "elsewhere"))
    assert fault["code"] == "CODEX_PROJECT_NOT_FOUND"
    assert fault["details"]["allowedRoots"]


def test_a_link_out_of_the_roots_is_refused(client: ToolCaller, root: Path, tmp_path: Path) -> None:
    """A symbolic link is judged by where it leads."""
    (tmp_path / "outside").mkdir()
    (root / "link").symlink_to(tmp_path / "outside")
    assert error(submit(client, root / "link"))["code"] == "CODEX_PROJECT_NOT_FOUND"


def test_a_project_id_that_was_returned_can_be_given(client: ToolCaller, root: Path) -> None:
    """The id of a directory deep in a root names it from then on."""
    deep = root / "a" / "b"
    deep.mkdir(parents=True)
    project_id = submit(client, deep)["projectId"]
    again = client.call(TOOL, operation_type="start_chat", project_id=project_id.upper(), message="x")
    assert again["projectId"] == project_id
    assert stored(client, again["operationId"]).cwd == str(deep)


def test_a_message_goes_where_its_thread_works(
    client: ToolCaller, root: Path, running: str, worker: PlayedWorker
) -> None:
    """Without cwd and project the latest operation on the thread says where."""
    worker.complete(running)
    answer = client.call(TOOL, operation_type="send_message", chat_id="thread-1", message="And now?")
    row = stored(client, answer["operationId"])
    assert answer["threadId"] == "thread-1"
    assert (row.cwd, row.project_id) == (str(root), project_id_of(root))


def test_a_message_to_an_unknown_thread_needs_a_directory(client: ToolCaller, root: Path) -> None:
    """A thread of another program is taken on trust once its directory is given."""
    answer = client.call(
        TOOL, operation_type="send_message", thread_id="foreign", cwd=str(root), message="Hello"
    )
    assert answer["threadId"] == "foreign"


def test_a_thread_may_keep_its_own_policy(client: ToolCaller, root: Path) -> None:
    """respect_existing fits where a thread exists."""
    answer = client.call(
        TOOL,
        operation_type="send_message",
        thread_id="foreign",
        cwd=str(root),
        message="Hello",
        sandbox="respect_existing",
        approval_policy="respect_existing",
    )
    assert stored(client, answer["operationId"]).sandbox == "respect_existing"


def test_the_same_key_and_request_name_the_same_task(client: ToolCaller, root: Path) -> None:
    """A repetition stores nothing and says so."""
    first = submit(client, root, client_request_id="k")
    second = submit(client, root, client_request_id="k")
    assert second["operationId"] == first["operationId"]
    assert second["createdAt"] == first["createdAt"]
    assert second["idempotent"] is True


def test_a_repetition_is_answered_after_the_directory_has_gone(client: ToolCaller, root: Path) -> None:
    """What is stored does not depend on the file system any more."""
    place = root / "gone"
    place.mkdir()
    first = submit(client, place, client_request_id="k")
    place.rmdir()
    assert submit(client, place, client_request_id="k")["operationId"] == first["operationId"]


def test_a_repetition_of_finished_work_shows_its_end(
    client: ToolCaller, root: Path, worker: PlayedWorker
) -> None:
    """A key is known for ever."""
    first = submit(client, root, client_request_id="k")
    worker.run(first["operationId"])
    worker.complete(first["operationId"])
    second = submit(client, root, client_request_id="k")
    assert (second["status"], second["nextRecommendedAction"]) == ("completed", "read_final_report")


@pytest.mark.parametrize(
    "other",
    [{"message": "Another."}, {"title": "T"}, {"sandbox": "workspace-write"}, {"approval_policy": "never"}],
)
def test_the_same_key_with_another_request_is_a_conflict(
    client: ToolCaller, root: Path, other: dict[str, JsonValue]
) -> None:
    """The error names the first task."""
    first = submit(client, root, client_request_id="k")
    fault = error(submit(client, root, client_request_id="k", **other))
    assert fault["code"] == "IDEMPOTENCY_CONFLICT"
    assert fault["details"] == {"operationId": first["operationId"], "createdAt": first["createdAt"]}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"approval_policy": "ask_openclaw"}, {"approval_policy": "on-request"}),
        ({"timeout_seconds": 5}, {"timeout_seconds": 6}),
    ],
)
def test_the_same_request_in_other_words_is_the_same(
    client: ToolCaller, root: Path, one: dict[str, JsonValue], other: dict[str, JsonValue]
) -> None:
    """Aliases are resolved, and the timeout is no part of the request."""
    first = submit(client, root, client_request_id="k", **one)
    assert submit(client, root, client_request_id="k", **other)["operationId"] == first["operationId"]


def test_chat_id_and_thread_id_are_one_name(client: ToolCaller, root: Path) -> None:
    """Either word, or both, make the same request."""
    given: dict[str, JsonValue] = {
        "operation_type": "send_message",
        "message": "x",
        "cwd": str(root),
        "client_request_id": "k",
    }
    first = client.call(TOOL, **given, chat_id="t")
    assert client.call(TOOL, **given, thread_id="t")["operationId"] == first["operationId"]
    assert client.call(TOOL, **given, thread_id="t", chat_id="t")["idempotent"] is True


def test_a_change_of_settings_makes_no_conflict(settings: Settings, root: Path) -> None:
    """The request is what the caller sent, not what the defaults made of it."""
    first = submit(ToolCaller(settings), root, client_request_id="k")
    changed = ToolCaller(replace(settings, default_sandbox="workspace-write"))
    assert submit(changed, root, client_request_id="k")["operationId"] == first["operationId"]


def test_without_a_key_every_submission_is_new(client: ToolCaller, root: Path) -> None:
    """Only a key makes two calls one task."""
    assert submit(client, root)["operationId"] != submit(client, root, force=True)["operationId"]


def test_parallel_submissions_with_one_key_make_one_task(settings: Settings, root: Path) -> None:
    """Twenty servers at once store one row, and one of them stored it."""
    clients = [ToolCaller(settings) for _ in range(20)]

    def submit_once(client: ToolCaller) -> dict[str, Any]:
        return submit(client, root, client_request_id="k")

    with ThreadPoolExecutor(max_workers=20) as pool:
        answers = list(pool.map(submit_once, clients))
    assert len({answer["operationId"] for answer in answers}) == 1
    assert sorted(answer["idempotent"] for answer in answers) == [False] + [True] * 19
    with clients[0].store.read() as reader:
        assert reader.open_work()["queued"] == 1


def test_parallel_submissions_with_one_key_and_other_requests_conflict(
    settings: Settings, root: Path
) -> None:
    """One of them wins and all others are told."""
    clients = [ToolCaller(settings) for _ in range(10)]

    def submit_own(client: ToolCaller, number: int) -> dict[str, Any]:
        return submit(client, root, client_request_id="k", message=f"Task {number}.")

    with ThreadPoolExecutor(max_workers=10) as pool:
        answers = list(pool.map(submit_own, clients, range(10)))
    assert sum(answer["ok"] for answer in answers) == 1
    assert {error(answer)["code"] for answer in answers if not answer["ok"]} == {"IDEMPOTENCY_CONFLICT"}


def test_the_slot_limit_is_the_reason_when_all_slots_are_taken(settings: Settings, root: Path) -> None:
    """The caller is told to wait for a slot."""
    client = ToolCaller(replace(settings, max_active_turns_global=1))
    PlayedWorker(client.store).run(submit(client, root)["operationId"])
    answer = submit(client, root, message="Do more.")
    assert answer["queuedReason"] == "global_slot_limit"
    assert answer["nextRecommendedAction"] == "wait_for_worker_slot"
    assert answer["recommendedPollAfterSeconds"] == 5


def test_a_busy_thread_is_the_reason_for_its_next_message(client: ToolCaller, running: str) -> None:
    """A thread runs one turn at a time."""
    assert running
    answer = client.call(TOOL, operation_type="send_message", thread_id="thread-1", message="And now?")
    assert answer["queuedReason"] == "thread_slot_limit"
    assert answer["nextRecommendedAction"] == "wait_for_worker_slot"


def test_a_client_without_a_worker_is_sent_to_the_health_summary(settings: Settings, root: Path) -> None:
    """In mode client nobody starts a worker by himself."""
    client = ToolCaller(replace(settings, execution_mode="client"))
    answer = submit(client, root)
    assert answer["nextRecommendedAction"] == "inspect_worker_health"
    assert answer["recommendedPollAfterSeconds"] == 10
    assert answer["queuedReason"] == "waiting_for_worker"


def test_a_client_with_a_live_worker_waits_for_it(settings: Settings, root: Path) -> None:
    """In mode client a worker that lives is enough."""
    client = ToolCaller(replace(settings, execution_mode="client"))
    PlayedWorker(client.store)
    assert submit(client, root)["nextRecommendedAction"] == "wait_for_background_worker"


def test_submission_survives_the_process(settings: Settings, root: Path) -> None:
    """What was acknowledged is there for another process."""
    answer = submit(ToolCaller(settings), root)
    assert answer["ok"] is True
    other = ToolCaller(settings)
    assert stored(other, answer["operationId"]).state == "queued"


@pytest.mark.parametrize(
    ("tool", "name", "rest"),
    [
        ("codex_submit_task", "message", {"operation_type": "start_chat"}),
        ("codex_submit_task", "client_request_id", {"operation_type": "start_chat", "message": "Go."}),
        ("codex_start_chat", "message", {}),
        ("codex_start_plan_workflow", "client_request_id", {"message": "Plan."}),
        ("codex_start_review_workflow", "instructions", {"target_type": "custom"}),
    ],
)
def test_blanks_are_no_text(
    client: ToolCaller, root: Path, tool: str, name: str, rest: dict[str, JsonValue]
) -> None:
    """They come from a program that left something out; nothing is stored."""
    answer = client.call(tool, project_id=str(root), **{name: " \n\t"}, **rest)
    assert (answer["error"]["code"], answer["error"]["details"]["path"]) == ("INVALID_ARGUMENT", name)
    with client.store.read() as reader:
        assert not reader.queued_operations(limit=1)
