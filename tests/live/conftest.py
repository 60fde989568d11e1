"""Fixtures of the live tests: a real app-server in its own directory, with a scripted model behind it."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from codex_control_plane_mcp.codex.app_server_record import RunningAppServer
from codex_control_plane_mcp.testing.live_app_server import live_app_server
from codex_control_plane_mcp.testing.scripted_model import ScriptedModel
from codex_control_plane_mcp.testing.scripted_model import codex_home as write_codex_home


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
