"""Emits `lifecycles/<name>.md`: the picture, the states, the events and what they require."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from codex_control_plane_codegen import drawings
from codex_control_plane_codegen.diagrams import Diagram
from codex_control_plane_codegen.facts import NOTHING, Facts, FollowFacts, LifecycleFacts
from codex_control_plane_codegen.markdown import codes
from codex_control_plane_codegen.model import Event, State
from codex_control_plane_codegen.output import REFERENCE, Output
from codex_control_plane_codegen.sentences import SHOWN_BY, Sentence, sentences
from codex_control_plane_codegen.templating import render

_MARKS: Final[Mapping[str, str]] = {"ignored": "·", "conflict": "!", "illegal": "✗"}
"""How the table of cells shows what is no transition."""

_EFFECTS: Final[Mapping[str, str]] = {
    "given": "{}",
    "optional": "{} (or empties it)",
    "kept": "{} (where given)",
    "now": "{} to the time",
    "cleared": "{} to empty",
    "incremented": "{} one up",
    "copied": "{} as in the original",
}
"""What an event does to a column."""


def emit(facts: Facts) -> Iterator[Output]:
    """One page per lifecycle."""
    for name, lifecycle in facts.lifecycles.items():
        page = Page(lifecycle, facts.follows(name))
        text = render("reference/lifecycle.md", page=page, lifecycle=lifecycle.lifecycle)
        yield Output(REFERENCE / "lifecycles" / f"{name}.md", text)


@dataclass(frozen=True)
class Page:
    """A lifecycle as its page shows it."""

    facts: LifecycleFacts
    follows: FollowFacts | None

    @property
    def consequences(self) -> list[tuple[str, list[str]]]:
        """For each state of the rows that it follows, what that raises in each role."""
        follows = self.follows
        if follows is None:
            return []
        return [
            (state, [" or ".join(map(_event, role[state])) for role in follows.roles.values()])
            for state in follows.followed.states
        ]

    @property
    def diagram(self) -> str:
        """The picture in Mermaid's language."""
        return drawings.mermaid(Diagram(self.facts))

    @property
    def states(self) -> list[tuple[int, State]]:
        """The states, numbered for the table of cells."""
        return list(enumerate(self.facts.states.values(), 1))

    @property
    def presented(self) -> bool:
        """Whether clients see another word than the state for some state."""
        return any(state.presents_as for state in self.facts.states.values())

    def exits(self, state: State) -> str:
        """The events that end the state, each with who raises it."""
        return ", ".join(
            f"`{event}` ({' or '.join(self.facts.events[event].by)})"
            for (source, event), target in self.facts.targets.items()
            if source == state.name != target
        )

    @property
    def events(self) -> list[Event]:
        """Every event, creations first."""
        return [*self.facts.creations.values(), *self.facts.events.values()]

    def moves(self, event: Event) -> list[str]:
        """Where the event leads, and from which states."""
        if event.creates:
            return [f"→ `{event.creates}`"]
        sources: dict[str, list[str]] = {}
        for (source, name), target in self.facts.targets.items():
            if name == event.name:
                sources.setdefault("the same" if source == target else f"`{target}`", []).append(source)
        return [f"{codes(states)} → {target}" for target, states in sources.items()]

    def effects(self, event: Event) -> str:
        """What the event does to the columns and orders of the worker."""
        sets = [_EFFECTS[each.effect].format(f"`{each.column}`") for each in event.sets]
        orders = [f"orders `{command}`" for command in event.emits]
        return "; ".join([*(["sets " + ", ".join(sets)] if sets else []), *orders])

    def cells(self, event: Event) -> list[str]:
        """What the event does in each state: the number of the state that it leads to, or a mark."""
        numbers = {state.name: str(number) for number, state in self.states}
        return [
            numbers[self.facts.targets[name, event.name]]
            if (name, event.name) in self.facts.targets
            else _MARKS[self.facts.cells[name, event.name]]
            for name in self.facts.states
        ]

    @property
    def sentences(self) -> list[Sentence]:
        """What all of it requires."""
        return list(sentences(self.facts))

    @property
    def shown_by(self) -> Mapping[str, tuple[str, str]]:
        """The test that holds the sentences of each kind against the store, for the kinds that occur."""
        occurring = {sentence.kind for sentence in self.sentences}
        return {kind: test for kind, test in SHOWN_BY.items() if kind in occurring}


def _event(name: str) -> str:
    return name if name == NOTHING else f"`{name}`"
