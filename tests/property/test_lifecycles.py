"""Any sequence of events leaves the emitted machines in the state that the spec says."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, cast

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from statemachine import StateChart

from codex_control_plane_contract.machines import MACHINES
from codex_control_plane_contract.properties import PROPERTIES, Driver, LifecycleProperties
from codex_control_plane_contract.values import Cell

# The library leaves the parameters of its types open, which the strict checker calls unknown.
_send: Callable[..., Any] = StateChart.send  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


class MachineDriver:
    """A row that lives in a python-statemachine."""

    def __init__(self) -> None:
        self.name = ""
        self.machine: StateChart[object] | None = None

    def create(self, lifecycle: str, event: str) -> str:
        """Starts the machine; its initial state is where every creation leads."""
        self.name = lifecycle
        self.machine = MACHINES[lifecycle]()
        assert event in import_module(f"codex_control_plane_contract.lifecycles.{lifecycle}").CREATIONS
        return self.state()

    def apply(self, event: str) -> Cell:
        """Sends the event; the machine ignores what is no transition."""
        module = import_module(f"codex_control_plane_contract.lifecycles.{self.name}")
        verdict: Cell = module.CELLS[self.state(), event]
        _send(self.machine, event)
        return verdict

    def state(self) -> str:
        """The state of the machine."""
        assert self.machine is not None
        return cast("str", self.machine.current_state_value)


@pytest.mark.parametrize("name", sorted(PROPERTIES))
def test_the_machine_follows_the_spec(name: str) -> None:
    """Events in any order lead where the table of cells says, and nowhere else."""

    def driver(_run: LifecycleProperties) -> Driver:
        return MachineDriver()

    run = cast("type[LifecycleProperties]", type(f"{name}_run", (PROPERTIES[name],), {"driver": driver}))
    run_state_machine_as_test(run, settings=settings(max_examples=25, stateful_step_count=20, deadline=None))
