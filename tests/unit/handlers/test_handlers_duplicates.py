"""codex_submit_task: the same work twice at once is refused, unless both are meant (contract §7)."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from codex_control_plane_contract.settings import Settings
from codex_control_plane_contract.values import JsonValue
from codex_control_plane_mcp.testing.played_worker import PlayedWorker
from codex_control_plane_mcp.testing.tool_caller import ToolCaller

TOOL = "codex_submit_task"
PROMPT = "Add a test for every public function of the module orders.py, and make all of them pass."
NEARLY = PROMPT.replace("Add a test", "Add one test")
OTHER = "Replace the hand-written parser of dates with the one of the standard library in all of src."
SCHEMA: JsonValue = {
    "type": "object",
    "properties": {"done": {"type": "boolean"}},
    "required": ["done"],
    "additionalProperties": False,
}


def submit(client: ToolCaller, cwd: Path, message: str = PROMPT, **arguments: JsonValue) -> dict[str, Any]:
    """Submit a start_chat."""
    return client.call(TOOL, operation_type="start_chat", cwd=str(cwd), message=message, **arguments)


def details(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the details of a refusal as a duplicate."""
    assert answer["error"]["code"] == "CODEX_DUPLICATE_PROMPT_ACTIVE"
    found: dict[str, Any] = answer["error"]["details"]
    return found


def test_the_same_prompt_is_refused_while_it_is_active(client: ToolCaller, root: Path) -> None:
    """The error names the first task, so that the caller can poll it."""
    first = submit(client, root)
    assert details(submit(client, root)) == {
        "existingOperationId": first["operationId"],
        "status": "queued",
        "similarity": 1.0,
    }


def test_the_error_names_thread_and_turn_once_they_are_known(
    client: ToolCaller, root: Path, worker: PlayedWorker
) -> None:
    """A running duplicate is named as Codex knows it."""
    first = submit(client, root)
    worker.run(first["operationId"])
    found = details(submit(client, root))
    assert (found["status"], found["threadId"]) == ("running", "thread-1")
    assert found["turnId"]


@pytest.mark.parametrize(
    "same",
    [
        f"  {PROMPT}\n\n",
        PROMPT.upper(),
        PROMPT.replace(" ", "\t\n"),
        PROMPT.replace("fi", "\N{LATIN SMALL LIGATURE FI}"),
    ],
)
def test_case_white_space_and_ligatures_make_no_other_prompt(
    client: ToolCaller, root: Path, same: str
) -> None:
    """Prompts are compared normalised."""
    submit(client, root)
    assert details(submit(client, root, same))["similarity"] == 1


def test_nearly_the_same_prompt_is_refused(client: ToolCaller, root: Path) -> None:
    """The error says how alike they are."""
    submit(client, root)
    assert 0.9 <= details(submit(client, root, NEARLY))["similarity"] < 1


def test_another_prompt_is_taken(client: ToolCaller, root: Path) -> None:
    """Only likeness counts."""
    submit(client, root)
    assert submit(client, root, OTHER)["ok"]


def test_short_prompts_are_duplicates_only_when_they_are_the_same(client: ToolCaller, root: Path) -> None:
    """Under 40 characters one letter may be all the difference."""
    submit(client, root, "Fix ticket 4711 in the shop, please.")
    assert submit(client, root, "Fix ticket 4712 in the shop, please.")["ok"]
    assert details(submit(client, root, "fix ticket 4711 in the shop, please."))["similarity"] == 1


def test_a_long_prompt_is_known_by_its_pieces(client: ToolCaller, root: Path) -> None:
    """200,000 characters with a changed sentence are the same work; others of that length are not."""
    lines = [
        f"Rename function number {n} of package {n * 7919 % 1013} to follow its neighbours."
        for n in range(3000)
    ]
    text = "\n".join(lines)[:199_000]
    submit(client, root, text)
    assert details(submit(client, root, f"{text}\nBegin with the last."))["similarity"] >= 0.9
    others = "\n".join(f"{n * 6007 % 977}: {line[::-1]}" for n, line in enumerate(lines))
    assert submit(client, root, others[:199_000])["ok"]


def test_a_finished_duplicate_never_blocks(client: ToolCaller, root: Path, worker: PlayedWorker) -> None:
    """The same may be asked for again."""
    first = submit(client, root)
    worker.run(first["operationId"])
    worker.complete(first["operationId"])
    assert submit(client, root)["operationId"] != first["operationId"]


def test_another_project_is_other_work(client: ToolCaller, root: Path) -> None:
    """The guard looks at one project."""
    (root / "other").mkdir()
    submit(client, root)
    assert submit(client, root / "other")["ok"]


