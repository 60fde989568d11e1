"""The emitted machines against python-statemachine's own reader of the same statecharts."""

import json
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import pytest
from statemachine import StateChart, io

from codex_control_plane_codegen.loader import parse
from codex_control_plane_codegen.reading import read_model
from codex_control_plane_contract.machines import MACHINES

SPEC = Path(__file__).parents[2] / "spec" / "lifecycles"
# The library leaves the parameters of its types open, which the strict checker calls unknown.
_load: Callable[..., Any] = io.load  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
_send: Callable[..., Any] = StateChart.send  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
LIFECYCLES = sorted(path.stem for path in SPEC.glob("*.yaml"))


def shape(machine: type[StateChart[object]]) -> dict[str, Any]:
    """What a machine is made of: states, initial, final, and the edges in order."""
    return {
        "states": [state.id for state in machine.states],
        "initial": [state.id for state in machine.states if state.initial],
        "final": [state.id for state in machine.final_states],
        "edges": [
            (state.id, edge.event, edge.target.id)
            for state in machine.states
            for edge in state.transitions
            if edge.target is not None
        ],
    }


def read(name: str) -> type[StateChart[object]]:
    """The machine that the library's reader makes of a lifecycle's statechart."""
    document = parse(f"spec/lifecycles/{name}.yaml", "lifecycle", (SPEC / f"{name}.yaml").read_text())
    (chart,) = (lifecycle.statechart for lifecycle in read_model(document.documents).lifecycles)
    # JSON is YAML, and keeps the order of the states.
    return cast("type[StateChart[object]]", _load(json.dumps(chart), format="yaml"))


def test_every_lifecycle_has_a_machine() -> None:
    """No lifecycle is left out."""
    assert sorted(MACHINES) == LIFECYCLES


@pytest.mark.parametrize("name", LIFECYCLES)
def test_the_emitted_machine_is_what_the_library_reads(name: str) -> None:
    """The emitted class has the same states, events and edges as the statechart block."""
    assert shape(MACHINES[name]) == shape(read(name))


def transitions() -> Iterator[tuple[str, str, str, str]]:
    """Every edge that the typed rows know, by lifecycle."""
    for name in LIFECYCLES:
        module = import_module(f"codex_control_plane_contract.lifecycles.{name}")
        for (state, event), target in module.TARGETS.items():
            yield name, state, event, target


@pytest.mark.parametrize(("name", "state", "event", "target"), list(transitions()))
def test_a_machine_takes_every_edge_of_the_typed_rows(name: str, state: str, event: str, target: str) -> None:
    """What a typed row offers, the machine does."""
    machine = MACHINES[name](start_value=state)
    # Through the class: the event `send` of an attempt hides the method of the same name.
    _send(machine, event)
    assert machine.current_state_value == target
