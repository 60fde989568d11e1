"""The schemas of a tool as clients receive them (contract §1, Results).

An input holds no references. An output keeps what it uses more than once under ``$defs`` and leaves
descriptions to the documentation, because `tools/list` has to stay small.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from codex_control_plane_codegen.model import JsonObject, JsonValue, Tool
from codex_control_plane_codegen.shapes import FAILURE, Shapes, references_in


def input_schema(shapes: Shapes, tool: Tool) -> JsonObject:
    """What the tool takes: an object without further properties."""
    properties = cast("dict[str, JsonObject]", tool.input.get("properties", {}))
    schema: JsonObject = {
        "type": "object",
        "properties": {name: _resolved(shapes, each) for name, each in properties.items()},
    }
    if required := tool.input.get("required"):
        schema["required"] = required
    return {**schema, "additionalProperties": False}


def _resolved(shapes: Shapes, schema: JsonObject) -> JsonObject:
    own = {key: value for key, value in schema.items() if key != "$ref"}
    if name := schema.get("$ref"):
        own = {**shape(shapes, str(name)), **own}
    if all(isinstance(word, str) for word in cast("list[object]", own.get("enum", [0]))):
        own = {"type": "string", **own}
    return {key: _resolved_part(shapes, value) for key, value in own.items()}


def _resolved_part(shapes: Shapes, value: JsonValue) -> JsonValue:
    return _resolved(shapes, value) if isinstance(value, dict) and "$ref" in value else value


def shape(shapes: Shapes, name: str) -> JsonObject:
    """The schema of a type by its name, with inherited fields; a name that leads nowhere allows anything."""
    if name in shapes.declared:
        return shapes.merged(name)
    return {"enum": list(shapes.derived[name])} if name in shapes.derived else {}


def output_schema(shapes: Shapes, tool: Tool) -> JsonObject:
    """What the tool answers: its success with ``ok: true``, or a failure with one of its codes."""
    return OutputSchema(shapes, tool).schema


@dataclass(frozen=True)
class OutputSchema:
    """The output schema of one tool, as it is put together."""

    shapes: Shapes
    tool: Tool

    @cached_property
    def schema(self) -> JsonObject:
        """The whole schema."""
        success = self._bare(shape(self.shapes, self.tool.output))
        properties = cast("dict[str, JsonValue]", success.get("properties", {}))
        required = cast("list[JsonValue]", success.get("required", []))
        success["properties"] = {"ok": {"const": True}, **properties}
        success["required"] = ["ok", *required]
        definitions: JsonObject = {name: self._bare(shape(self.shapes, name)) for name in self._shared}
        return {
            "type": "object",
            "oneOf": [success, {"$ref": f"#/$defs/{FAILURE}"}],
            "$defs": {**definitions, FAILURE: self._failure},
        }

    @cached_property
    def _shared(self) -> list[str]:
        """The types that are used more than once, or within themselves."""
        uses: Counter[str] = Counter()
        waiting = list(references_in(shape(self.shapes, self.tool.output)))
        while waiting:
            name = waiting.pop()
            uses[name] += 1
            if uses[name] == 1:
                waiting.extend(references_in(shape(self.shapes, name)))
        return sorted(name for name, count in uses.items() if count > 1)

    @property
    def _failure(self) -> JsonObject:
        error = dict(shape(self.shapes, "Error"))
        properties = cast("dict[str, JsonValue]", error.get("properties", {}))
        error["properties"] = {**properties, "code": {"enum": list(self.tool.errors)}}
        failure = dict(shape(self.shapes, FAILURE))
        properties = cast("dict[str, JsonValue]", failure.get("properties", {}))
        failure["properties"] = {**properties, "error": error}
        return self._bare(failure)

    def _bare(self, schema: JsonObject) -> JsonObject:
        """The schema without descriptions, its references resolved, its objects closed."""
        if name := schema.get("$ref"):
            if name in self._shared:
                return {"$ref": f"#/$defs/{name}"}
            return self._bare(shape(self.shapes, str(name)))
        bare = dict(_parts(schema, self._bare))
        if "properties" in bare:
            bare["additionalProperties"] = False
        elif bare.get("additionalProperties") is True:
            del bare["additionalProperties"]
        return bare


def _parts(
    schema: JsonObject, transform: Callable[[JsonObject], JsonObject]
) -> Iterator[tuple[str, JsonValue]]:
    for key, value in schema.items():
        if key == "properties":
            yield key, {name: transform(each) for name, each in cast("dict[str, JsonObject]", value).items()}
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            yield key, transform(value)
        elif key != "description":
            yield key, value
