"""The screen of the demo: colours and a spinner on a terminal, plain lines anywhere else."""

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from codex_control_plane_contract.types import Interaction, Operation, ProgressEvent
from codex_control_plane_mcp.testing.demo.verdict import Verdict, report_of

_MARKS = {True: ("✓", "green"), False: ("✗", "bold red")}


class Screen:
    """Shows what happens, with the seconds since the beginning before each line."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._started

    def chapter(self, title: str) -> None:
        """Begin a part of the story."""
        self._console.print()
        self._console.rule(Text(title, style="bold"), align="left", characters="─", style="dim")

    def say(self, text: str, *, style: str = "") -> None:
        """Show one line."""
        line = Text(f"{self.seconds:5.1f} s  ", style="dim")
        line.append(text, style=style or "default")
        self._console.print(line, soft_wrap=True)

    def waiting(self, text: str) -> AbstractContextManager[object]:
        """Show on a terminal that something goes on, during the block."""
        return self._console.status(Text(text, style="dim"))

    def status(self, title: str, status: str) -> None:
        """Show that a task has come to a status."""
        self.say(f"{title}: {status.replace('_', ' ')}", style="cyan")

    def progress(self, title: str, event: ProgressEvent) -> None:
        """Show one thing that Codex did."""
        first, *_ = event["text"].splitlines() or [""]
        self.say(f"{title}:   {first}", style="dim")

    def question(self, title: str, question: Interaction) -> None:
        """Show what Codex asks and how risky it is."""
        risk = question["riskSummary"]
        text = Text(question["prompt"])
        text.append(f"\n{risk['level']} risk: {risk['summary']}", style="yellow")
        self._console.print(
            Panel(text, title=f"{title} asks", title_align="left", border_style="yellow", width=100)
        )

    def report(self, title: str, row: Operation) -> None:
        """Show the final report of a task."""
        self._console.print(
            Panel(
                Text(report_of(row)),
                title=f"{title}: {row['status']}",
                title_align="left",
                border_style="green" if row["status"] == "completed" else "red",
                width=100,
            )
        )

    def tasks(self, rows: Sequence[Operation]) -> None:
        """Show tasks as the server knows them."""
        table = Table(box=None, pad_edge=False, header_style="dim")
        for name in ("task", "status", "operation", "questions"):
            table.add_column(name)
        for row in rows:
            table.add_row(
                Text(row["requestSummary"].get("title", "")),
                Text(row["status"].replace("_", " "), style="cyan"),
                row["operationId"],
                str(len(row.get("pendingInteractions", []))),
            )
        self._console.print(table)

    def verdict(self, verdict: Verdict) -> None:
        """Show what was promised and whether it held."""
        self.chapter("What held")
        for claim in verdict.claims:
            mark, style = _MARKS[claim.held]
            line = Text(f"{mark} ", style=style)
            line.append(claim.text, style="default")
            line.append(f"  ({claim.figures})", style="dim")
            self._console.print(line, soft_wrap=True)
        self._console.print()
        self._console.print(
            Text(
                f"{len(verdict.operations)} operations, {verdict.kills} kills, {verdict.lost} lost, "
                f"{verdict.seconds:.1f} s",
                style="bold green" if verdict.ok else "bold red",
            )
        )

    def broken(self, error: str) -> None:
        """Show why the story broke off."""
        self._console.print(Text(error, style="bold red"), soft_wrap=True)
