"""Emits the modules that hold the same for every spec, and on which the others rest."""

from collections.abc import Iterator
from typing import Final

from codex_control_plane_codegen.facts import Facts
from codex_control_plane_codegen.output import CONTRACT_PACKAGE, Output
from codex_control_plane_codegen.templating import render

_MODULES: Final = ("__init__.py", "values.py", "change.py", "rows.py", "facts.py", "fields.py")


def emit(_facts: Facts) -> Iterator[Output]:
    """The package itself, with what every other module of it uses."""
    yield Output(CONTRACT_PACKAGE / "py.typed", "")
    for name in _MODULES:
        yield Output(CONTRACT_PACKAGE / name, render(name))
