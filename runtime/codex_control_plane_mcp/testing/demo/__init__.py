"""``codex-control-plane-mcp-demo``: watch durable Codex tasks run, be killed half-way, and finish."""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final

from rich.console import Console

from codex_control_plane_contract.settings import FILE_VARIABLES, SETTINGS
from codex_control_plane_mcp.codex.binary import find_binary
from codex_control_plane_mcp.codex.errors import BinaryMissing
from codex_control_plane_mcp.testing.demo.screen import Screen
from codex_control_plane_mcp.testing.demo.story import Story, StoryBroken
from codex_control_plane_mcp.testing.demo.tasks import PLAIN, SCRIPTED
from codex_control_plane_mcp.testing.demo.verdict import Verdict
from codex_control_plane_mcp.testing.rig import Rig, live_rig, scripted_rig

_DESCRIPTION: Final = """\
Runs three tasks through the MCP server, as a client such as Claude Code would, and kills the server and the
worker with SIGKILL while one task works and another waits for an approval. Codex goes on meanwhile; a new
server finds everything as it was, and all three tasks finish. Nothing is simulated: server, worker and
`codex app-server` are real processes in a temporary directory, which is gone at the end.
"""

_EPILOG: Final = """\
The model is a scripted one on this machine: no login is needed and nothing is spent. With --live it is your
own: your Codex, its login and its model, in a temporary git project; that SPENDS YOUR QUOTA (three short
tasks) and takes a minute or two.

exit code: 0 all of it held; 1 something did not, and the last lines say what; 2 it could not begin
"""

_CODEX_OWN: Final = frozenset({"CODEX_HOME", "CODEX_BINARY_PATH"})
_LIVE_PATIENCE: Final = 300.0
_SCRIPTED_PATIENCE: Final = 45.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Tell the story on the terminal; return 0 if all of it held, 1 if not, 2 if it could not begin."""
    options = _parser().parse_args(arguments)
    screen = Screen(Console(quiet=options.json, highlight=False))
    try:
        verdict = asyncio.run(_tell(screen, live=options.live))
    except BinaryMissing as missing:
        verdict = Verdict.broken(f"The demo needs Codex: {missing}")
        screen.broken(verdict.error)
        _print_json(verdict, wanted=options.json)
        return 2
    except (StoryBroken, AssertionError) as fault:
        verdict = Verdict.broken(str(fault))
        screen.broken(verdict.error)
    except KeyboardInterrupt:
        return 130
    else:
        screen.verdict(verdict)
    _print_json(verdict, wanted=options.json)
    return 0 if verdict.ok else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="codex-control-plane-mcp-demo",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--live", action="store_true", help="use your own Codex login and model; spends quota"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end, nothing else")
    return parser


async def _tell(screen: Screen, *, live: bool) -> Verdict:
    """Tell the story; the verdict includes that nothing is left behind."""
    rig: AbstractAsyncContextManager[Rig]
    if live:
        find_binary(None, search_path=None)
        rig = live_rig(without=[name for name in (*SETTINGS, *FILE_VARIABLES) if name not in _CODEX_OWN])
        tasks, patience = PLAIN, _LIVE_PATIENCE
    else:
        rig = scripted_rig()
        tasks, patience = SCRIPTED, _SCRIPTED_PATIENCE
    async with rig as opened:
        story = Story(opened, screen, tasks, patience=patience)
        verdict = await story.tell()
    return verdict.cleared(opened.directory)


def _print_json(verdict: Verdict, *, wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"{json.dumps(verdict.as_json(), indent=2)}\n")
