"""The picture of a lifecycle, before it is drawn: boxes within boxes, and as few arrows as say it all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from codex_control_plane_codegen.facts import LifecycleFacts


@dataclass(frozen=True, slots=True)
class Arrow:
    """Events that lead from one box to another; the source of a creation is None."""

    source: str | None
    target: str
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Box:
    """A state, or a drawn group with the boxes in it."""

    name: str
    final: bool = False
    inner: tuple[Box, ...] = ()


@dataclass(frozen=True)
class Diagram:
    """One lifecycle as a picture shows it.

    What would only add ink is left out: an event that leaves the state as it is, and an arrow from each
    member of a group where one from the group says the same.
    """

    facts: LifecycleFacts

    @property
    def name(self) -> str:
        """The lifecycle."""
        return self.facts.lifecycle.name

    @cached_property
    def groups(self) -> Mapping[str, frozenset[str]]:
        """The groups that are drawn: several states, not all of them final, and never two that overlap."""
        drawn: dict[str, frozenset[str]] = {}
        for name, states in self.facts.groups.items():
            members = frozenset(states)
            shown = len(members) > 1 and not members <= {*self.facts.terminal}
            if shown and all(_nested(members, other) for other in drawn.values()):
                drawn[name] = members
        return drawn

    @cached_property
    def boxes(self) -> tuple[Box, ...]:
        """The outermost boxes, in the order of the chart."""
        return tuple(self._boxes(frozenset(self.facts.states)))

    def _boxes(self, states: frozenset[str]) -> Iterator[Box]:
        placed: set[str] = set()
        for name, state in self.facts.states.items():
            if name not in states or name in placed:
                continue
            group = self._largest_group(name, states)
            if group is None:
                yield Box(name, state.final)
            else:
                placed |= self.groups[group]
                yield Box(group, inner=tuple(self._boxes(self.groups[group])))

    def _largest_group(self, state: str, within: frozenset[str]) -> str | None:
        """The largest drawn group that has the state and is a proper part of `within`."""
        fitting = [name for name, members in self.groups.items() if state in members and members < within]
        return max(fitting, key=lambda name: len(self.groups[name]), default=None)

    @cached_property
    def arrows(self) -> tuple[Arrow, ...]:
        """Every arrow, creations first; events between the same two boxes share one."""
        shared: dict[tuple[str | None, str], list[str]] = {}
        for source, event, target in [*self._creations(), *self._moves()]:
            shared.setdefault((source, target), []).append(event)
        return tuple(Arrow(source, target, tuple(events)) for (source, target), events in shared.items())

    def _creations(self) -> Iterator[tuple[None, str, str]]:
        for name, event in self.facts.creations.items():
            if event.creates is not None:
                yield None, name, event.creates

    def _moves(self) -> Iterator[tuple[str, str, str]]:
        sources: dict[tuple[str, str], list[str]] = {}
        for (source, event), target in self.facts.targets.items():
            if source != target:
                sources.setdefault((event, target), []).append(source)
        for (event, target), states in sources.items():
            for source in self._gathered(states, target):
                yield source, event, target

    def _gathered(self, states: list[str], target: str) -> Iterator[str]:
        """The states; in place of those that make up a group without the target, that group."""
        left = list(states)
        by_size = sorted(self.groups.items(), key=lambda item: -len(item[1]))
        for name, members in by_size:
            if members <= set(left) and target not in members:
                yield name
                left = [state for state in left if state not in members]
        yield from left


def _nested(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether one of two boxes can be drawn within the other, or both side by side."""
    return one < other or other < one or not one & other
