"""The stage on which the crash tests of one process play, and which of them a plain run takes."""

import os
from collections.abc import AsyncGenerator

import pytest

from codex_control_plane_contract.fail_points import FAIL_POINTS
from codex_control_plane_mcp.testing.crashes.stage import SETTINGS, Stage
from codex_control_plane_mcp.testing.rig import scripted_rig
from composition.transactions import unmodelled

SAMPLE = 14
"""A plain run takes one crash of so many."""


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run async tests on asyncio, the only loop that the product uses."""
    return "asyncio"


@pytest.fixture(scope="session")
async def stage(anyio_backend: str) -> AsyncGenerator[Stage]:  # noqa: ARG001 -- anyio wants it
    """A rig for all tests; at its end no process and no file may be left.

    Whatever broke, each commit was one of those that `codegen verify` explores.
    """
    async with scripted_rig(**SETTINGS) as rig, rig.open_client() as client:
        yield Stage(rig, client)
        assert unmodelled(rig.store.path) == []


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave a sample of the crashes, always the same, and no pairs, unless `-m` asks for them."""
    asked = str(config.getoption("markexpr"))
    if "crash" in asked:
        return
    crashes = [item for item in items if item.get_closest_marker("crash")]
    left_out = {*crashes, *(item for item in items if item.get_closest_marker("crash_pairs"))}
    left_out -= {*crashes[::SAMPLE]}
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a whole run (`make crash`) that has not reached every fail point that the compiler emits."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not os.environ.get("WHOLE") or not isinstance(reporter, pytest.TerminalReporter):
        return
    left = sorted({*FAIL_POINTS} - {_point(report) for report in reporter.getreports("passed")})
    if left:
        reporter.write_line(f"crash: not reached: {', '.join(left[:10])}{' …' if len(left) > 10 else ''}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line what was broken and what came of it."""
    reports = {"passed": list[pytest.TestReport](), "failed": list[pytest.TestReport]()}
    for outcome, found in reports.items():
        found += [report for report in terminalreporter.getreports(outcome) if _point(report)]
    if not any(reports.values()):
        return
    passed = {_point(report) for report in reports["passed"]}
    seconds = sum(report.duration for found in reports.values() for report in found)
    terminalreporter.write_line(
        f"crash: {len(passed)} of {len(FAIL_POINTS)} fail points reached; "
        f"{sum(map(len, reports.values()))} faults, "
        f"{len(reports['failed'])} of them with a loss; {seconds:.0f} s of stories"
    )


def _point(report: pytest.TestReport) -> str | None:
    return next((str(value) for name, value in report.user_properties if name == "point"), None)
