"""Chaos: random tasks, random deaths, and at the end nothing lost, nothing doubled, nothing stuck.

``make chaos N=300 SEED=7``. Everything but the model is real; between worker and Codex stands a proxy that
cuts connections. The seed fixes the tasks, the order of the blows and what is cut; when each blow falls is up
to the machine.
"""

import argparse
import asyncio
import json
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from codex_control_plane_mcp.testing import residue
from codex_control_plane_mcp.testing.chaos.errands import draw
from codex_control_plane_mcp.testing.chaos.line import Line
from codex_control_plane_mcp.testing.chaos.person import Person
from codex_control_plane_mcp.testing.chaos.promises import Promises
from codex_control_plane_mcp.testing.chaos.reckoning import Audit, Reckoning, no_audit, reckon
from codex_control_plane_mcp.testing.chaos.wrecker import Victim, Wrecker
from codex_control_plane_mcp.testing.crashes.verdict import awaited, open_rows
from codex_control_plane_mcp.testing.faults.fault import Script, Weather
from codex_control_plane_mcp.testing.faults.faulty_codex import FaultyCodex
from codex_control_plane_mcp.testing.faults.rig import faulty_rig
from codex_control_plane_mcp.testing.rig import ScriptedRig

_SETTINGS: Final = {"CODEX_MCP_LEASE_SECONDS": "3", "CODEX_MCP_RETRY_SECONDS": "1"}
_CODEX_SETTINGS: Final = "features.request_permissions_tool = true"
_DUST_SECONDS: Final = 60.0
"""Longest time, after the last blow, in which every row comes to its end."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run says in one line, and what is wrong in sentences."""

    seed: int
    seconds: float
    kills: Mapping[Victim, int]
    stops: Mapping[Victim, int]
    cuts: int
    reckoning: Reckoning

    @property
    def line(self) -> str:
        """The figures of the run."""
        found = self.reckoning
        return (
            f"chaos: {sum(found.endings.values())} operations, "
            f"{sum(found.workflow_endings.values())} workflows, {sum(self.kills.values())} kills, "
            f"{sum(self.stops.values())} stops, {self.cuts} cuts, {len(found.lost)} lost, "
            f"{len(found.doubled)} doubled, {len(found.stuck)} stuck, {self.seconds:.0f} s, seed {self.seed}"
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """How many errands, drawn from which seed, by how many persons.

    `pace` is the seconds from blow to blow, `cuts` the share of messages at which the connection is cut. If
    something is wrong at the end, the store, Codex's own files and all messages are copied to `keep`.
    """

    errands: int = 60
    seed: int = 1
    persons: int = 4
    pace: float = 0.25
    cuts: float = 0.005
    keep: Path | None = None


async def run(plan: Plan, progress: Progress | None = None, *, audit: Audit = no_audit) -> Outcome:
    """Have the errands done while something dies now and then; return what became of them."""
    async with faulty_rig(_cutting(plan, 0), codex_settings=_CODEX_SETTINGS, **_SETTINGS) as (rig, codex):
        chaos = _Chaos(rig, codex, plan, audit)
        return await chaos.unfold(progress or Progress(disable=True))


def _cutting(plan: Plan, blow: int) -> Script:
    """Return which messages cut their connection after so many blows.

    A proxy that starts anew counts anew: its first messages would meet what those before them have met.
    """
    return Script(weather=Weather(plan.seed + blow, plan.cuts, ("cut_before", "cut_after")))


@dataclass(frozen=True, slots=True)
class _Chaos:
    """One run on a rig."""

    rig: ScriptedRig
    codex: FaultyCodex
    plan: Plan
    audit: Audit

    async def unfold(self, progress: Progress) -> Outcome:
        """Let it happen."""
        started = time.monotonic()
        promises, errands = Promises(), draw(self.plan.errands, self.plan.seed)
        lines = [Line(self.rig.environment) for _ in range(self.plan.persons)]
        crowd = [Person(line, str(self.rig.project), self.rig.model.gates, promises) for line in lines]
        wrecker = Wrecker(self.rig, lines, self.plan.seed, pace=self.plan.pace)
        done = progress.add_task("errands done", total=self.plan.errands)
        blows = progress.add_task("blows", total=None)
        numbers = count(1)

        def struck() -> None:
            progress.advance(blows)
            self.codex.play(_cutting(self.plan, next(numbers)))

        wrecking = asyncio.create_task(wrecker.run(struck), name="wrecker")

        def ended() -> None:
            progress.advance(done)
            wrecker.calm_down()

        working = asyncio.gather(*(one.work(errands, ended) for one in crowd))
        try:
            await _while_alive(working, wrecking)
            await wrecker.relent()
            self.codex.play(Script())
            await awaited(self.rig.store, lambda: not open_rows(self.rig.store), _DUST_SECONDS)
            reckoning = await reckon(self.rig, promises, self.audit)
            if reckoning.complaints and self.plan.keep is not None:
                await asyncio.to_thread(_copy, self.rig.directory, self.plan.keep)
        finally:
            await wrecker.relent()
            for line in lines:
                line.hang_up()
            residue.kill(await residue.sandboxes_of(self.rig.directory))
        return Outcome(
            seed=self.plan.seed,
            seconds=time.monotonic() - started,
            kills=wrecker.kills,
            stops=wrecker.stops,
            cuts=len(self.codex.struck()),
            reckoning=reckoning,
        )


def _copy(directory: Path, target: Path) -> None:
    """Copy the files of a rig, without its sockets and pipes."""

    def special(folder: str, names: list[str]) -> list[str]:
        return [name for name in names if not (Path(folder, name).is_file() or Path(folder, name).is_dir())]

    shutil.copytree(directory, target, symlinks=True, ignore=special)


async def _while_alive(working: asyncio.Future[list[None]], wrecking: asyncio.Task[None]) -> None:
    """Return once all errands are done; the wrecker ends then, and a fault of either ends both."""
    try:
        await asyncio.wait((working, wrecking), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in (working, wrecking):
            each.cancel()
        await asyncio.gather(working, wrecking, return_exceptions=True)
    for each in (working, wrecking):
        if not each.cancelled() and (fault := each.exception()) is not None:
            raise fault


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as the options say; return 0 if nothing is lost, doubled, stuck or broken, else 1."""
    options = _parser().parse_args(arguments)
    console = Console(quiet=options.json, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        plan = Plan(options.errands, options.seed, options.persons, options.pace, options.cuts, options.keep)
        outcome = asyncio.run(run(plan, progress))
    _show(outcome, console)
    if options.json:
        sys.stdout.write(f"{json.dumps({'line': outcome.line, **asdict(outcome)}, indent=2)}\n")
    return 1 if outcome.reckoning.complaints else 0


def _show(outcome: Outcome, console: Console) -> None:
    for complaint in outcome.reckoning.complaints:
        console.print(f"✗ {complaint}", style="bold red", soft_wrap=True)
    for name, counts in (
        ("endings", outcome.reckoning.endings),
        ("workflows", outcome.reckoning.workflow_endings),
        ("kills", outcome.kills),
        ("stops", outcome.stops),
    ):
        counted = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
        console.print(f"{name}: {counted or 'none'}", soft_wrap=True)
    console.print(outcome.line, style="bold", soft_wrap=True)


def _parser() -> argparse.ArgumentParser:
    default = Plan()
    parser = argparse.ArgumentParser(
        prog="chaos",
        description="Random tasks on a real Codex while servers, workers and app-servers are killed and "
        "stopped at random. Prints one line: operations, workflows, kills, stops, cuts, lost, doubled, "
        "stuck, seconds, seed.",
        epilog="exit code: 0 nothing is wrong; 1 something is, and the lines above the last say what",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--errands", "-n", type=int, default=default.errands, help="how many tasks, about")
    parser.add_argument("--seed", type=int, default=default.seed, help="which tasks, and which blows")
    parser.add_argument("--persons", type=int, default=default.persons, help="clients, each with a server")
    parser.add_argument(
        "--pace", type=float, default=default.pace, help="seconds from blow to blow in a storm"
    )
    parser.add_argument(
        "--cuts", type=float, default=default.cuts, help="share of messages that cut a connection"
    )
    parser.add_argument("--keep", type=Path, help="copy all files there if something is wrong")
    parser.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    return parser
