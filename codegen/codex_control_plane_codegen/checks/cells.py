"""Every event in every state is decided exactly once: a transition, ignored, illegal or a conflict."""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from codex_control_plane_codegen.checks.subject import Subject, key_place_of, listed, place_of
from codex_control_plane_codegen.diagnostics import Diagnostic, nearest
from codex_control_plane_codegen.facts import LifecycleFacts
from codex_control_plane_codegen.model import Event
from codex_control_plane_codegen.places import Place


class _Decision(NamedTuple):
    """What the spec says an event does in a state, and where it says so."""

    state: str
    words: str
    place: Place


def every_cell_is_decided(subject: Subject) -> Iterator[Diagnostic]:
    """No event meets a state of which nobody said what happens."""
    for facts in subject.facts.lifecycles.values():
        if not _states_are_settled(facts):
            continue
        for event in facts.events.values():
            if not _resolved(facts, event) or _misspelled(facts, event):
                continue
            decided = {decision.state for decision in _decisions(facts, event)}
            if open_states := [state for state in facts.states if state not in decided]:
                message = f"What `{event.name}` does in {listed(open_states)} is not said"
                hint = (
                    "Make it a transition there, or name the state under `ignored`, `illegal` or `conflict`."
                )
                yield Diagnostic("SPEC-L001", key_place_of(event), message, hint)


def no_cell_is_decided_twice(subject: Subject) -> Iterator[Diagnostic]:
    """No event has two answers in one state."""
    for facts in subject.facts.lifecycles.values():
        if facts.states.keys().isdisjoint(facts.groups):
            for event in facts.events.values():
                yield from _contradictions(facts, event)


def _contradictions(facts: LifecycleFacts, event: Event) -> Iterator[Diagnostic]:
    by_state: defaultdict[str, list[_Decision]] = defaultdict(list)
    for decision in _decisions(facts, event):
        by_state[decision.state].append(decision)
    by_place: defaultdict[tuple[Place, str], list[str]] = defaultdict(list)
    for state, (first, *more) in by_state.items():
        for decision in more:
            by_place[decision.place, f"{first.words} and {decision.words}"].append(state)
    for (place, words), states in by_place.items():
        message = f"What `{event.name}` does in {listed(states)} is said twice: {words}"
        yield Diagnostic("SPEC-L002", place, message, "Keep one of the two.")


def _states_are_settled(facts: LifecycleFacts) -> bool:
    """Whether chart, descriptions and groups agree on which states there are; if not, that is reported."""
    known = {*facts.states, *facts.groups}
    agreed = all(state.charted and state.described for state in facts.lifecycle.states)
    return agreed and all(known.issuperset(group.members) for group in facts.lifecycle.groups)


def _resolved(facts: LifecycleFacts, event: Event) -> bool:
    """Whether every state that the event names exists; if not, that is what is reported."""
    known = {*facts.states, *facts.groups}
    return known.issuperset((*event.ignored, *event.illegal, *event.conflict))


def _misspelled(facts: LifecycleFacts, event: Event) -> bool:
    """Whether a transition probably means this event; its spelling is what is reported."""
    charted = {edge.event for edge in facts.lifecycle.transitions}
    lost = charted - facts.events.keys() - facts.creations.keys()
    return event.name not in charted and bool(nearest(event.name, lost))


def _decisions(facts: LifecycleFacts, event: Event) -> Iterator[_Decision]:
    for edge in facts.lifecycle.transitions:
        if edge.event == event.name:
            yield _Decision(edge.source, f"a transition to `{edge.target}`", place_of(edge, "event"))
    lists = {"ignored": event.ignored, "illegal": event.illegal, "conflict": event.conflict}
    for words, names in lists.items():
        for index, name in enumerate(names):
            for state in facts.flatten((name,)):
                yield _Decision(state, words, place_of(event, words, index))
