"""The composition names what exists, and follows every row that there may be."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from codex_control_plane_codegen.checks.subject import Subject, key_place_of, listed, place_of, unknown
from codex_control_plane_codegen.diagnostics import Diagnostic
from codex_control_plane_codegen.facts import LifecycleFacts
from codex_control_plane_codegen.model import (
    Actor,
    Composition,
    Condition,
    Decide,
    Element,
    Raise,
    Step,
    StepActor,
)
from codex_control_plane_codegen.places import Place
from codex_control_plane_codegen.reading.composition import ANY

_VOICES: Final[Mapping[StepActor, Sequence[Actor]]] = {
    "client": ["client"],
    "worker": ["worker", "codex"],
    "codex": [],
    "clock": ["clock", "worker"],
    "operator": ["operator"],
    "fault": ["worker", "codex"],
}
"""Who takes a step → in whose name it may raise events; what a fault does, the worker records."""


def parts_of_the_composition_exist(subject: Subject) -> Iterator[Diagnostic]:
    """Every name in the composition leads to one of its rows, surroundings, bounds, decisions or steps."""
    composition = subject.model.composition
    if composition is None or not subject.whole("lifecycle"):
        return
    for row in composition.rows:
        place = place_of(row, "lifecycle")
        yield from unknown("SPEC-V001", "lifecycle", row.lifecycle, subject.facts.lifecycles, place)
    known = _values(subject, composition)
    for condition in _conditions(composition):
        yield from _fits(condition, known)
    yield from _steps_name_what_exists(composition)
    for raised in _raises(composition):
        yield from _event_exists(subject, composition, raised)


def _values(subject: Subject, composition: Composition) -> Mapping[str, Collection[str]]:
    """Every part that a condition may name → the words that it may use of it."""
    values: dict[str, Collection[str]] = {}
    for row in composition.rows:
        facts = subject.facts.lifecycles.get(row.lifecycle)
        values[row.name] = ("absent", *facts.states, *facts.groups) if facts else ()
    values |= {surrounding.name: surrounding.values for surrounding in composition.surroundings}
    return values | {bound.name: ("left", "spent") for bound in composition.bounds}


def _fits(condition: Condition, known: Mapping[str, Collection[str]]) -> Iterator[Diagnostic]:
    for name, words in condition.allowed.items():
        yield from unknown(
            "SPEC-V001", "row, surrounding or bound", name, known, key_place_of(condition, name)
        )
        for word in words if known.get(name) else ():
            yield from unknown(
                "SPEC-V002", f"value of `{name}`", word, known[name], place_of(condition, name)
            )


def _steps_name_what_exists(composition: Composition) -> Iterator[Diagnostic]:
    settable: dict[str, tuple[str, ...]] = {row.name: ("absent",) for row in composition.rows}
    settable |= {each.name: each.values for each in composition.surroundings}
    bounds = [bound.name for bound in composition.bounds]
    decisions = [decision.name for decision in composition.decisions]
    steps = [step.name for step in composition.steps]
    for step in composition.steps:
        for part in step.then:
            if isinstance(part, Decide):
                place = place_of(part, "decide")
                yield from unknown("SPEC-V001", "decision", part.decision, decisions, place)
        for rewrite in step.sets:
            name, place = rewrite.surrounding, key_place_of(rewrite)
            yield from unknown("SPEC-V001", "row or surrounding", name, settable, place)
            words = [word for word in (*rewrite.values, *rewrite.values.values()) if word != ANY]
            for word in words if name in settable else ():
                place = place_of(rewrite)
                yield from unknown("SPEC-V002", f"value of `{name}`", word, settable[name], place)
        if step.spends is not None:
            yield from unknown("SPEC-V001", "bound", step.spends, bounds, place_of(step, "spends"))
    for view in composition.views:
        yield from _steps_exist(view, view.without, steps)
    for promise in composition.promises:
        yield from _steps_exist(promise, promise.without, steps)


def _steps_exist(owner: Element, names: Sequence[str], steps: Collection[str]) -> Iterator[Diagnostic]:
    for index, name in enumerate(names):
        yield from unknown("SPEC-V001", "step", name, steps, place_of(owner, "without", index))


def _conditions(composition: Composition) -> Iterator[Condition]:
    yield from (raised.condition for raised in _raises(composition))
    yield from (step.when for step in composition.steps)
    for promise in composition.promises:
        for condition in (promise.never, promise.whenever, promise.reaches):
            if condition is not None:
                yield condition


def _raises(composition: Composition) -> Iterator[Raise]:
    for decision in composition.decisions:
        yield from decision.then
    for step in composition.steps:
        yield from (part for part in step.then if isinstance(part, Raise))


def _event_exists(subject: Subject, composition: Composition, raised: Raise) -> Iterator[Diagnostic]:
    rows = {row.name: row.lifecycle for row in composition.rows}
    place = _place_of_raise(raised)
    yield from unknown("SPEC-V001", "row", raised.row, rows, place)
    facts = subject.facts.lifecycles.get(rows.get(raised.row, ""))
    if facts is not None:
        known = {*facts.events, *facts.creations}
        yield from unknown("SPEC-V003", f"event of `{raised.row}`", raised.event, sorted(known), place)


def _place_of_raise(raised: Raise) -> Place:
    return place_of(raised, "raise") if raised.condition.allowed else place_of(raised)


def actors_may_raise_their_events(subject: Subject) -> Iterator[Diagnostic]:
    """A step raises events only in the name of somebody that the lifecycle lets raise them."""
    composition = subject.model.composition
    if composition is None:
        return
    rows = {row.name: row.lifecycle for row in composition.rows}
    decisions = {decision.name: decision.then for decision in composition.decisions}
    for step in composition.steps:
        for part in step.then:
            raised = (part,) if isinstance(part, Raise) else decisions.get(part.decision, ())
            for each in raised:
                facts = subject.facts.lifecycles.get(rows.get(each.row, ""))
                yield from _may_raise(step, part, each, facts)


def _may_raise(
    step: Step, part: Element, raised: Raise, facts: LifecycleFacts | None
) -> Iterator[Diagnostic]:
    event = facts and (facts.events.get(raised.event) or facts.creations.get(raised.event))
    if event and not set(_VOICES[step.actor]) & set(event.by):
        name = f"{raised.row}.{raised.event}"
        message = f"The {step.actor} takes the step `{step.name}`, and `{name}` is not for it to raise"
        hint = f"It is raised by {listed(event.by)}."
        yield Diagnostic("SPEC-V004", place_of(part), message, hint)


def followed_rows_are_single(subject: Subject) -> Iterator[Diagnostic]:
    """The database allows no second open row of a part that is said to be single."""
    composition = subject.model.composition
    for row in composition.rows if composition else ():
        facts = subject.facts.lifecycles.get(row.lifecycle)
        if facts is None or not row.single:
            continue
        open_states = {state.name for state in facts.lifecycle.states if not state.final}
        covers = [set(facts.flatten(rule.states)) for rule in facts.lifecycle.unique if rule.states]
        if not any(open_states <= cover for cover in covers):
            closest = max(covers, key=len, default=set[str]())
            left = [state for state in facts.states if state in open_states - closest]
            message = (
                f"Nothing keeps a second `{row.lifecycle}` from being {listed(left)} beside `{row.name}`"
            )
            hint = "Let the `while` of a unique rule cover every state that is not final."
            yield Diagnostic("SPEC-V005", place_of(row, "lifecycle"), message, hint)
