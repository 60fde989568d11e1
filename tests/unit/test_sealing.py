"""Sealed answers: a secret is nowhere in the clear while it waits in the store."""

import json
import sqlite3
import threading
from pathlib import Path

import pytest

from codex_control_plane_contract.lifecycles import interaction
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.sealing import SealBroken, opened, sealed, spent
from codex_control_plane_mcp.store import Fence, Store
from codex_control_plane_mcp.testing.sample_rows import SampleRows

SECRET = "correct-horse-battery-staple"
ANSWER: JsonObject = {"answers": {"password": [SECRET]}}


def test_what_was_sealed_opens(tmp_path: Path) -> None:
    """The answer comes back as it was, and the sealed form does not hold it."""
    box = sealed(ANSWER, tmp_path)
    assert SECRET not in json.dumps(box)
    assert opened(box, tmp_path) == ANSWER


def test_the_key_is_private(tmp_path: Path) -> None:
    """The key is a file of mode 0600 and the only one that is left."""
    sealed(ANSWER, tmp_path)
    (key,) = tmp_path.iterdir()
    assert key.stat().st_mode & 0o777 == 0o600


def test_an_open_answer_is_itself(tmp_path: Path) -> None:
    """An answer that was never sealed, or is spent, needs no key and makes none."""
    assert opened(ANSWER, tmp_path) == ANSWER
    assert opened({"sealed": None}, tmp_path) == {"sealed": None}
    assert list(tmp_path.iterdir()) == []


def test_a_delivered_secret_is_dropped(tmp_path: Path) -> None:
    """Of a sealed answer nothing is kept; one that holds no secret stays."""
    assert spent(sealed(ANSWER, tmp_path)) == {"sealed": None}
    assert spent(ANSWER) is None


@pytest.mark.parametrize("other_key", [None, b"no key at all", b"A" * 43 + b"="])
def test_without_its_key_the_seal_is_broken(tmp_path: Path, other_key: bytes | None) -> None:
    """A missing or another key is reported as such, and no new one is made in its place."""
    box = sealed(ANSWER, tmp_path)
    key = tmp_path / "secret.key"
    key.unlink()
    if other_key is not None:
        key.write_bytes(other_key)
    with pytest.raises(SealBroken):
        opened(box, tmp_path)
    assert key.exists() == (other_key is not None)


def test_all_who_seal_first_use_one_key(tmp_path: Path) -> None:
    """Many who seal at once in a new directory agree on the key."""
    boxes: list[JsonObject] = []
    start = threading.Barrier(8)

    def seal() -> None:
        start.wait()
        boxes.append(sealed(ANSWER, tmp_path))

    threads = [threading.Thread(target=seal) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [opened(box, tmp_path) for box in boxes] == [ANSWER] * 8
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


def test_a_secret_is_nowhere_in_the_store(store: Store, samples: SampleRows, fence: Fence) -> None:
    """Neither the database, nor its log, nor its shared memory ever hold the answer in the clear."""
    directory = store.path.parent
    row = samples.row("interaction", "pending")
    assert isinstance(row, interaction.Pending)
    with store.transaction("srv") as (transaction, _):
        answering = transaction.apply(row.answer(response=sealed(ANSWER, directory)))
    assert opened(answering.response, directory) == ANSWER
    assert_nowhere(SECRET, directory)
    token = answering.response["sealed"]
    assert isinstance(token, str)
    with store.transaction("wrk_test", fence) as (transaction, _):
        spent_answer = transaction.apply(
            answering.confirm(response=spent(answering.response)), evidence="serverRequest/resolved"
        )
    assert spent_answer.response == {"sealed": None}
    assert_nowhere(SECRET, directory)


def assert_nowhere(secret: str, directory: Path) -> None:
    """Check every file of the directory, before and after its log is moved into the database."""
    names = {path.name for path in directory.iterdir() if path.is_file()}
    assert {"state.sqlite", "state.sqlite-wal", "state.sqlite-shm"} <= names
    for checkpointed in (False, True):
        for path in directory.iterdir():
            assert not path.is_file() or secret.encode() not in path.read_bytes(), (path, checkpointed)
        connection = sqlite3.connect(directory / "state.sqlite")
        connection.execute("PRAGMA wal_checkpoint(FULL)")
        connection.close()
