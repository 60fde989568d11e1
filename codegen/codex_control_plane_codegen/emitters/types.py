"""Emits `types.py`: the shapes of results and the vocabularies that they use."""

from __future__ import annotations

from collections.abc import Iterator

from codex_control_plane_codegen.emitters import shapes
from codex_control_plane_codegen.facts import Facts
from codex_control_plane_codegen.model import TypeDefinition
from codex_control_plane_codegen.output import CONTRACT_PACKAGE, Output
from codex_control_plane_codegen.python_source import Expression, Subscript, flat_expression
from codex_control_plane_codegen.templating import render
from codex_control_plane_codegen.vocabularies import vocabularies


def emit(facts: Facts) -> Iterator[Output]:
    """`types.py`."""
    words = vocabularies(facts)
    definitions = facts.model.types
    sources = [each.document.path for each in definitions] + [word.source for word in words.values()]
    text = render(
        "types.py",
        sources=sources,
        vocabularies=words.values(),
        aliases=[each for each in definitions if "properties" not in each.schema],
        classes=[each for each in definitions if "properties" in each.schema],
        typing_names=_typing_names(definitions),
        fields=_fields,
        shapes=shapes,
        value_names=_value_names(definitions),
    )
    yield Output(CONTRACT_PACKAGE / "types.py", text)


def _fields(definition: TypeDefinition) -> Iterator[tuple[str, Expression, str]]:
    """Name, type and description of the type's own fields."""
    needed = shapes.required(definition.schema)
    for name, schema in shapes.properties(definition.schema).items():
        kind = shapes.annotation(schema)
        yield name, kind if name in needed else Subscript("NotRequired", (kind,)), shapes.description(schema)


def _annotations(definitions: tuple[TypeDefinition, ...]) -> list[str]:
    return [flat_expression(kind) for each in definitions for _, kind, _ in _fields(each)]


def _typing_names(definitions: tuple[TypeDefinition, ...]) -> list[str]:
    optional = any("NotRequired" in kind for kind in _annotations(definitions))
    return ["Literal", "TypeAlias", "TypedDict", *(["NotRequired"] if optional else [])]


def _value_names(definitions: tuple[TypeDefinition, ...]) -> list[str]:
    kinds = _annotations(definitions)
    return [name for name in ("JsonObject", "JsonValue") if any(name in kind for kind in kinds)]
