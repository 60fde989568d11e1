"""What events do to columns fits what columns are and what states require and forbid."""

from collections.abc import Collection, Iterator, Mapping
from typing import Final, NamedTuple

from codex_control_plane_codegen.checks.subject import Subject, place_of
from codex_control_plane_codegen.diagnostics import Diagnostic
from codex_control_plane_codegen.facts import LifecycleFacts
from codex_control_plane_codegen.model import Column, Effect, Event, State
from codex_control_plane_codegen.places import Place

_SETTING: Final = frozenset[Effect]({"given", "now", "incremented"})
_EMPTYING: Final = frozenset[Effect]({"optional", "cleared"})
_OF_A_STORED_ROW: Final = frozenset[Effect]({"kept", "cleared", "incremented"})


def states_do_not_contradict_themselves(subject: Subject) -> Iterator[Diagnostic]:
    """No state forbids a column that it requires or that is never empty."""
    for facts in subject.facts.lifecycles.values():
        for state in facts.lifecycle.states:
            for index, name in enumerate(state.forbids):
                column = facts.columns.get(name)
                place = place_of(state, "forbids", index)
                if name in state.requires:
                    message = f"`{state.name}` requires `{name}` and forbids it"
                    yield Diagnostic("SPEC-L012", place, message, "Keep one of the two.")
                elif column and not column.optional:
                    message = f"`{state.name}` forbids `{name}`, which is never empty"
                    hint = "Give the column `optional: true`, or do not forbid it."
                    yield Diagnostic("SPEC-L012", place, message, hint)


def effects_fit_their_columns(subject: Subject) -> Iterator[Diagnostic]:
    """A column is set to a value that it can hold."""
    for facts in subject.facts.lifecycles.values():
        changes = [
            (change, event.creates is not None) for event in facts.lifecycle.events for change in event.sets
        ]
        changes += [(change, False) for touch in facts.lifecycle.touches for change in touch.sets]
        for assignment, creates in changes:
            column = facts.columns.get(assignment.column)
            if column and (reason := _misfit(column, assignment.effect, creates=creates)):
                message = f"`{assignment.column}` cannot be {assignment.effect}: {reason}"
                yield Diagnostic("SPEC-L016", place_of(assignment), message)


def _misfit(column: Column, effect: Effect, *, creates: bool) -> str:
    """Why the effect cannot happen to the column; empty if it can."""
    if effect == "now" and column.type != "timestamp":
        return f"it is of type {column.type}, not a timestamp"
    if effect == "incremented" and column.type != "integer":
        return f"it is of type {column.type}, not an integer"
    if effect in _EMPTYING and not column.optional:
        return "it is never empty"
    if creates and effect in _OF_A_STORED_ROW:
        return "a row that is being created has no earlier value"
    if not creates and effect == "copied":
        return "only a row that is being created is made after another one"
    return ""


def creations_fill_every_column(subject: Subject) -> Iterator[Diagnostic]:
    """A new row has a value in every column that is never empty."""
    for facts in subject.facts.lifecycles.values():
        for event in facts.creations.values():
            given = {assignment.column for assignment in event.sets}
            for column in facts.columns.values():
                if not column.optional and column.default is None and column.name not in given:
                    message = f"`{event.name}` does not give `{column.name}`, which is never empty"
                    hint = "Add it to `sets`, or give the column a default, or make it optional."
                    yield Diagnostic(
                        "SPEC-L015", event.document.key_place(*event.keys, "sets"), message, hint
                    )


class _Arrival(NamedTuple):
    """A way into a state: a creation, which has no source, or a transition."""

    event: Event
    source: str | None
    target: State
    place: Place


