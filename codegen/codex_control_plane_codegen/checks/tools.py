"""Tools that clients accept, and whose words are true (docs/architecture.md)."""

from collections.abc import Iterator
from typing import Final

from codex_control_plane_codegen.checks.subject import Subject, place_of
from codex_control_plane_codegen.diagnostics import Diagnostic
from codex_control_plane_codegen.model import Tool

_CLIENT_NAME: Final = "mcp__codex-control-plane-mcp__"
"""What clients put before the name of a tool."""

_LONGEST_NAME: Final = 64
"""Longest name of a tool, prefix included, that the models' interfaces accept."""


def names_fit_into_clients(subject: Subject) -> Iterator[Diagnostic]:
    """A tool's name, with the prefix that clients give it, is not longer than they allow."""
    for tool in subject.model.tools:
        longest = _LONGEST_NAME - len(_CLIENT_NAME)
        if len(tool.name) > longest:
            message = f"`{tool.name}` has {len(tool.name)} characters, and {longest} fit"
            hint = f"Clients call it {_CLIENT_NAME}{tool.name}, and allow {_LONGEST_NAME} characters."
            yield Diagnostic("SPEC-T007", place_of(tool, "tool"), message, hint)


def hints_agree(subject: Subject) -> Iterator[Diagnostic]:
    """The hints say the same as `passive` and `idempotency`."""
    for tool in subject.model.tools:
        for hint, wanted, reason in _hints(tool):
            if tool.annotations[hint] != wanted:
                message = f"`{tool.name}` {reason}, and its {hint} says otherwise"
                place = place_of(tool, "annotations", hint)
                yield Diagnostic("SPEC-T009", place, message, f"Make it {str(wanted).lower()}.")


def _hints(tool: Tool) -> Iterator[tuple[str, bool, str]]:
    """Each hint that follows from something else: its name, its value, and from what it follows."""
    yield "readOnlyHint", tool.passive, "is passive" if tool.passive else "is not passive"
    if tool.passive:
        yield "destructiveHint", False, "is passive"
        yield "openWorldHint", False, "is passive"
    repeatable = tool.idempotency != "none"
    yield "idempotentHint", repeatable, "can be repeated" if repeatable else "cannot be repeated"


def outputs_are_objects(subject: Subject) -> Iterator[Diagnostic]:
    """A tool answers with a type that is an object, to which the compiler adds `ok`."""
    for tool in subject.model.tools:
        definition = subject.types.get(tool.output)
        if definition and definition.schema.get("type") != "object":
            message = f"`{tool.output}` is not an object, and a tool answers with one"
            hint = "Wrap it in an object; any other root makes the whole tool list fail in older clients."
            yield Diagnostic("SPEC-T012", place_of(tool, "output", "$ref"), message, hint)
