"""Reads ``spec/tools`` and ``spec/types``."""

from collections.abc import Iterator

from codex_control_plane_codegen.model import Example, Tool, TypeDefinition
from codex_control_plane_codegen.reading.nodes import Node


def read_types(root: Node) -> Iterator[TypeDefinition]:
    """The types of one document: the shared ones, or those that a tool brings along."""
    for name, node in root.entries("types"):
        schema = {key: value for key, value in node.value.items() if key != "extends"}
        yield TypeDefinition(
            **node.place, name=name, source=root.text("source"), extends=node.get("extends"), schema=schema
        )


def read_tool(root: Node) -> Tool:
    """One tool."""
    return Tool(
        **root.place,
        name=root.text("tool"),
        title=root.text("title"),
        group=root.text("group"),
        role=root.text("role"),
        source=root.text("source"),
        description=root.text("description"),
        passive=root.get("passive", False),
        idempotency=root.text("idempotency"),
        annotations=root.get("annotations", {}),
        handler=root.text("handler"),
        input=root.mapping("input"),
        output=root.child("output").text("$ref"),
        errors=root.names("errors"),
        next_tools=root.names("next_tools"),
        examples=tuple(_example(node) for node in root.items("examples")),
    )


def _example(node: Node) -> Example:
    return Example(
        **node.place, title=node.text("title"), input=node.mapping("input"), output=node.get("output")
    )
