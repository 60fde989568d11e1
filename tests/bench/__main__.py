"""``make bench``: the figures, as ratios measured in one run. Nothing here asserts a time."""

import argparse
import asyncio
import sys
from pathlib import Path

from bench import measurements, scheduling
from bench.compiler import compiler
from bench.figures import Figure, show
from codex_control_plane_mcp.testing.rig import scripted_rig

ROOT = Path(__file__).parents[2]
"""The repository."""


async def measure(*, quick: bool) -> list[Figure]:
    """Return all figures."""
    rounds = 10 if quick else 100
    figures: list[Figure] = []
    _tell("the compiler")
    figures += await asyncio.to_thread(compiler, ROOT, rounds=2 if quick else 9)
    _tell("the scheduler")
    figures += await asyncio.to_thread(scheduling.decisions, queued=10_000, rounds=20 if quick else 500)
    figures += await asyncio.to_thread(scheduling.waits, tasks=50 if quick else 1000)
    figures += await asyncio.to_thread(measurements.duplicates)
    async with scripted_rig() as rig:
        async with rig.open_client() as client:
            _tell("warming up")
            operation_id = (await client.submit(measurements.PROMPT))["operationId"]
            await client.ended(operation_id)
            _tell("whole tasks against straight turns")
            figures += await measurements.tasks(client, rig, rounds=5 if quick else 40)
            figures += await measurements.sizes(client, operation_id=operation_id)
            _tell("idle processes")
            worker = rig.executing_worker()
            assert client.server_pid is not None
            assert worker is not None
            pids = [("server", client.server_pid), ("worker", worker)]
            figures += await asyncio.to_thread(measurements.idle, pids, seconds=3 if quick else 20)
        _tell("cold starts")
        figures += await asyncio.to_thread(measurements.cold_start, rig, rounds=2 if quick else 9)
        # No worker takes these tasks up while the calls are timed.
        await rig.kill_worker()
        async with (
            rig.open_client(CODEX_MCP_EXECUTION_MODE="client") as client,
            measurements.bare_echo() as echo,
        ):
            _tell("calls against a bare echo tool")
            figures += await measurements.calls(client, echo, operation_id=operation_id, rounds=rounds)
    return figures


def main() -> int:
    """Print the figures; return 1 if a goal is missed."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON array")
    parser.add_argument("--quick", action="store_true", help="few rounds: shows that it works, not how fast")
    options = parser.parse_args()
    figures = asyncio.run(measure(quick=options.quick))
    show(figures, as_json=options.json)
    return 0 if all(figure.met is not False for figure in figures) else 1


def _tell(step: str) -> None:
    print(f"bench: {step} …", file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
