"""A real server process in an environment of its own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from codex_control_plane_mcp.testing.raw_client import RawClient


@pytest.fixture
def anyio_backend() -> str:
    """The event loop of asynchronous tests."""
    return "asyncio"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a server with a root and a state file of its own, which starts no worker."""
    root = tmp_path / "root"
    root.mkdir()
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "CODEX_ALLOWED_ROOTS": str(root),
        "CODEX_MCP_STATE_DB": str(tmp_path / "state/state.sqlite"),
        "CODEX_MCP_EXECUTION_MODE": "client",
    }


@pytest.fixture
def raw(environment: dict[str, str]) -> Iterator[RawClient]:
    """A raw client of a server that has just been started."""
    with RawClient(environment) as client:
        yield client
