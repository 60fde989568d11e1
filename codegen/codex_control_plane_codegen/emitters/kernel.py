"""Emits the modules that hold the same for every spec, and on which the others rest."""

from collections.abc import Iterator
from typing import Final

from codex_control_plane_codegen.facts import Facts
from codex_control_plane_codegen.output import CONTRACT_PACKAGE, Output
from codex_control_plane_codegen.templating import render

_MODULES: Final = ("values.py", "change.py", "rows.py", "facts.py")


def emit(_facts: Facts) -> Iterator[Output]:
    """`values.py`, `change.py`, `rows.py` and `facts.py`."""
    for name in _MODULES:
        yield Output(CONTRACT_PACKAGE / name, render(name))
