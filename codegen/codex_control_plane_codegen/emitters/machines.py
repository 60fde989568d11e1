"""Emits `machines.py`: a class of python-statemachine per lifecycle, equal to what its YAML reader builds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from codex_control_plane_codegen.facts import Facts, LifecycleFacts
from codex_control_plane_codegen.model import State
from codex_control_plane_codegen.output import CONTRACT_PACKAGE, Output
from codex_control_plane_codegen.python_source import camel_case
from codex_control_plane_codegen.templating import render


def emit(facts: Facts) -> Iterator[Output]:
    """`machines.py`."""
    views = [View(lifecycle) for lifecycle in facts.lifecycles.values()]
    sources = [view.facts.lifecycle.document.path for view in views]
    yield Output(CONTRACT_PACKAGE / "machines.py", render("machines.py", views=views, sources=sources))


@dataclass(frozen=True)
class View:
    """A lifecycle as the template shows it."""

    facts: LifecycleFacts

    @property
    def name(self) -> str:
        """The class of its machine."""
        return f"{camel_case(self.facts.lifecycle.name)}Machine"

    def state(self, state: State) -> str:
        """The declaration of a state."""
        flags = {"initial": state.initial, "final": state.final}
        return f"{state.name} = State({', '.join(f'{name}=True' for name, set_ in flags.items() if set_)})"

    @property
    def edges(self) -> list[str]:
        """The declarations of the edges, in the order of the chart."""
        return [
            f'{edge.source}.to({edge.target}, event="{edge.event}")'
            for edge in self.facts.lifecycle.transitions
        ]
