"""Reads ``spec/lifecycles`` and ``spec/records``."""

from collections.abc import Iterator

from codex_control_plane_codegen.model import (
    Assignment,
    Column,
    Consequence,
    Event,
    Follows,
    Group,
    Index,
    Lifecycle,
    Record,
    Role,
    State,
    Touch,
    Transition,
    UniqueRule,
)
from codex_control_plane_codegen.reading.nodes import Node


def read_lifecycle(root: Node) -> Lifecycle:
    """One lifecycle."""
    return Lifecycle(
        **root.place,
        name=root.text("lifecycle"),
        id_prefix=root.get("id_prefix"),
        means=root.text("means"),
        source=root.text("source"),
        fenced=root.get("fenced", True),
        groups=tuple(
            Group(**node.place, name=name, members=tuple(node.value)) for name, node in root.entries("groups")
        ),
        columns=tuple(_column(name, node) for name, node in root.entries("record")),
        unique=tuple(_unique_rule(node) for node in root.items("unique")),
        indexes=tuple(_index(node) for node in root.items("index")),
        touches=tuple(_touch(name, node) for name, node in root.entries("touches")),
        states=tuple(_states(root)),
        transitions=tuple(_transitions(root.child("statechart"))),
        events=tuple(_event(name, node) for name, node in root.entries("events")),
        follows=_follows(root.child("follows")) if root.get("follows") else None,
        statechart=root.mapping("statechart"),
    )


def read_record(root: Node) -> Record:
    """One record."""
    return Record(
        **root.place,
        name=root.text("record"),
        means=root.text("means"),
        source=root.text("source"),
        singleton=root.get("singleton", False),
        append_only=root.get("append_only", False),
        columns=tuple(_column(name, node) for name, node in root.entries("columns")),
        unique=tuple(_unique_rule(node) for node in root.items("unique")),
        indexes=tuple(_index(node) for node in root.items("index")),
    )


def _column(name: str, node: Node) -> Column:
    return Column(
        **node.place,
        name=name,
        type=node.get("type"),
        means=node.text("means"),
        optional=node.get("optional", False),
        values=node.names("values"),
        shape=node.get("shape"),
        references=node.get("references"),
        default=node.get("default"),
    )


def _unique_rule(node: Node) -> UniqueRule:
    return UniqueRule(
        **node.place,
        columns=node.names("columns"),
        states=node.names("while"),
        where=node.get("where"),
        absorbs=node.get("repeat") == "absorb",
        means=node.text("means"),
    )


def _index(node: Node) -> Index:
    return Index(**node.place, columns=node.names("columns"))


def _touch(name: str, node: Node) -> Touch:
    return Touch(**node.place, name=name, means=node.text("means"), sets=tuple(_assignments(node)))


def _assignments(node: Node) -> Iterator[Assignment]:
    for column, effect in node.entries("sets"):
        yield Assignment(**effect.place, column=column, effect=effect.value)


def _states(root: Node) -> Iterator[State]:
    chart = root.child("statechart").child("states")
    words = root.child("states")
    for name in dict.fromkeys((*chart.names_within(), *words.names_within())):
        yield _state(name, chart.child(name), words.child(name))


def _state(name: str, chart: Node, words: Node) -> State:
    described = words.value is not None
    return State(
        **(words if described else chart).place,
        name=name,
        charted=chart.value is not None,
        described=described,
        initial=chart.get("initial", False),
        final=chart.get("final", False),
        means=words.text("means"),
        waits_for=words.get("waits_for", "none"),
        next_action=words.get("next_action", "none"),
        poll_after_seconds=words.get("poll_after_seconds", 0),
        holds_slot=words.get("holds_slot", False),
        cancellable=words.get("cancellable", False),
        retry_safe=words.get("retry_safe", False),
        requires=words.names("requires"),
        forbids=words.names("forbids"),
        presents_as=words.get("presents_as"),
    )


def _transitions(chart: Node) -> Iterator[Transition]:
    for source, state in chart.entries("states"):
        for node in state.items("transitions"):
            yield Transition(
                **node.place, source=source, event=node.text("event"), target=node.text("target")
            )


def _event(name: str, node: Node) -> Event:
    return Event(
        **node.place,
        name=name,
        means=node.text("means"),
        by=tuple(node.get("by", ())),
        evidence=node.get("evidence"),
        creates=node.get("creates"),
        sets=tuple(_assignments(node)),
        emits=node.names("emits"),
        ignored=node.names("ignored"),
        illegal=node.names("illegal"),
        conflict=node.names("conflict"),
    )


def _follows(node: Node) -> Follows:
    return Follows(
        **node.place,
        lifecycle=node.text("lifecycle"),
        named_by=node.text("named_by"),
        role_in=node.text("role_in"),
        roles=tuple(_role(name, role) for name, role in node.entries("roles")),
    )


def _role(name: str, node: Node) -> Role:
    return Role(
        **node.place,
        name=name,
        consequences=tuple(_consequence(state, node.child(state)) for state in node.names_within()),
    )


def _consequence(state: str, node: Node) -> Consequence:
    events = (node.value,) if isinstance(node.value, str) else tuple(node.value)
    return Consequence(**node.place, state=state, events=events)
