"""The statechart and its description agree, and the chart is one that can be lived in."""

from collections.abc import Collection, Iterator, Sequence

from codex_control_plane_codegen.checks.subject import Subject, key_place_of, listed, place_of
from codex_control_plane_codegen.diagnostics import Diagnostic, nearest
from codex_control_plane_codegen.facts import LifecycleFacts
from codex_control_plane_codegen.model import Actor, State


def states_are_charted_and_described(subject: Subject) -> Iterator[Diagnostic]:
    """Every state stands in the statechart and under `states`."""
    for facts in subject.facts.lifecycles.values():
        states = facts.lifecycle.states
        undescribed = [state.name for state in states if not state.described]
        misspelled: set[str] = set()
        for state in states:
            if not state.charted:
                meant = nearest(state.name, undescribed)
                misspelled.add(meant)
                message = f"The state `{state.name}` is described and not in the statechart"
                hint = "" if meant else "Add it to the statechart, or remove its description."
                yield Diagnostic("SPEC-L004", key_place_of(state), message, hint, meant)
        for name in undescribed:
            if name not in misspelled:
                message = f"The state `{name}` is not described"
                hint = "Say under `states` what it means, what it waits for and what a client does next."
                yield Diagnostic("SPEC-L003", key_place_of(facts.states[name]), message, hint)


def events_are_charted_and_described(subject: Subject) -> Iterator[Diagnostic]:
    """Every event of a transition stands under `events`, and every event happens somewhere."""
    for facts in subject.facts.lifecycles.values():
        described = {event.name for event in facts.lifecycle.events}
        charted = {edge.event for edge in facts.lifecycle.transitions}
        yield from _undescribed_events(facts, described)
        lost = charted - described
        for event in facts.events.values():
            if event.name not in charted and not nearest(event.name, lost):
                message = f"The event `{event.name}` is no transition of any state"
                hint = "Add a transition, or `creates` if it makes a row, or remove the event."
                yield Diagnostic("SPEC-L006", key_place_of(event), message, hint)


def _undescribed_events(facts: LifecycleFacts, described: Collection[str]) -> Iterator[Diagnostic]:
    for edge in facts.lifecycle.transitions:
        if edge.event not in described:
            meant = nearest(edge.event, described)
            message = f"The event `{edge.event}` is not described"
            hint = "" if meant else "Say under `events` what it means, who raises it and what it sets."
            yield Diagnostic("SPEC-L005", place_of(edge, "event"), message, hint, meant)
        elif edge.event in facts.creations:
            message = f"`{edge.event}` creates a row and cannot be a transition as well"
            yield Diagnostic("SPEC-L017", place_of(edge, "event"), message, "Use two events.")


def final_states_are_final(subject: Subject) -> Iterator[Diagnostic]:
    """Nothing leaves a final state, and it waits for nothing and holds nothing."""
    for facts in subject.facts.lifecycles.values():
        final = {state.name: state for state in facts.lifecycle.states if state.final}
        for edge in facts.lifecycle.transitions:
            if edge.source in final:
                message = f"`{edge.source}` is final, and `{edge.event}` leaves it"
                hint = "Remove the transition, or `final: true`."
                yield Diagnostic("SPEC-L007", place_of(edge), message, hint)
        for state in final.values():
            yield from _wishes_of_the_dead(state)


def _wishes_of_the_dead(state: State) -> Iterator[Diagnostic]:
    hint = "Nothing happens to a row in a final state."
    if state.waits_for != "none":
        message = f"`{state.name}` is final and waits for {state.waits_for}"
        yield Diagnostic("SPEC-L018", place_of(state, "waits_for"), message, hint)
    for claim, key in ((state.holds_slot, "holds_slot"), (state.cancellable, "cancellable")):
        if claim:
            yield Diagnostic(
                "SPEC-L018", place_of(state, key), f"`{state.name}` is final and has `{key}`", hint
            )


