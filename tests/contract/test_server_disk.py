"""A disk that says no under a real server: the caller hears what to do, and then all goes on by itself."""

import contextlib
import resource
import sqlite3
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import cast

import pytest

from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.store import Store
from codex_control_plane_mcp.testing.raw_client import RawClient


@pytest.fixture
def client(environment: dict[str, str]) -> Iterator[RawClient]:
    """A client of a server that waits for a lock for a second."""
    environment["CODEX_MCP_STATE_BUSY_SECONDS"] = "1"
    with RawClient(environment, bound=60) as raw:
        raw.initialize()
        yield raw


def submit(client: RawClient, root: Path, key: str) -> JsonObject:
    """Submit a task under a key; return the structured answer."""
    arguments: JsonObject = {
        "operation_type": "start_chat",
        "cwd": str(root),
        "message": f"Do {key}.",
        "client_request_id": key,
    }
    return cast("JsonObject", client.call("codex_submit_task", arguments)["structuredContent"])


def error(answer: JsonObject) -> JsonObject:
    """Return the error of an answer that is one."""
    assert answer["ok"] is False, answer
    return cast("JsonObject", answer["error"])


@contextlib.contextmanager
def locked(path: Path) -> Generator[None]:
    """Hold the write lock of the store, as a process does that was stopped in the middle of a commit."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


@contextlib.contextmanager
def no_growth(pid: int, path: Path) -> Generator[None]:
    """Let no file of a process grow beyond what the log of the store has now."""
    size = path.with_name(f"{path.name}-wal").stat().st_size
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


def test_a_store_that_stays_locked_is_busy(
    client: RawClient, environment: dict[str, str], tmp_path: Path
) -> None:
    """Past the budget the caller hears CODEX_STATE_BUSY, and the same key is safe once the lock is gone."""
    root, path = tmp_path / "root", Path(environment["CODEX_MCP_STATE_DB"])
    submit(client, root, "first")
    with locked(path):
        refused = error(submit(client, root, "second"))
        assert (refused["code"], refused["retryable"]) == ("CODEX_STATE_BUSY", True)
    assert submit(client, root, "second")["idempotent"] is False


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="another process's limits are set on Linux only")
def test_a_disk_without_room_is_told_and_outlived(
    client: RawClient, environment: dict[str, str], tmp_path: Path
) -> None:
    """While the log cannot grow nothing is acknowledged; with room again the same server goes on."""
    root, path = tmp_path / "root", Path(environment["CODEX_MCP_STATE_DB"])
    acknowledged = [submit(client, root, "first")["operationId"]]
    with no_growth(client.pid, path):
        refused = error(submit(client, root, "second"))
        assert refused["code"] == "CODEX_STATE_UNUSABLE"
        assert "the disk" in str(refused["message"])
    acknowledged.append(submit(client, root, "second")["operationId"])
    with Store.open(path) as store, store.read() as reader:
        assert [reader.operation(str(operation_id)) is not None for operation_id in acknowledged] == [
            True
        ] * 2
        assert len([row for row in reader.journal(limit=10) if row.event == "submit"]) == 2
