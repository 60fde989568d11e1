"""Fixtures of the live tests: a real app-server in its own directory, with a scripted model behind it."""

from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest

from codex_control_plane_mcp.codex.app_server_record import RunningAppServer
from codex_control_plane_mcp.store.conformance import first_violation
from codex_control_plane_mcp.testing.live_app_server import live_app_server
from codex_control_plane_mcp.testing.rig import ScriptedRig, scripted_rig
from codex_control_plane_mcp.testing.scripted_model import ScriptedModel
from codex_control_plane_mcp.testing.scripted_model import codex_home as write_codex_home
from codex_control_plane_mcp.testing.sdk_client import Mode
from codex_control_plane_mcp.testing.task_client import TaskClient


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run async tests on asyncio, the only loop that the product uses."""
    return "asyncio"


@pytest.fixture
def state_directory(tmp_path: Path) -> Path:
    """A private state directory, empty."""
    directory = tmp_path / "state"
    directory.mkdir(mode=0o700)
    return directory


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A directory for Codex to work in, empty."""
    directory = tmp_path / "project"
    directory.mkdir()
    return directory


@pytest.fixture
async def scripted_model(anyio_backend: str) -> AsyncGenerator[ScriptedModel]:  # noqa: ARG001 -- anyio wants it
    """A scripted model, serving in this process."""
    async with ScriptedModel() as model:
        yield model


@pytest.fixture
def codex_home(tmp_path: Path, scripted_model: ScriptedModel) -> Path:
    """A Codex home whose model is the scripted one."""
    return write_codex_home(tmp_path / "home", scripted_model.port)


@pytest.fixture
async def app_server(state_directory: Path, codex_home: Path) -> AsyncGenerator[RunningAppServer]:
    """A real app-server; at the end, whichever listens in its place is ended and nothing may be left."""
    async with live_app_server(state_directory, codex_home) as running:
        yield running


@pytest.fixture(autouse=True)
def conforming_rig(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each test, replays the state file of the rig that the tests of its module share."""
    shared: ScriptedRig | None = request.getfixturevalue("rig") if "rig" in request.fixturenames else None
    yield
    assert shared is None or first_violation(shared.store.path) is None


@pytest.fixture(scope="module")
async def rig(anyio_backend: str) -> AsyncGenerator[ScriptedRig]:  # noqa: ARG001 -- anyio wants it
    """A rig for all tests of a module, in which every prompt reaches the model once at most."""
    async with scripted_rig(codex_settings="features.request_permissions_tool = true") as opened:
        yield opened
        assert set(opened.seen().values()) <= {1}


@pytest.fixture(scope="module", params=["auto", "legacy"])
async def client(rig: ScriptedRig, request: pytest.FixtureRequest) -> AsyncGenerator[TaskClient]:
    """A client of a server of its own, in both protocol generations."""
    mode: Mode = request.param
    async with rig.open_client(mode) as opened:
        yield opened
