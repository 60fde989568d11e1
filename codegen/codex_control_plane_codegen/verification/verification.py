"""A whole verification: every view explored, every promise judged, every edge that nothing takes."""

import multiprocessing
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from codex_control_plane_codegen.facts import Facts
from codex_control_plane_codegen.model import Composition, Condition, Promise, View
from codex_control_plane_codegen.verification.exploration import Exploration, explore
from codex_control_plane_codegen.verification.forgetting import forgetful
from codex_control_plane_codegen.verification.layout import Guard, Layout
from codex_control_plane_codegen.verification.moves import Move, moves_of
from codex_control_plane_codegen.verification.verdicts import Verdict, judge


@dataclass(frozen=True, slots=True)
class Survey:
    """One view: what was explored, the verdicts, and how many seconds it took."""

    view: View
    found: Exploration
    verdicts: Sequence[Verdict]
    seconds: float

    @property
    def sound(self) -> bool:
        """Whether every promise holds and no step raises what it may not."""
        return not self.found.missteps and all(verdict.broken_by is None for verdict in self.verdicts)


@dataclass(frozen=True, slots=True)
class Verification:
    """Every view that was asked for."""

    composition: Composition
    limits: Mapping[str, int]
    """How often each bounded thing may happen."""
    surveys: Sequence[Survey]
    idle: Sequence[str]
    """Edges of the followed lifecycles that no step took, as ``lifecycle: event from state``."""

    @property
    def sound(self) -> bool:
        """Whether every view is."""
        return all(survey.sound for survey in self.surveys)


def verify(
    facts: Facts, composition: Composition, views: Sequence[View], limits: Mapping[str, int]
) -> Verification:
    """Explores the views; `limits` take the place of those of the composition. The spec must be sound."""
    bounds = {bound.name: bound.limit for bound in composition.bounds}
    surveys = _surveys(facts, composition, views, limits)
    idle = tuple(_idle_edges(facts, composition, surveys))
    return Verification(composition, {**bounds, **limits}, surveys, idle)


def _surveys(
    facts: Facts, composition: Composition, views: Sequence[View], limits: Mapping[str, int]
) -> Sequence[Survey]:
    """Explores each view in a process of its own, as many at once as there are processors."""
    if len(views) < 2:
        return [survey(facts, composition, view, limits) for view in views]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(len(views), os.cpu_count() or 1), context) as pool:
        tasks = [pool.submit(survey, facts, composition, view, limits) for view in views]
        return [task.result() for task in tasks]


def survey(facts: Facts, composition: Composition, view: View, limits: Mapping[str, int]) -> Survey:
    """Explores one view and judges the promises in it."""
    begun = time.perf_counter()
    layout, moves = prepare(facts, composition, view, limits)
    found = explore(layout, moves)
    return Survey(view, found, judge(found, composition.promises), time.perf_counter() - begun)


def prepare(
    facts: Facts, composition: Composition, view: View, limits: Mapping[str, int]
) -> tuple[Layout, Sequence[Move]]:
    """The layout of a view's states, and the moves between them."""
    layout = Layout.of(facts, composition, limits)
    moves = [move for move in moves_of(facts, composition, layout) if move.step.name not in view.without]
    asked = [guard for promise in composition.promises for guard in _asked(layout, promise)]
    return layout, forgetful(layout, moves, asked)


def _asked(layout: Layout, promise: Promise) -> Iterator[Guard]:
    conditions: tuple[Condition | None, ...] = (promise.never, promise.whenever, promise.reaches)
    for condition in conditions:
        if condition is not None:
            yield from layout.guards(condition)


def _idle_edges(facts: Facts, composition: Composition, surveys: Sequence[Survey]) -> Iterator[str]:
    lifecycles = {row.name: row.lifecycle for row in composition.rows}
    taken: set[tuple[str, str, str]] = set()
    for each in surveys:
        layout = each.found.layout
        for _, changes in each.found.transactions:
            for change in changes:
                source = layout.parts[layout.places[change.row]].values[change.source]
                taken.add((lifecycles[change.row], change.event, source))
    for name in dict.fromkeys(lifecycles.values()):
        for edge in facts.lifecycles[name].lifecycle.transitions:
            if (name, edge.event, edge.source) not in taken:
                yield f"{name}: {edge.event} from {edge.source}"
