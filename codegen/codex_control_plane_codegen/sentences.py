"""What a lifecycle says, in the words of RFC 2119; each sentence has a name that it can be cited by.

A sentence is named after its fact and not counted, so that it keeps its name when others come or go
(decision 0024).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from codex_control_plane_codegen.facts import Cell, LifecycleFacts
from codex_control_plane_codegen.markdown import listed
from codex_control_plane_codegen.model import Event, UniqueRule

Kind: TypeAlias = Literal[
    "creation", "actor", "state", "final", "transition", "repeat", "conflict", "illegal", "unique"
]
"""What a sentence is about."""

SHOWN_BY: Final[Mapping[Kind, tuple[str, str]]] = {
    "creation": ("tests/lifecycle/test_cells.py", "test_a_row_cannot_be_made_in_the_middle"),
    "actor": ("tests/lifecycle/test_sentences.py", "test_nobody_else_may_raise_an_event"),
    "state": ("tests/lifecycle/test_sentences.py", "test_a_state_keeps_to_its_columns"),
    "final": ("tests/lifecycle/test_cells.py", "test_no_edge_but_those_of_the_spec"),
    "transition": ("tests/lifecycle/test_cells.py", "test_a_transition_leads_where_the_spec_says"),
    "repeat": ("tests/lifecycle/test_cells.py", "test_any_other_cell_cannot_happen"),
    "conflict": ("tests/lifecycle/test_sentences.py", "test_a_conflict_is_journalled_and_changes_nothing"),
    "illegal": ("tests/lifecycle/test_cells.py", "test_any_other_cell_cannot_happen"),
    "unique": ("tests/lifecycle/test_sentences.py", "test_what_may_be_once_is_once"),
}
"""The generated test, over every lifecycle, that holds the sentences of each kind against the real store."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One requirement and its name, like `operation.running.requires`."""

    name: str
    kind: Kind
    text: str


def sentences(facts: LifecycleFacts) -> Iterator[Sentence]:
    """Every requirement of a lifecycle: of its states, of its events, and of rows beside each other."""
    yield from _of_states(facts)
    for event in facts.creations.values():
        yield from _of_creation(facts, event)
    for event in facts.events.values():
        yield from _of_event(facts, event)
    for rule in facts.lifecycle.unique:
        yield _of_rule(facts, rule)


def _of_states(facts: LifecycleFacts) -> Iterator[Sentence]:
    name = facts.lifecycle.name
    for state in facts.states.values():
        row = _row(facts, [state.name])
        if state.requires:
            text = f"{row} MUST have {listed(state.requires)}."
            yield Sentence(f"{name}.{state.name}.requires", "state", text)
        if state.forbids:
            text = f"{row} MUST NOT have {listed(state.forbids, 'or')}."
            yield Sentence(f"{name}.{state.name}.forbids", "state", text)
    if facts.terminal:
        text = f"{_row(facts, facts.terminal)} MUST NOT change its state any more."
        yield Sentence(f"{name}.final", "final", text)


def _of_creation(facts: LifecycleFacts, event: Event) -> Iterator[Sentence]:
    name = f"{facts.lifecycle.name}.{event.name}"
    row = _row(facts, [event.creates or ""])
    yield Sentence(f"{name}.creates", "creation", f"`{event.name}` MUST make {row[0].lower()}{row[1:]}.")
    yield _of_actors(name, event)


def _of_event(facts: LifecycleFacts, event: Event) -> Iterator[Sentence]:
    name = f"{facts.lifecycle.name}.{event.name}"
    for target, sources in _moves(facts, event.name).items():
        moves = f"`{event.name}` MUST take {_object(facts, sources)} to `{target}`."
        yield Sentence(f"{name}.to.{target}", "transition", moves)
    if stays := [
        state for (state, each), target in facts.targets.items() if (each, target) == (event.name, state)
    ]:
        text = f"`{event.name}` MUST leave {_object(facts, stays)} in its state, at its next revision."
        yield Sentence(f"{name}.stays", "transition", text)
    yield from _of_cells(facts, event, name)
    yield _of_actors(name, event)


def _of_cells(facts: LifecycleFacts, event: Event, name: str) -> Iterator[Sentence]:
    if states := _in(facts, event.name, "ignored"):
        text = f"{_row(facts, states)} MUST absorb `{event.name}`: nothing changes."
        yield Sentence(f"{name}.ignored", "repeat", text)
    if states := _in(facts, event.name, "conflict"):
        text = f"{_row(facts, states)} MUST journal `{event.name}` as a conflict, and MUST NOT change by it."
        yield Sentence(f"{name}.conflict", "conflict", text)
    if states := _in(facts, event.name, "illegal"):
        text = f"`{event.name}` MUST NOT be raised on {_object(facts, states)}."
        yield Sentence(f"{name}.illegal", "illegal", text)


def _of_actors(name: str, event: Event) -> Sentence:
    return Sentence(
        f"{name}.by", "actor", f"`{event.name}` MUST NOT be raised by anyone but {listed(event.by, 'or')}."
    )


def _of_rule(facts: LifecycleFacts, rule: UniqueRule) -> Sentence:
    while_ = f" that are {listed(facts.flatten(rule.states), 'or')}" if rule.states else ""
    where = f" for which `{rule.where}`" if rule.where else ""
    text = f"Two rows{while_}{where} MUST NOT have the same {listed(rule.columns)}. {rule.means}"
    return Sentence(f"{facts.lifecycle.name}.one.{'.'.join(rule.columns)}", "unique", text)


def _moves(facts: LifecycleFacts, event: str) -> Mapping[str, list[str]]:
    """Where the event leads, and from which other states."""
    moves: dict[str, list[str]] = {}
    for (source, each), target in facts.targets.items():
        if each == event and source != target:
            moves.setdefault(target, []).append(source)
    return moves


def _in(facts: LifecycleFacts, event: str, verdict: Cell) -> list[str]:
    return [state for (state, each), cell in facts.cells.items() if each == event and cell == verdict]


def _row(facts: LifecycleFacts, states: Sequence[str]) -> str:
    noun = facts.lifecycle.name.replace("_", " ")
    article = "An" if noun[0] in "aeiou" else "A"
    return f"{article} {noun} that is {listed(states, 'or')}"


def _object(facts: LifecycleFacts, states: Sequence[str]) -> str:
    row = _row(facts, states)
    return row[0].lower() + row[1:]
