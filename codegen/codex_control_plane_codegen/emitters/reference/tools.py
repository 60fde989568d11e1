"""Emits `tools/<tool>.md`: how to call a tool, what it answers, and what comes next."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, cast

from codex_control_plane_codegen.emitters import shapes
from codex_control_plane_codegen.facts import Facts
from codex_control_plane_codegen.model import ErrorDefinition, Example, JsonObject, JsonValue, Meaning, Tool
from codex_control_plane_codegen.output import REFERENCE, Output
from codex_control_plane_codegen.python_source import camel_case
from codex_control_plane_codegen.shapes import Shapes, references_in
from codex_control_plane_codegen.templating import render
from codex_control_plane_codegen.wire import shape

_HINTS: Final[Mapping[str, Mapping[bool, str]]] = {
    "readOnlyHint": {True: "It changes nothing.", False: "It changes something."},
    "destructiveHint": {
        True: "It may end or overwrite something.",
        False: "It ends and overwrites nothing.",
    },
    "idempotentHint": {
        True: "Calling it again with the same arguments changes nothing more.",
        False: "Calling it again is not the same as calling it once.",
    },
    "openWorldHint": {
        True: "It reaches beyond this server's own store.",
        False: "It stays within this server's own store.",
    },
}
"""The four hints of MCP in words."""

_IDEMPOTENCY: Final[Mapping[str, str]] = {
    "natural": "A repeat finds it done.",
    "client_request_id": "`client_request_id` decides: the same key with the same request is done once.",
    "none": "A repeat is refused.",
}


def emit(facts: Facts) -> Iterator[Output]:
    """One page per tool."""
    known = Shapes(facts)
    for tool in facts.tools:
        page = Page(known, tool)
        text = render("reference/tool.md", page=page, tool=tool, sources=page.sources)
        yield Output(REFERENCE / "tools" / f"{tool.name}.md", text)


@dataclass(frozen=True, slots=True)
class Field:
    """A field or an argument as a table shows it."""

    name: str
    type: str
    required: bool
    default: str
    bounds: str
    means: str


@dataclass(frozen=True, slots=True)
class Section:
    """An object of the result, with a heading of its own."""

    name: str
    means: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Page:
    """A tool as its page shows it."""

    shapes: Shapes
    tool: Tool

    @property
    def sources(self) -> list[str]:
        """The spec files that the page comes from."""
        model = self.shapes.facts.model
        elements = [self.tool, *(self.shapes.declared[name] for name in self._objects), *model.errors[:1]]
        return [element.document.path for element in [*elements, *([self.group] if self.group else [])]]

    @property
    def group(self) -> Meaning | None:
        """The group of the tool."""
        contract = self.shapes.facts.model.contract
        groups = contract.groups if contract else ()
        return next((group for group in groups if group.name == self.tool.group), None)

    @property
    def hints(self) -> list[tuple[str, str]]:
        """Each hint as MCP has it, and in words."""
        return [
            (f"{name}: {str(holds).lower()}", _HINTS[name][holds])
            for name, holds in self.tool.annotations.items()
            if name in _HINTS
        ]

    @property
    def idempotency(self) -> str:
        """What becomes of a repeated call."""
        return _IDEMPOTENCY[self.tool.idempotency]

    @property
    def arguments(self) -> tuple[Field, ...]:
        """What the tool takes."""
        return self._fields(self.tool.input)

    @property
    def argument_parts(self) -> list[Section]:
        """The objects that only the arguments are made of."""
        names = self._reached(references_in(self.tool.input))
        return [self._section(name) for name in names if name not in self._objects]

    @property
    def result(self) -> Section:
        """What a success answers."""
        return self._section(self.tool.output)

    @property
    def parts(self) -> list[Section]:
        """The objects that the result is made of, in the order in which a reader meets them."""
        return [self._section(name) for name in self._objects if name != self.tool.output]

    @property
    def errors(self) -> list[ErrorDefinition]:
        """The errors that it may answer."""
        known = {error.code: error for error in self.shapes.facts.model.errors}
        return [known[code] for code in self.tool.errors if code in known]

    @property
    def examples(self) -> list[tuple[str, str, str | None]]:
        """The title, the call and the result of each example, as JSON."""
        return [(example.title, self._call(example), _result(example)) for example in self.tool.examples]

    @cached_property
    def _objects(self) -> list[str]:
        """The objects that the result reaches, itself first."""
        return self._reached([self.tool.output])

    def _reached(self, names: Iterable[str]) -> list[str]:
        """The objects among types and in what they refer to, in the order in which a reader meets them."""
        found: list[str] = []
        waiting = [*names]
        while waiting:
            name = waiting.pop(0)
            if name not in found and self._is_object(name):
                found.append(name)
                waiting.extend(references_in(shape(self.shapes, name)))
        return found

    def _is_object(self, name: str) -> bool:
        return name in self.shapes.declared and "properties" in shape(self.shapes, name)

    def _section(self, name: str) -> Section:
        schema = shape(self.shapes, name)
        return Section(name, shapes.description(schema), self._fields(schema))

    def _fields(self, schema: JsonObject) -> tuple[Field, ...]:
        required = shapes.required(schema)
        return tuple(
            Field(
                name,
                self._type(each),
                name in required,
                f"`{json.dumps(each['default'])}`" if "default" in each else "",
                _bounds(each),
                self._means(each),
            )
            for name, each in shapes.properties(schema).items()
        )

    def _means(self, schema: JsonObject) -> str:
        """The description of a field, or else that of what it holds."""
        own = shapes.description(schema)
        held = cast("JsonObject", schema.get("items", schema))
        return own or shapes.description(shape(self.shapes, str(held.get("$ref", ""))))

    def _type(self, schema: JsonObject) -> str:
        match schema:
            case {"$ref": str(name)}:
                return self._reference(name)
            case {"const": value}:
                return f"`{json.dumps(value)}`"
            case {"enum": list(words)}:
                return " \\| ".join(f"`{word}`" for word in words)
            case {"items": dict(items)}:
                return f"list of {self._type(items)}"
            case {"additionalProperties": dict(values)}:
                return f"object of {self._type(values)} by name"
            case {"type": str(kind), "format": str(form)}:
                return f"{kind} ({form})"
            case _:
                return str(schema.get("type", "anything"))

    def _reference(self, name: str) -> str:
        """The type by its name: a link to where it is explained, or what it stands for."""
        if self._is_object(name):
            return f"[{name}](#{name.lower()})"
        if name in self.shapes.declared:
            return self._type(shape(self.shapes, name))
        return f"[{name}]({self._home(name)})" if name in self.shapes.derived else name

    def _home(self, name: str) -> str:
        """The page that lists the words of a derived type."""
        for lifecycle in self.shapes.facts.lifecycles:
            if name == f"{camel_case(lifecycle)}Status":
                return f"../lifecycles/{lifecycle}.md#states"
        return _HOMES[name]

    def _call(self, example: Example) -> str:
        return _json({"name": self.tool.name, "arguments": example.input})


_HOMES: Final[Mapping[str, str]] = {
    "NextAction": "../words.md#next-actions",
    "QueueReason": "../words.md#queue-reasons",
    "FindingId": "../words.md#findings",
    "RepairAction": "../words.md#repairs",
    "ErrorCode": "../errors.md",
    "ToolName": "../README.md#tools",
}


def _result(example: Example) -> str | None:
    return None if example.output is None else _json(example.output)


def _json(value: JsonValue) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _bounds(schema: JsonObject) -> str:
    """What a value must keep to beyond its type, in words."""
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f"{low} to {high}"
    limits = (
        (low, "at least {}"),
        (high, "at most {}"),
        (_beyond_one(schema.get("minLength")), "at least {} characters"),
        (schema.get("maxLength"), "at most {} characters"),
        (schema.get("minItems"), "at least {} items"),
        (schema.get("maxItems"), "at most {} items"),
    )
    said = [words.format(limit) for limit, words in limits if limit is not None]
    return ", ".join([*(["not empty"] if schema.get("minLength") == 1 else []), *said])


def _beyond_one(limit: JsonValue) -> JsonValue:
    """A least length of one is said in other words."""
    return None if limit == 1 else limit
