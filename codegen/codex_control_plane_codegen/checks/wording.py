"""Names that tell what a thing is: events are commands, and no name fits everything."""

import re
from collections.abc import Iterator
from typing import Final

from codex_control_plane_codegen.checks.subject import Subject, key_place_of, listed, place_of
from codex_control_plane_codegen.diagnostics import Diagnostic
from codex_control_plane_codegen.places import Place
from codex_control_plane_codegen.python_source import snake_case

_PARTICIPLE: Final = re.compile(r"[a-z]*[aeiouy][a-z]*((?<!e)ed|ing)")
"""A word in -ed or -ing whose stem has a vowel: `claimed`, but neither `need` nor `bring`."""

_EMPTY: Final = ("data", "helper", "helpers", "info", "manager", "process", "util", "utils")
"""Words that fit everything."""


def events_are_commands(subject: Subject) -> Iterator[Diagnostic]:
    """No event is a participle, which reads like a state. `void` and the like are verbs as well as states."""
    for facts in subject.facts.lifecycles.values():
        for event in facts.lifecycle.events:
            if _PARTICIPLE.fullmatch(event.name.partition("_")[0]):
                message = f"The event `{event.name}` reads like a state"
                hint = "Name it as one would order it: claim, accept, complete."
                yield Diagnostic("SPEC-R017", key_place_of(event), message, hint)


def names_say_something(subject: Subject) -> Iterator[Diagnostic]:
    """No table, tool, handler or type has a word in its name that fits everything."""
    for name, place in _names(subject):
        if empty := [word for word in re.split(r"[_.]", name) if word in _EMPTY]:
            message = f"{listed(empty)} in a name says nothing"
            yield Diagnostic("SPEC-R018", place, message, "Name the role of the thing.")


def _names(subject: Subject) -> Iterator[tuple[str, Place]]:
    for table in subject.tables:
        yield table.name, place_of(table, table.document.kind)
    for tool in subject.model.tools:
        yield tool.name, place_of(tool, "tool")
        yield tool.handler, place_of(tool, "handler")
    for definition in subject.model.types:
        yield snake_case(definition.name), key_place_of(definition)
