"""One thing has one name, and one name names one thing."""

from collections.abc import Iterable, Iterator
from keyword import iskeyword

from codex_control_plane_codegen.checks.subject import Subject, key_place_of, place_of
from codex_control_plane_codegen.diagnostics import Diagnostic
from codex_control_plane_codegen.model import Element, JsonObject, Model
from codex_control_plane_codegen.places import Place


def files_are_named_after_their_content(subject: Subject) -> Iterator[Diagnostic]:
    """A lifecycle, record or tool stands in the file of its name; the chart bears the name, too."""
    for element in [*subject.tables, *subject.model.tools]:
        kind = element.document.kind
        stem = element.document.path.rpartition("/")[2].removesuffix(".yaml")
        if element.name != stem:
            message = f"The {kind} `{element.name}` stands in the file {stem}.yaml"
            hint = f"Name the file {element.name}.yaml, or the {kind} {stem}."
            yield Diagnostic("SPEC-R012", place_of(element, kind), message, hint)
    for lifecycle in subject.model.lifecycles:
        if lifecycle.statechart["name"] != lifecycle.name:
            message = f"The statechart of `{lifecycle.name}` is named `{lifecycle.statechart['name']}`"
            place = place_of(lifecycle, "statechart", "name")
            yield Diagnostic("SPEC-R012", place, message, f"Name it {lifecycle.name}.")


def names_are_given_once(subject: Subject) -> Iterator[Diagnostic]:
    """No two tables, types, tools, handlers, settings or id prefixes share a name."""
    model = subject.model
    tables = [(table.name, place_of(table, table.document.kind)) for table in subject.tables]
    settings = model.configuration.settings if model.configuration else ()
    yield from _given_twice("table", tables)
    yield from _given_twice("id prefix", _prefixes(model))
    yield from _given_twice("type", _named(model.types))
    yield from _given_twice("tool", [(tool.name, place_of(tool, "tool")) for tool in model.tools])
    yield from _given_twice("handler", [(tool.handler, place_of(tool, "handler")) for tool in model.tools])
    yield from _given_twice("setting", [(setting.name, place_of(setting, "name")) for setting in settings])
    for definition in model.types:
        if definition.name in subject.shapes.derived:
            message = f"The type `{definition.name}` is derived by the compiler"
            hint = "Drop the declaration, or choose another name."
            yield Diagnostic("SPEC-R013", key_place_of(definition), message, hint)


def _prefixes(model: Model) -> list[tuple[str, Place]]:
    """Return the id prefixes, each with its place; those that follow one lifecycle are of one kind to clients
    and may share one."""
    found: dict[tuple[str, str | None], tuple[str, Place]] = {}
    for lifecycle in model.lifecycles:
        if lifecycle.id_prefix:
            kind = lifecycle.follows.lifecycle if lifecycle.follows else None
            key = (lifecycle.id_prefix, kind) if kind else (lifecycle.name, None)
            found.setdefault(key, (lifecycle.id_prefix, place_of(lifecycle, "id_prefix")))
    return [*found.values()]


def names_differ_within_a_lifecycle(subject: Subject) -> Iterator[Diagnostic]:
    """A group is not called like a state, and a touch not like an event: both become one namespace."""
    for facts in subject.facts.lifecycles.values():
        for group in facts.lifecycle.groups:
            if group.name in facts.states:
                message = f"`{group.name}` is a state and a group"
                yield Diagnostic("SPEC-R013", key_place_of(group), message, "Rename the group.")
        events = {event.name for event in facts.lifecycle.events}
        for touch in facts.lifecycle.touches:
            if touch.name in events:
                message = f"`{touch.name}` is an event and a touch"
                yield Diagnostic("SPEC-R013", key_place_of(touch), message, "Rename the touch.")


def no_name_is_a_keyword(subject: Subject) -> Iterator[Diagnostic]:
    """What becomes an attribute, a parameter or a method is not called like a word of Python."""
    for name, place in _attributes(subject):
        if iskeyword(name):
            message = f"`{name}` is a keyword of Python"
            hint = "Say which one it is, as in from_turn."
            yield Diagnostic("SPEC-R019", place, message, hint)


def _attributes(subject: Subject) -> Iterator[tuple[str, Place]]:
    model = subject.model
    changes = [(*lifecycle.events, *lifecycle.touches) for lifecycle in model.lifecycles]
    yield from _named(column for table in subject.tables for column in table.columns)
    yield from _named(change for group in changes for change in group)
    for tool in model.tools:
        for name in _properties(tool.input):
            yield name, key_place_of(tool, "input", "properties", name)
    for definition in model.types:
        for name in _properties(definition.schema):
            yield name, key_place_of(definition, "properties", name)


def _properties(schema: JsonObject) -> Iterable[str]:
    properties = schema.get("properties")
    return properties if isinstance(properties, dict) else ()


def _named(elements: Iterable[Element]) -> Iterator[tuple[str, Place]]:
    return ((str(element.keys[-1]), key_place_of(element)) for element in elements)


def _given_twice(what: str, names: Iterable[tuple[str, Place]]) -> Iterator[Diagnostic]:
    first: dict[str, Place] = {}
    for name, place in names:
        if name in first:
            message = f"There is a second {what} `{name}`"
            yield Diagnostic("SPEC-R013", place, message, f"The first stands at {first[name]}.")
        else:
            first[name] = place