def _arrivals(facts: LifecycleFacts) -> Iterator[_Arrival]:
    """Every way into a state, without those that name what does not exist."""
    for event in facts.creations.values():
        if event.creates and event.creates in facts.states:
            yield _Arrival(event, None, facts.states[event.creates], place_of(event, "creates"))
    for edge in facts.lifecycle.transitions:
        if edge.event in facts.events and edge.target in facts.states:
            place = place_of(edge, "target")
            yield _Arrival(facts.events[edge.event], edge.source, facts.states[edge.target], place)


def required_columns_are_set(subject: Subject) -> Iterator[Diagnostic]:
    """Whoever enters a state brings the columns that it requires, or had them already."""
    for facts in subject.facts.lifecycles.values():
        held = _columns_held(facts)
        for arrival in _arrivals(facts):
            before = held.get(arrival.source) if arrival.source else _always_set(facts)
            if before is not None:
                yield from _lacking(facts, arrival, _after(arrival.event, before))


def _lacking(facts: LifecycleFacts, arrival: _Arrival, columns: frozenset[str]) -> Iterator[Diagnostic]:
    event, source, target, place = arrival
    for name in target.requires:
        if name in facts.columns and name not in columns:
            origin, either = (f" from `{source}`", f", or let `{source}` require it") if source else ("", "")
            edge = f"`{event.name}` leads{origin} to `{target.name}`"
            message = f"{edge}, which requires `{name}`, and nothing has set it"
            yield Diagnostic("SPEC-L013", place, message, f"Let `{event.name}` set it{either}.")


def _always_set(facts: LifecycleFacts) -> frozenset[str]:
    return frozenset(name for name, column in facts.columns.items() if not column.optional)


def _after(event: Event, before: frozenset[str]) -> frozenset[str]:
    """The columns that surely hold a value after the event, given those that do before it."""
    effects = {assignment.column: assignment.effect for assignment in event.sets}
    filled = {name for name, effect in effects.items() if effect in _SETTING}
    emptied = {name for name, effect in effects.items() if effect in _EMPTYING}
    return frozenset((before | filled) - emptied)


def _columns_held(facts: LifecycleFacts) -> Mapping[str, frozenset[str]]:
    """For each state that can be reached, the columns that hold a value whichever way led there.

    What a state requires counts as held in it: the database enforces it, and an edge that does not bring it
    is reported at that edge alone.
    """
    held: dict[str, frozenset[str]] = {}
    arrivals = [
        (event.creates or "", _after(event, _always_set(facts))) for event in facts.creations.values()
    ]
    while arrivals:
        state, columns = arrivals.pop()
        if state not in facts.states:
            continue
        merged = (held[state] & columns if state in held else columns) | set(facts.states[state].requires)
        if held.get(state) != merged:
            held[state] = merged
            for (source, event), target in facts.targets.items():
                if source == state:
                    arrivals.append((target, _after(facts.events[event], merged)))
    return held


def forbidden_columns_stay_empty(subject: Subject) -> Iterator[Diagnostic]:
    """No event sets, or leaves set, a column that the state it leads to forbids."""
    for facts in subject.facts.lifecycles.values():
        for arrival in _arrivals(facts):
            source = facts.states.get(arrival.source or "")
            yield from _kept_against_the_rule(arrival, source.requires if source else ())


def _kept_against_the_rule(arrival: _Arrival, held: Collection[str]) -> Iterator[Diagnostic]:
    """`held` are the columns that the state before requires."""
    event, _, target, place = arrival
    effects = {assignment.column: assignment.effect for assignment in event.sets}
    for name in target.forbids:
        if name in target.requires:
            continue
        if effects.get(name) in _SETTING or effects.get(name) == "copied":
            message = f"`{event.name}` sets `{name}` and leads to `{target.name}`, which forbids it"
            yield Diagnostic("SPEC-L014", place, message, "Do not set it, or do not forbid it.")
        elif name in held and effects.get(name, "kept") == "kept":
            message = f"`{event.name}` leaves `{name}` set and leads to `{target.name}`, which forbids it"
            yield Diagnostic("SPEC-L014", place, message, f"Let `{event.name}` clear it.")
