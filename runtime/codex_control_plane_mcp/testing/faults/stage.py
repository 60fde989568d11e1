"""A stage on which the processes are whole, and a message between worker and Codex meets a fault."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from codex_control_plane_mcp.testing.crashes.stage import Stage
from codex_control_plane_mcp.testing.crashes.wire import Wire
from codex_control_plane_mcp.testing.faults.fault import Action, Fault, Script, Subject
from codex_control_plane_mcp.testing.faults.faulty_codex import FaultyCodex
from codex_control_plane_mcp.testing.rig import ScriptedRig
from codex_control_plane_mcp.testing.task_client import TaskClient

_NO_REPLY: Final[frozenset[Action]] = frozenset({"drop", "delay", "truncate"})
"""After these a call waits in vain for its reply, for as long as its task says."""


class FaultStage(Stage):
    """A rig on a faulty Codex, where a story plays with one fault."""

    patience = 80.0
    """A reply that is lost costs up to 30 seconds, and its second look as much."""

    def __init__(self, rig: ScriptedRig, client: TaskClient, codex: FaultyCodex) -> None:
        super().__init__(rig, client)
        self.codex = codex
        self.fault = Fault(Subject("request", "initialize"), "drop")

    @property
    def threat(self) -> str:
        """The message that is to pass in this story."""
        return str(self.fault.subject)

    async def expose(self, fault: Fault) -> None:
        """Begin a story with this fault in it."""
        self.fault = fault
        self.call_seconds = 1 if fault.action in _NO_REPLY else None
        await self.clear()

    async def conclude(self) -> None:
        """End a story: all is settled by the worker that met the fault, and nothing may be wrong."""
        self.codex.play(Script())
        await super().conclude()

    @asynccontextmanager
    async def trapped_worker(self, *arguments: str, **settings: str) -> AsyncGenerator[Wire]:
        """Start a worker; by the end its message has met the fault."""
        with self.new_wire() as wire:
            self.codex.play(Script(faults=(self.fault,), wire=wire.path))
            await self.start_worker(*arguments, **settings)
            yield wire
            await self.sprung(wire)