def a_row_begins_somewhere(subject: Subject) -> Iterator[Diagnostic]:
    """One state is initial, and an event creates rows in it."""
    for facts in subject.facts.lifecycles.values():
        place = facts.lifecycle.document.place("statechart", "states")
        initial = [state for state in facts.lifecycle.states if state.initial]
        if not initial:
            yield Diagnostic("SPEC-L010", place, "No state is initial", "Give one state `initial: true`.")
        for state in initial[1:]:
            place = facts.lifecycle.document.place("statechart", "states", state.name, "initial")
            message = f"`{state.name}` is initial, and so is `{initial[0].name}`"
            yield Diagnostic("SPEC-L010", place, message, "One state is where rows begin.")
        created = {event.creates for event in facts.creations.values()}
        if initial and initial[0].name not in created:
            place = facts.lifecycle.document.key_place("events")
            message = f"No event creates a row in the initial state `{initial[0].name}`"
            hint = f"Give one event `creates: {initial[0].name}`."
            yield Diagnostic("SPEC-L010", place, message, hint)


def _is_drawn(facts: LifecycleFacts) -> bool:
    """Whether rows begin, and every edge leads somewhere: without that, ways would seem to be missing."""
    edges, states = facts.lifecycle.transitions, facts.lifecycle.states
    begins = any(event.creates in facts.states for event in facts.creations.values())
    agreed = all(state.charted and state.described for state in states)
    return (
        begins
        and agreed
        and all(edge.target in facts.states and edge.event in facts.events for edge in edges)
    )


def every_state_is_reached(subject: Subject) -> Iterator[Diagnostic]:
    """Some way leads from a creation to every state of the chart."""
    for facts in subject.facts.lifecycles.values():
        if not _is_drawn(facts):
            continue
        for state in facts.lifecycle.states:
            if state.charted and state.name not in facts.paths:
                place = facts.lifecycle.document.key_place("statechart", "states", state.name)
                message = f"No way leads to the state `{state.name}`"
                yield Diagnostic("SPEC-L008", place, message, "Add a transition to it, or remove it.")


def every_state_can_end(subject: Subject) -> Iterator[Diagnostic]:
    """Some way leads from every state to a final one."""
    for facts in subject.facts.lifecycles.values():
        stuck = _stuck_states(facts) if _is_drawn(facts) else []
        for name in stuck:
            place = facts.lifecycle.document.key_place("statechart", "states", name)
            others = [other for other in stuck if other != name]
            trap = f"; it can only reach {listed(others)}" if others else ""
            message = f"No way leads from `{name}` to a final state{trap}"
            yield Diagnostic("SPEC-L009", place, message, "Add a transition that ends it, or make it final.")


def _stuck_states(facts: LifecycleFacts) -> list[str]:
    ending = set(facts.terminal)
    grown = True
    while grown:
        sources = {edge.source for edge in facts.lifecycle.transitions if edge.target in ending}
        grown = not sources <= ending
        ending |= sources
    return [state.name for state in facts.lifecycle.states if state.charted and state.name not in ending]


def waiting_ends_without_the_client(subject: Subject) -> Iterator[Diagnostic]:
    """The worker, the clock or an operator can end every wait, if the client never returns."""
    for facts in subject.facts.lifecycles.values():
        for state in facts.lifecycle.states:
            ways = [edge for edge in facts.lifecycle.transitions if edge.source == state.name]
            if state.waits_for == "none" or state.final or not ways:
                continue
            leaving = [edge.event for edge in ways if edge.target != state.name]
            movers = {actor for event in leaving for actor in _actors(facts, event)}
            if movers.isdisjoint({"worker", "clock", "operator"}):
                who = (
                    f"only {' or '.join(f'the {mover}' for mover in sorted(movers))}" if movers else "nobody"
                )
                message = f"`{state.name}` waits for {state.waits_for}, and {who} can end that"
                hint = "Add a transition whose event is raised by the worker, the clock or an operator."
                yield Diagnostic("SPEC-L011", place_of(state, "waits_for"), message, hint)


def _actors(facts: LifecycleFacts, event: str) -> Sequence[Actor]:
    """Who raises the event; one that is not described is reported as such, and counts as the worker's."""
    described = facts.events.get(event)
    return described.by if described else ("worker",)
