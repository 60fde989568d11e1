"""Emits `errors.py`: one exception class per error code, under one base."""

from collections.abc import Iterator

from codex_control_plane_codegen.facts import Facts
from codex_control_plane_codegen.output import CONTRACT_PACKAGE, Output
from codex_control_plane_codegen.python_source import camel_case
from codex_control_plane_codegen.templating import header, render


def emit(facts: Facts) -> Iterator[Output]:
    """`errors.py`, if the spec names any error."""
    errors = facts.model.errors
    if not errors:
        return
    names = [camel_case(error.code) for error in errors]
    branches = [f"{'└' if name == names[-1] else '├'}── {name}" for name in names]
    opening = header("What a tool answers when it cannot do what was asked.", [errors[0].document.path])
    tree = "\n".join(["ControlPlaneError", *branches])
    text = render("errors.py", opening=opening.removesuffix('"""') + f'\n{tree}\n"""', errors=errors)
    yield Output(CONTRACT_PACKAGE / "errors.py", text)
