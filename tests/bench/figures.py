"""Figures: what was measured, against what, and whether the goal is met."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Literal

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report; ``goal`` is an upper bound of ``value``."""

    name: str
    value: float
    unit: Literal["x", "ms", "min", "bytes", "%", "MB"]
    goal: float | None = None
    basis: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        return None if self.goal is None else self.value <= self.goal


def ratio(name: str, ours: Sequence[float], theirs: Sequence[float], *, goal: float | None) -> Figure:
    """Return the ratio of two medians of seconds that were measured in turn."""
    own, other = median(ours) * 1000, median(theirs) * 1000
    return Figure(name, own / other, "x", goal, f"{own:.2f} ms against {other:.2f} ms, {len(ours)} each")


def show(figures: Sequence[Figure], *, as_json: bool) -> None:
    """Print the figures as a table, or as one JSON array."""
    if as_json:
        print(json.dumps([{**asdict(figure), "met": figure.met} for figure in figures]))  # noqa: T201
        return
    table = Table("figure", "value", "goal", "", "measured", title="codex-control-plane-mcp, one run")
    for figure in figures:
        goal = "" if figure.goal is None else f"≤ {figure.goal:g} {figure.unit}"
        mark = {True: "[green]met[/]", False: "[red]missed[/]", None: ""}[figure.met]
        table.add_row(figure.name, f"{figure.value:,.2f} {figure.unit}", goal, mark, figure.basis)
    Console().print(table)
