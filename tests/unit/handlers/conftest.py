"""A client, a store and a played worker for tests of the handlers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from codex_control_plane_contract.settings import Settings
from codex_control_plane_mcp.testing.played_worker import PlayedWorker
from codex_control_plane_mcp.testing.tool_caller import ToolCaller


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The allowed root."""
    directory = tmp_path / "root"
    directory.mkdir()
    return directory


@pytest.fixture
def settings(tmp_path: Path, root: Path) -> Settings:
    """Settings with one root and a state file of their own."""
    return Settings(allowed_roots=(root,), state_db=tmp_path / "state" / "state.sqlite")


@pytest.fixture
def client(settings: Settings) -> Iterator[ToolCaller]:
    """A client of the tools."""
    caller = ToolCaller(settings)
    yield caller
    caller.close()


@pytest.fixture
def worker(client: ToolCaller) -> PlayedWorker:
    """A worker that holds the lease."""
    return PlayedWorker(client.store)


@pytest.fixture
def task(client: ToolCaller, root: Path) -> str:
    """The id of a queued task."""
    answer = client.call("codex_submit_task", operation_type="start_chat", cwd=str(root), message="Do it.")
    operation_id: str = answer["operationId"]
    return operation_id


@pytest.fixture
def running(task: str, worker: PlayedWorker) -> str:
    """The id of a task whose turn runs."""
    worker.run(task)
    return task
