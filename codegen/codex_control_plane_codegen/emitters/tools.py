"""Emits `arguments.py`, `tools.py`, `tool_schemas.py`, `handlers.py` and the bindings that mypy checks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from codex_control_plane_codegen.emitters import shapes
from codex_control_plane_codegen.facts import Facts, digest
from codex_control_plane_codegen.model import JsonObject, Tool
from codex_control_plane_codegen.output import CONTRACT_PACKAGE, Output
from codex_control_plane_codegen.python_source import (
    WIDTH,
    Call,
    Code,
    Either,
    Expression,
    camel_case,
    declaration,
    defaulted,
    expression,
    flat_expression,
)
from codex_control_plane_codegen.shapes import Shapes, references_in
from codex_control_plane_codegen.templating import render
from codex_control_plane_codegen.wire import input_schema, output_schema

_BINDINGS = PurePosixPath("generated/handler_bindings.py")


def emit(facts: Facts) -> Iterator[Output]:
    """Everything that follows from the tools, if there are any."""
    known = Shapes(facts)
    views = [View(known, tool) for tool in facts.tools]
    if not views:
        return
    sources = [view.tool.document.path for view in views]
    for name in ("arguments.py", "tool_schemas.py", "tools.py", "handlers.py"):
        text = render(name, views=views, sources=sources, **_context(views))
        yield Output(CONTRACT_PACKAGE / name, text)
    yield Output(_BINDINGS, render("handler_bindings.py", views=views, sources=sources, **_context(views)))


def _context(views: Sequence[View]) -> dict[str, object]:
    referred = {name for view in views for name in references_in(view.tool.input)}
    inputs = {name for name in referred if any(name in kind for view in views for kind in view.kinds)}
    modules = sorted({view.module for view in views})
    return {
        "surface_hash": digest([view.surface for view in views]),
        "input_types": sorted(inputs),
        "output_types": sorted({view.tool.output for view in views}),
        "argument_types": [view.arguments for view in views],
        "protocols": [view.protocol for view in views],
        "modules": modules,
        "literals": any("Literal[" in kind for view in views for kind in view.kinds),
        "objects": any("JsonObject" in kind for view in views for kind in view.kinds),
    }


@dataclass(frozen=True)
class View:
    """A tool as the templates show it."""

    shapes: Shapes
    tool: Tool

    @property
    def name(self) -> str:
        """The tool's name without the prefix that all of them share."""
        return self.tool.name.removeprefix("codex_")

    @property
    def constant(self) -> str:
        """The stem of its constants."""
        return self.name.upper()

    @property
    def arguments(self) -> str:
        """The class of its arguments."""
        return f"{camel_case(self.name)}Arguments"

    @property
    def protocol(self) -> str:
        """The protocol of its handler."""
        return f"{camel_case(self.name)}Handler"

    @property
    def binding(self) -> str:
        """The statement that holds its handler against the protocol."""
        target = f"{self.name}: {self.protocol}[Context] ="
        fits = len(f"{target} {self.tool.handler}") <= WIDTH
        return f"{target} {self.tool.handler}" if fits else f"{target} (\n    {self.tool.handler}\n)"

    @property
    def module(self) -> str:
        """The module of `handlers` in the runtime that holds its handler."""
        return self.tool.handler.partition(".")[0]

    @cached_property
    def input(self) -> JsonObject:
        """Its input schema on the wire."""
        return input_schema(self.shapes, self.tool)

    @cached_property
    def output(self) -> JsonObject:
        """Its output schema on the wire."""
        return output_schema(self.shapes, self.tool)

    @property
    def surface(self) -> JsonObject:
        """What clients see of it in `tools/list`."""
        return {
            "name": self.tool.name,
            "title": self.tool.title,
            "description": self.tool.description,
            "annotations": {**self.tool.annotations},
            "inputSchema": self.input,
            "outputSchema": self.output,
        }

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The fields of its arguments, each with its description."""
        properties = shapes.properties(self.tool.input)
        return [(self._field(name, each), shapes.description(each)) for name, each in properties.items()]

    @property
    def kinds(self) -> list[str]:
        """The types of its arguments."""
        return [
            flat_expression(shapes.annotation(each)) for each in shapes.properties(self.tool.input).values()
        ]

    def _field(self, name: str, schema: JsonObject) -> str:
        kind = shapes.annotation(schema)
        if name in shapes.required(self.tool.input):
            return declaration(kind, name, 4)
        if "default" in schema:
            return defaulted(kind, name, schema["default"], 4)
        optional = Either((kind, Code("None")))
        return f"{name}: {expression(optional, 4, 6 + len(name), len(' = None'))} = None"

    @property
    def whole_numbers(self) -> tuple[str, ...]:
        """The arguments that are integers; JSON allows to write 5 as 5.0."""
        properties = shapes.properties(self.tool.input)
        return tuple(name for name, each in properties.items() if each.get("type") == "integer")

    @property
    def entry(self) -> Call:
        """Its entry in the table of tools."""
        tool = self.tool
        named: dict[str, Expression] = {
            "name": tool.name,
            "title": tool.title,
            "description": tool.description,
            "group": tool.group,
            "role": tool.role,
            "passive": tool.passive,
            "idempotency": tool.idempotency,
            "handler": tool.handler,
            "annotations": tool.annotations,
            "errors": tool.errors,
            "next_tools": tool.next_tools,
            "examples": tuple(self._examples()),
            "input_schema": Code(f"tool_schemas.{self.constant}_INPUT"),
            "output_schema": Code(f"tool_schemas.{self.constant}_OUTPUT"),
            "arguments": self.arguments,
        }
        return Call("Tool", (), named)

    def _examples(self) -> Iterator[Expression]:
        for example in self.tool.examples:
            shown: dict[str, Expression] = {"title": example.title, "input": example.input}
            yield shown if example.output is None else {**shown, "output": example.output}
