"""A stage on which the processes are whole, and messages between worker and Codex meet faults."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from codex_control_plane_mcp.testing.crashes.stage import Stage
from codex_control_plane_mcp.testing.crashes.wire import Wire
from codex_control_plane_mcp.testing.faults.fault import Script
from codex_control_plane_mcp.testing.faults.faulty_codex import FaultyCodex
from codex_control_plane_mcp.testing.rig import ScriptedRig
from codex_control_plane_mcp.testing.task_client import TaskClient

_CALL_SECONDS: Final = 1
"""How long a task waits for a reply on this stage, which may be late or lost."""


class FaultStage(Stage):
    """A rig on a faulty Codex, where a story plays with a script."""

    patience = 80.0
    """A reply that is lost costs up to 30 seconds, and its second look as much."""

    def __init__(self, rig: ScriptedRig, client: TaskClient, codex: FaultyCodex) -> None:
        super().__init__(rig, client)
        self.codex = codex
        self.call_seconds = _CALL_SECONDS
        self._script = Script()

    @property
    def threat(self) -> str:
        """What is to go wrong in this story."""
        return f"a message of {self._script}"

    async def expose(self, script: Script) -> None:
        """Begin a story in which this goes wrong."""
        self._script = script
        await self.clear()

    async def conclude(self) -> None:
        """End a story: all is settled by the worker that met the faults, and nothing may be wrong."""
        self.codex.play(Script())
        await super().conclude()

    @asynccontextmanager
    async def trapped_worker(self, *arguments: str, **settings: str) -> AsyncGenerator[Wire]:
        """Start a worker; by the end a message of its has met a fault."""
        with self.new_wire() as wire:
            self.codex.play(replace(self._script, wire=wire.path))
            await self.start_worker(*arguments, **settings)
            yield wire
            await self.sprung(wire)
