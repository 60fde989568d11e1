"""Examples, defaults and lists of required properties fit the schemas that they belong to."""

from collections.abc import Iterator

from codex_control_plane_codegen.checks.subject import Subject, place_of
from codex_control_plane_codegen.diagnostics import Diagnostic, nearest
from codex_control_plane_codegen.model import Element, JsonObject, JsonValue
from codex_control_plane_codegen.places import Keys
from codex_control_plane_codegen.validation import Violation, validators


def examples_fit(subject: Subject) -> Iterator[Diagnostic]:
    """Every example of a tool is a call that its input accepts and an answer that its output allows."""
    if subject.unread:
        return
    for tool in subject.model.tools:
        arguments, answer = subject.shapes.bundle(tool.input), subject.shapes.answer(tool)
        for example in tool.examples:
            for keys, message in misfits(arguments, example.input):
                yield Diagnostic("SPEC-T010", place_of(example, "input", *keys), message)
            if example.output is not None and _every_parent_exists(subject):
                for keys, message in misfits(_branch(answer, example.output), example.output):
                    yield Diagnostic("SPEC-T011", place_of(example, "output", *keys), message)


def _every_parent_exists(subject: Subject) -> bool:
    """Whether every type has all its fields; a parent that is not there is what is reported."""
    return all(not each.extends or each.extends in subject.types for each in subject.model.types)


def _branch(answer: JsonObject, output: JsonObject) -> JsonObject:
    """The half of an answer that `ok` chooses, so that a message is about what was meant."""
    match answer["oneOf"]:
        case [dict() as success, dict() as failure]:
            return {**(failure if output.get("ok") is False else success), "$defs": answer["$defs"]}
        case _:
            return answer


def misfits(schema: JsonObject, value: JsonValue) -> Iterator[tuple[Keys, str]]:
    """Where and why the value does not fit the schema; nothing for a schema with unknown references."""
    if _is_whole(schema):
        for violation in validators({"": schema})[""].violations(value):
            if not _is_undescribed(violation):
                yield violation.keys, _in_our_quotes(violation.message)


def _is_whole(schema: JsonObject) -> bool:
    definitions = schema.get("$defs", {})
    names = _references(schema)
    return isinstance(definitions, dict) and all(name in definitions for name in names)


def _references(schema: JsonValue) -> Iterator[str]:
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref" and isinstance(value, str):
                yield value.removeprefix("#/$defs/")
            else:
                yield from _references(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from _references(item)


def _is_undescribed(violation: Violation) -> bool:
    """Whether what is missing is required without being described, which is reported where it is required."""
    if violation.keyword != "required":
        return False
    missing = set(violation.wanted) - set(violation.met)
    return missing.isdisjoint(violation.schema.get("properties", {}))


def _in_our_quotes(message: str) -> str:
    return message.replace("'", "`")


def defaults_fit(subject: Subject) -> Iterator[Diagnostic]:
    """A default is a value that its own schema allows."""
    for tool in subject.model.tools:
        for keys, schema in _properties(tool.input, ("input",)):
            if "default" in schema:
                bundled = subject.shapes.bundle({k: v for k, v in schema.items() if k != "default"})
                for _, message in misfits(bundled, schema["default"]):
                    place = place_of(tool, *keys, "default")
                    yield Diagnostic("SPEC-T014", place, f"The default does not fit: {message}")


def required_properties_exist(subject: Subject) -> Iterator[Diagnostic]:
    """What an object requires is one of its properties."""
    if not subject.whole("types"):
        return
    for definition in subject.model.types:
        inherited = subject.shapes.merged(definition.name).get("properties", {})
        known = inherited if isinstance(inherited, dict) else {}
        yield from _required_within(definition, definition.schema, (), (*known,))
    for tool in subject.model.tools:
        yield from _required_within(tool, tool.input, ("input",), ())


def _required_within(
    owner: Element, schema: JsonObject, keys: Keys, inherited: tuple[str, ...]
) -> Iterator[Diagnostic]:
    for path, part in ((keys, schema), *_properties(schema, keys)):
        own, required = part.get("properties", {}), part.get("required", [])
        known = [*(own if isinstance(own, dict) else ()), *(inherited if path == keys else ())]
        for index, name in enumerate(required if isinstance(required, list) else ()):
            if name not in known:
                place = place_of(owner, *path, "required", index)
                message = f"`{name}` is required and is no property"
                hint = "Describe it under `properties`, or do not require it."
                meant = nearest(str(name), known)
                yield Diagnostic("SPEC-T013", place, message, "" if meant else hint, meant)


def _properties(schema: JsonObject, keys: Keys) -> Iterator[tuple[Keys, JsonObject]]:
    """Every schema below this one, with the keys that lead to it."""
    properties = schema.get("properties", {})
    below: list[tuple[Keys, JsonValue]] = [
        ((*keys, key), schema.get(key)) for key in ("items", "additionalProperties")
    ]
    if isinstance(properties, dict):
        below += [((*keys, "properties", name), part) for name, part in properties.items()]
    for path, part in below:
        if isinstance(part, dict):
            yield path, part
            yield from _properties(part, path)
