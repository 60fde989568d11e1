"""The stage on which messages meet their faults, and which of the cells a plain run takes."""

from collections.abc import AsyncGenerator

import pytest

from codex_control_plane_mcp.testing.crashes.stage import SETTINGS
from codex_control_plane_mcp.testing.faults.fault import ACTIONS
from codex_control_plane_mcp.testing.faults.rig import faulty_rig
from codex_control_plane_mcp.testing.faults.stage import FaultStage
from codex_control_plane_mcp.testing.faults.stories import SUBJECTS

SAMPLE = 13
"""A plain run takes one cell of so many; no multiple of the number of actions, so it meets them all."""


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run async tests on asyncio, the only loop that the product uses."""
    return "asyncio"


@pytest.fixture(scope="session")
async def stage(anyio_backend: str) -> AsyncGenerator[FaultStage]:  # noqa: ARG001 -- anyio wants it
    """A rig for all tests; at its end no process and no file may be left."""
    permissions = "features.request_permissions_tool = true"
    async with (
        faulty_rig(codex_settings=permissions, CODEX_MCP_SILENCE_SECONDS="1", **SETTINGS) as (rig, codex),
        rig.open_client() as client,
    ):
        yield FaultStage(rig, client, codex)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave a sample of the cells, always the same, unless `-m` asks for them."""
    if "faults" in str(config.getoption("markexpr")):
        return
    cells = [item for item in items if item.get_closest_marker("faults")]
    left_out = {*cells} - {*cells[::SAMPLE]}
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line what went wrong on purpose and what came of it."""
    reports = {"passed": list[pytest.TestReport](), "failed": list[pytest.TestReport]()}
    for outcome, found in reports.items():
        found += [report for report in terminalreporter.getreports(outcome) if _met_a_fault(report)]
    if not any(reports.values()):
        return
    seconds = sum(report.duration for found in reports.values() for report in found)
    terminalreporter.write_line(
        f"faults: {len(SUBJECTS)} messages, {len(ACTIONS)} actions; "
        f"{sum(map(len, reports.values()))} stories, "
        f"{len(reports['failed'])} of them with a loss; {seconds:.0f} s"
    )


def _met_a_fault(report: pytest.TestReport) -> bool:
    return any(name == "message" for name, _ in report.user_properties)
