"""Emits `properties.py`: a hypothesis machine per lifecycle, to hold any store or model against the spec."""

from collections.abc import Iterator

from codex_control_plane_codegen.facts import Facts
from codex_control_plane_codegen.output import CONTRACT_PACKAGE, Output
from codex_control_plane_codegen.templating import render


def emit(facts: Facts) -> Iterator[Output]:
    """`properties.py`."""
    lifecycles = list(facts.lifecycles.values())
    sources = [each.lifecycle.document.path for each in lifecycles]
    text = render(
        "properties.py", lifecycles=lifecycles, lifecycle_names=list(facts.lifecycles), sources=sources
    )
    if facts.lifecycles:
        yield Output(CONTRACT_PACKAGE / "properties.py", text)
