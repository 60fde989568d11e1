"""A rig on a Codex whose messages meet faults."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from codex_control_plane_mcp.testing.faults.fault import Script
from codex_control_plane_mcp.testing.faults.faulty_codex import FaultyCodex
from codex_control_plane_mcp.testing.rig import ScriptedRig, scripted_rig

_BINARY: Final = "CODEX_BINARY_PATH"


@asynccontextmanager
async def faulty_rig(
    script: Script | None = None, /, *, codex_settings: str = "", **settings: str
) -> AsyncGenerator[tuple[ScriptedRig, FaultyCodex]]:
    """Give a rig and its Codex, with a script in place if one is given; otherwise as `scripted_rig`."""
    async with scripted_rig(codex_settings=codex_settings, **settings) as rig:
        codex = FaultyCodex(rig.directory, Path(rig.environment[_BINARY]))
        if script is not None:
            codex.play(script)
        rig.environment[_BINARY] = str(codex.program)
        yield rig, codex
