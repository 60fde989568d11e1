"""An operator who decides, with a command that breaks, and then says it again."""

import asyncio
import sys
from collections.abc import Sequence
from typing import Final

from codex_control_plane_contract.codex import Choice
from codex_control_plane_mcp.cli.exit_codes import FOUND, OK
from codex_control_plane_mcp.testing.crashes.armed_server import armed
from codex_control_plane_mcp.testing.crashes.stage import Stage

_ADMIN: Final = (sys.executable, "-P", "-m", "codex_control_plane_mcp.cli")


async def decide(stage: Stage, operation_id: str, choice: Choice) -> None:
    """Decide on a task with a command that has the trap, and once more without; what was done is refused."""
    words = ("resolve", operation_id, choice, "--reason", "a story")
    with stage.new_wire() as wire:
        broken = await _run(stage, (*armed(stage.point, stage.action, wire, "admin"), *words))
        await stage.sprung(wire)
        if stage.action == "stop":
            broken.kill()
        await broken.wait()
    again = await _run(stage, (*_ADMIN, *words))
    assert await again.wait() in (OK, FOUND)


async def _run(stage: Stage, command: Sequence[str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(*command, env=stage.rig.environment, cwd=stage.rig.directory)
