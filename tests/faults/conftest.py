"""The stage on which messages meet their faults, and which of the cells a plain run takes."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from codex_control_plane_mcp.testing.crashes.stage import SETTINGS
from codex_control_plane_mcp.testing.faults.faulty_codex import FaultyCodex
from codex_control_plane_mcp.testing.faults.stage import FaultStage
from codex_control_plane_mcp.testing.rig import scripted_rig

SAMPLE = 13
"""A plain run takes one cell of so many; no multiple of the number of actions, so it meets them all."""


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run async tests on asyncio, the only loop that the product uses."""
    return "asyncio"


@pytest.fixture(scope="session")
async def stage(anyio_backend: str) -> AsyncGenerator[FaultStage]:  # noqa: ARG001 -- anyio wants it
    """A rig for all tests; at its end no process and no file may be left."""
    async with scripted_rig(codex_settings="features.request_permissions_tool = true", **SETTINGS) as rig:
        codex = FaultyCodex(rig.directory, Path(rig.environment["CODEX_BINARY_PATH"]))
        rig.environment["CODEX_BINARY_PATH"] = str(codex.program)
        async with rig.open_client() as client:
            yield FaultStage(rig, client, codex)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave a sample of the cells, always the same, unless `-m` asks for them."""
    if "faults" in str(config.getoption("markexpr")):
        return
    cells = [item for item in items if item.get_closest_marker("faults")]
    left_out = {*cells} - {*cells[::SAMPLE]}
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]
