"""Reads ``spec/composition.yaml``."""

from collections.abc import Iterator
from typing import Final

from codex_control_plane_codegen.model import (
    Bound,
    ComposedRow,
    Composition,
    Condition,
    Decide,
    Decision,
    Promise,
    Raise,
    Rewrite,
    Step,
    Surrounding,
    View,
)
from codex_control_plane_codegen.reading.nodes import Node

ANY: Final = "*"
"""In a rewrite, every value that has no entry of its own."""


def read_composition(root: Node) -> Composition:
    """The composition."""
    return Composition(
        **root.place,
        means=root.text("means"),
        source=root.text("source"),
        rows=tuple(_row(name, node) for name, node in root.entries("rows")),
        surroundings=tuple(_surrounding(name, node) for name, node in root.entries("surroundings")),
        bounds=tuple(_bound(name, node) for name, node in root.entries("bounds")),
        decisions=tuple(_decision(name, node) for name, node in root.entries("decisions")),
        steps=tuple(_step(name, node) for name, node in root.entries("steps")),
        views=tuple(_view(name, node) for name, node in root.entries("views")),
        promises=tuple(_promise(name, node) for name, node in root.entries("promises")),
    )


def _row(name: str, node: Node) -> ComposedRow:
    return ComposedRow(
        **node.place,
        name=name,
        lifecycle=node.text("lifecycle"),
        where=node.get("where", {}),
        single=node.get("single", False),
        means=node.text("means"),
    )


def _surrounding(name: str, node: Node) -> Surrounding:
    values = node.names("values")
    return Surrounding(
        **node.place,
        name=name,
        values=values,
        starts=node.names("starts") or values[:1],
        means=node.text("means"),
    )


def _bound(name: str, node: Node) -> Bound:
    return Bound(
        **node.place,
        name=name,
        limit=node.get("limit"),
        varies=node.get("varies", False),
        means=node.text("means"),
    )


def _decision(name: str, node: Node) -> Decision:
    return Decision(
        **node.place,
        name=name,
        means=node.text("means"),
        then=tuple(_raise(item) for item in node.items("then")),
    )


def _step(name: str, node: Node) -> Step:
    return Step(
        **node.place,
        name=name,
        actor=node.get("actor"),
        means=node.text("means"),
        assumes=node.text("assumes"),
        when=_condition(node.child("when")),
        then=tuple(_part(item) for item in node.items("then")),
        sets=tuple(_rewrites(node)),
        spends=node.get("spends"),
    )


def _view(name: str, node: Node) -> View:
    return View(
        **node.place,
        name=name,
        means=node.text("means"),
        without=node.names("without"),
        on_request=node.get("on_request", False),
    )


def _promise(name: str, node: Node) -> Promise:
    return Promise(
        **node.place,
        name=name,
        means=node.text("means"),
        never=_given_condition(node.child("never")),
        whenever=_given_condition(node.child("whenever")),
        reaches=_given_condition(node.child("reaches")),
        without=node.names("without"),
    )


def _part(node: Node) -> Raise | Decide:
    if not isinstance(node.value, str) and node.get("decide") is not None:
        return Decide(**node.place, decision=node.text("decide"))
    return _raise(node)


def _raise(node: Node) -> Raise:
    plain = isinstance(node.value, str)
    row, _, event = str(node.value if plain else node.get("raise")).partition(".")
    condition = Condition(**node.place, allowed={}) if plain else _condition(node.child("if"))
    return Raise(**node.place, row=row, event=event, condition=condition)


def _given_condition(node: Node) -> Condition | None:
    return None if node.value is None else _condition(node)


def _condition(node: Node) -> Condition:
    allowed = {name: _values(node.child(name)) for name in node.names_within()}
    return Condition(**node.place, allowed=allowed)


def _values(node: Node) -> tuple[str, ...]:
    return (node.value,) if isinstance(node.value, str) else tuple(node.value)


def _rewrites(node: Node) -> Iterator[Rewrite]:
    for name, entry in node.entries("sets"):
        values = {ANY: entry.value} if isinstance(entry.value, str) else entry.value
        yield Rewrite(**entry.place, surrounding=name, values=values)
