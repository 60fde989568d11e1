"""What nothing uses is probably forgotten. Asked of a spec without errors: a misspelling looks alike."""

from collections.abc import Iterator

from codex_control_plane_codegen.checks.subject import Subject, key_place_of
from codex_control_plane_codegen.diagnostics import Diagnostic
from codex_control_plane_codegen.shapes import FAILURE, references_in


def types_are_used(subject: Subject) -> Iterator[Diagnostic]:
    """Some tool or column leads to every type."""
    used = _types_in_use(subject)
    for definition in subject.model.types:
        if definition.name not in used:
            message = f"Nothing uses the type `{definition.name}`"
            yield Diagnostic("SPEC-R015", key_place_of(definition), message, "Remove it, or refer to it.")


def _types_in_use(subject: Subject) -> set[str]:
    shapes = [column.shape for table in subject.tables for column in table.columns]
    waiting = [FAILURE, *filter(None, shapes)]
    for tool in subject.model.tools:
        waiting += [tool.output, *references_in(tool.input)]
    used: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in subject.types and name not in used:
            used.add(name)
            definition = subject.types[name]
            waiting += [*references_in(definition.schema), *filter(None, [definition.extends])]
    return used


def errors_are_used(subject: Subject) -> Iterator[Diagnostic]:
    """Some tool answers every error, or it is declared as one that a row may end with."""
    used = {code for tool in subject.model.tools for code in tool.errors}
    for error in subject.model.errors:
        if error.code not in used and not error.stored:
            message = f"No tool answers the error `{error.code}`"
            hint = (
                "List it under `errors` of a tool, or say `stored: true` if only rows hold it, or remove it."
            )
            yield Diagnostic("SPEC-R016", key_place_of(error), message, hint)


def codex_shapes_are_used(subject: Subject) -> Iterator[Diagnostic]:
    """Some field of Codex's protocol is of every declared shape."""
    codex = subject.model.codex
    if not codex:
        return
    used = {field.type for field in subject.codex_fields}
    for shape in codex.shapes:
        if shape.name not in used:
            message = f"Nothing uses the shape `{shape.name}`"
            yield Diagnostic("SPEC-R015", key_place_of(shape), message, "Remove it, or refer to it.")
