"""What follows from a model, derived once and used by the checks and by every emitter.

Nothing here fails on a name that leads nowhere: it is passed over, and the checks report it.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, TypeAlias

from codex_control_plane_codegen.documents import Document
from codex_control_plane_codegen.model import Actor, Column, Event, Follows, Lifecycle, Model, State, Tool

Cell: TypeAlias = Literal["transition", "ignored", "illegal", "conflict"]

NOTHING: Final = "nothing"
"""What a follower says where a state of a followed row has no consequence."""


@dataclass(frozen=True)
class LifecycleFacts:
    """What follows from one lifecycle."""

    lifecycle: Lifecycle

    @cached_property
    def key(self) -> str:
        """The column that holds the id."""
        return f"{self.lifecycle.name}_id"

    @cached_property
    def states(self) -> Mapping[str, State]:
        """Every state by its name, in the order of the chart."""
        return {state.name: state for state in self.lifecycle.states}

    @cached_property
    def columns(self) -> Mapping[str, Column]:
        """Every column of the record by its name."""
        return {column.name: column for column in self.lifecycle.columns}

    @cached_property
    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """The states of every group, nested groups flattened."""
        return {group.name: self.flatten((group.name,)) for group in self.lifecycle.groups}

    def flatten(self, names: Iterable[str]) -> tuple[str, ...]:
        """The states that these states and groups stand for, each once and in the order of the chart."""
        members = {group.name: group.members for group in self.lifecycle.groups}
        seen: set[str] = set()
        waiting = deque(names)
        while waiting:
            name = waiting.popleft()
            if name not in seen:
                seen.add(name)
                waiting.extend(members.get(name, ()))
        return tuple(name for name in self.states if name in seen)

    @cached_property
    def initial(self) -> str | None:
        """The initial state of the chart."""
        return next((state.name for state in self.lifecycle.states if state.initial), None)

    @cached_property
    def terminal(self) -> tuple[str, ...]:
        """The states that nothing leaves."""
        return tuple(state.name for state in self.lifecycle.states if state.final)

    @cached_property
    def creations(self) -> Mapping[str, Event]:
        """The events that make a row, by name."""
        return {event.name: event for event in self.lifecycle.events if event.creates}

    @cached_property
    def events(self) -> Mapping[str, Event]:
        """The events of an existing row, by name."""
        return {event.name: event for event in self.lifecycle.events if not event.creates}

    @cached_property
    def targets(self) -> Mapping[tuple[str, str], str]:
        """Where each event leads from each state that it leaves, in the order of states and events."""
        edges = {(edge.source, edge.event): edge.target for edge in self.lifecycle.transitions}
        return {cell: edges[cell] for cell in self._every_cell() if cell in edges}

    @cached_property
    def cells(self) -> Mapping[tuple[str, str], Cell]:
        """What each event does in each state; a cell that the spec leaves open is absent."""
        decided = dict(self._declared_cells())
        return {cell: decided[cell] for cell in self._every_cell() if cell in decided}

    def _declared_cells(self) -> Iterator[tuple[tuple[str, str], Cell]]:
        for name, event in self.events.items():
            for state in self.flatten(event.ignored):
                yield (state, name), "ignored"
            for state in self.flatten(event.illegal):
                yield (state, name), "illegal"
            for state in self.flatten(event.conflict):
                yield (state, name), "conflict"
        for cell in self.targets:
            yield cell, "transition"

    def _every_cell(self) -> Iterator[tuple[str, str]]:
        return ((state, event) for state in self.states for event in self.events)

    @cached_property
    def paths(self) -> Mapping[str, tuple[str, ...]]:
        """The shortest way to each state that can be reached: a creation, then events."""
        paths: dict[str, tuple[str, ...]] = {}
        for name, event in self.creations.items():
            paths.setdefault(event.creates or "", (name,))
        waiting = deque(paths)
        while waiting:
            source = waiting.popleft()
            for (state, event_name), target in self.targets.items():
                if state == source and target not in paths:
                    paths[target] = (*paths[source], event_name)
                    waiting.append(target)
        return {state: paths[state] for state in self.states if state in paths}

    def status(self, state: str) -> str:
        """The word that clients see for the state."""
        return self.states[state].presents_as or state

    @cached_property
    def statuses(self) -> tuple[str, ...]:
        """Every word that clients may see, in the order of the states."""
        return tuple(dict.fromkeys(self.status(state) for state in self.states))


@dataclass(frozen=True)
class FollowFacts:
    """What follows from the way in which one lifecycle follows another."""

    follower: LifecycleFacts
    followed: LifecycleFacts
    follows: Follows

    @cached_property
    def roles(self) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
        """Role → state of the followed row → the events of the follower; those left open are absent."""
        return {role.name: dict(self._consequences(role.name)) for role in self.follows.roles}

    def _consequences(self, role: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        said = {
            state: consequence.events
            for each in self.follows.roles
            if each.name == role
            for consequence in each.consequences
            for state in self.followed.flatten((consequence.state,))
        }
        return ((state, said[state]) for state in self.followed.states if state in said)

    def decided(self, role: str) -> Mapping[str, tuple[str, ...]]:
        """The states whose consequence the runtime decides: it chooses an event, or gives it values."""
        return {
            state: events
            for state, events in self.roles[role].items()
            if len(events) > 1 or any(self._takes_values(event) for event in events)
        }

    def _takes_values(self, name: str) -> bool:
        event = self.follower.events.get(name)
        return event is not None and any(each.effect in ("given", "optional", "kept") for each in event.sets)

    def actors(self, state: str) -> tuple[Actor, ...]:
        """Who may bring a followed row into a state that it was not in, each once."""
        followed = self.followed
        edges = followed.targets.items()
        events = [event for (source, event), target in edges if target == state != source]
        events += [name for name, event in followed.creations.items() if event.creates == state]
        known = {event.name: event for event in followed.lifecycle.events}
        return tuple(dict.fromkeys(actor for name in events for actor in known[name].by))


@dataclass(frozen=True)
class Facts:
    """What follows from a whole model."""

    model: Model

    @cached_property
    def lifecycles(self) -> Mapping[str, LifecycleFacts]:
        """The facts of each lifecycle, by its name."""
        return {lifecycle.name: LifecycleFacts(lifecycle) for lifecycle in self.model.lifecycles}

    @cached_property
    def followers(self) -> tuple[FollowFacts, ...]:
        """Which lifecycle follows which, in the order of the followers' names."""
        return tuple(
            FollowFacts(follower, self.lifecycles[follows.lifecycle], follows)
            for follower in self.lifecycles.values()
            if (follows := follower.lifecycle.follows) and follows.lifecycle in self.lifecycles
        )

    def follows(self, name: str) -> FollowFacts | None:
        """How the lifecycle follows another one; None if it does not."""
        return next((each for each in self.followers if each.follower.lifecycle.name == name), None)

    @cached_property
    def tools(self) -> tuple[Tool, ...]:
        """The tools as clients see them: by group in the order of the contract, then by name."""
        contract = self.model.contract
        groups = [group.name for group in contract.groups] if contract else []
        order = {name: at for at, name in enumerate(groups)}
        return tuple(
            sorted(self.model.tools, key=lambda tool: (order.get(tool.group, len(order)), tool.name))
        )

    @cached_property
    def compiled(self) -> tuple[Document, ...]:
        """The documents that outputs follow from: all but the composition, which is only verified."""
        return tuple(document for document in self.model.documents if document.kind != "composition")

    @cached_property
    def contract_hash(self) -> str:
        """SHA-256 of everything that is compiled; comments and layout do not count."""
        return digest({document.path: document.data for document in self.compiled})


def digest(value: object) -> str:
    """SHA-256, in hexadecimal, of the value as canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