def test_the_schema_of_the_report_is_part_of_the_identity(client: ToolCaller, root: Path) -> None:
    """The same words for another report are another task; with the same schema they are not."""
    submit(client, root)
    assert submit(client, root, output_schema=SCHEMA)["ok"]
    assert details(submit(client, root, output_schema=SCHEMA))


@pytest.mark.parametrize("way", [{"force": True}, {"dedup_policy": "idempotency_only"}])
def test_a_duplicate_that_is_meant_is_taken(
    client: ToolCaller, root: Path, way: dict[str, JsonValue]
) -> None:
    """The caller can say so; the next one without a word is refused again."""
    submit(client, root)
    assert submit(client, root, PROMPT, **way)["ok"]
    assert details(submit(client, root))


@pytest.mark.parametrize(
    ("keys", "taken"),
    [
        ((["src"], ["docs"]), True),
        ((["src/a", "x"], ["src/b"]), True),
        ((["src"], ["srcs"]), True),
        ((["src"], ["src"]), False),
        ((["src/a"], ["src"]), False),
        ((["src"], ["docs", "src/a/b"]), False),
        ((["src"], list[str]()), False),
    ],
)
@pytest.mark.parametrize("policy", ["active_prompt_guard", "allow_parallel_with_resource_keys"])
def test_tasks_on_other_paths_are_no_duplicates(
    client: ToolCaller, root: Path, policy: str, keys: tuple[list[JsonValue], list[JsonValue]], taken: bool
) -> None:
    """Both must name paths, and none may lie in one of the other's."""
    mine, theirs = keys
    assert submit(client, root, resource_keys=theirs)["ok"]
    assert submit(client, root, resource_keys=mine, dedup_policy=policy)["ok"] is taken


def test_parallel_work_by_keys_needs_keys(client: ToolCaller, root: Path) -> None:
    """The policy that names the keys is a mistake without them."""
    answer = submit(client, root, dedup_policy="allow_parallel_with_resource_keys")
    assert answer["error"]["details"]["path"] == "resource_keys"


def test_a_known_key_is_answered_before_the_guard_looks(client: ToolCaller, root: Path) -> None:
    """A repetition is no duplicate of itself."""
    first = submit(client, root, client_request_id="k")
    again = submit(client, root, client_request_id="k")
    assert (again["operationId"], again["idempotent"]) == (first["operationId"], True)


def test_of_twenty_at_once_one_is_taken(settings: Settings, root: Path) -> None:
    """The guard decides in the transaction that stores the task."""
    clients = [ToolCaller(settings) for _ in range(20)]

    def submit_one(client: ToolCaller) -> dict[str, Any]:
        return submit(client, root)

    with ThreadPoolExecutor(max_workers=20) as pool:
        answers = list(pool.map(submit_one, clients))
    taken = [answer["operationId"] for answer in answers if answer["ok"]]
    assert len(taken) == 1
    assert {details(answer)["existingOperationId"] for answer in answers if not answer["ok"]} == set(taken)


def test_a_finished_thread_is_continued_only_on_request(
    client: ToolCaller, root: Path, worker: PlayedWorker
) -> None:
    """With allow_historical_continuation the thread of the finished duplicate is used again."""
    first = submit(client, root)
    worker.run(first["operationId"])
    worker.complete(first["operationId"])
    fresh = submit(client, root)
    assert "threadId" not in fresh
    continued = submit(client, root, allow_historical_continuation=True, force=True)
    assert continued["threadId"] == "thread-1"
    status = client.call("codex_get_operation_status", operation_id=continued["operationId"])
    assert status["dedupState"] == {
        "policy": "active_prompt_guard",
        "repeatsOperationId": first["operationId"],
    }


def test_without_a_finished_duplicate_a_new_thread_is_opened(client: ToolCaller, root: Path) -> None:
    """allow_historical_continuation allows; it does not demand."""
    assert "threadId" not in submit(client, root, allow_historical_continuation=True)


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({"operation_type": "start_chat", "thread_mode": "continue_thread"}, "thread_mode"),
        ({"operation_type": "send_message", "thread_id": "t", "thread_mode": "new_thread"}, "thread_mode"),
        (
            {
                "operation_type": "start_chat",
                "thread_mode": "new_thread",
                "allow_historical_continuation": True,
            },
            "allow_historical_continuation",
        ),
    ],
)
def test_a_thread_mode_that_contradicts_is_refused(
    client: ToolCaller, root: Path, arguments: dict[str, JsonValue], path: str
) -> None:
    """Two arguments that say different things are a mistake of the caller."""
    answer = client.call(TOOL, cwd=str(root), message=PROMPT, **arguments)
    assert answer["error"]["details"]["path"] == path
