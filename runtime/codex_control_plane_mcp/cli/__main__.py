"""``codex-control-plane-mcp-admin``: one subcommand per question of an operator."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from codex_control_plane_contract.errors import ControlPlaneError
from codex_control_plane_mcp.cli import conform, resolve
from codex_control_plane_mcp.cli.exit_codes import UNUSABLE
from codex_control_plane_mcp.settings import SettingsInvalid, load_settings, state_file
from codex_control_plane_mcp.version import program_version

PROGRAM: Final = "codex-control-plane-mcp-admin"

_DESCRIPTION: Final = (
    "Looks after the state file of codex-control-plane-mcp, also while servers and worker use it."
)
_EPILOG: Final = f"""\
Without --state-db the state file is found as a server finds it: CODEX_MCP_STATE_DB, else the one in the
user's state directory. `{PROGRAM} COMMAND --help` tells more of a command.

Exit codes: 0 all is well, 1 something was found, 2 the state file or the call itself cannot be used."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; argparse ends a call that it cannot read with 2."""
    options = _parser().parse_args(arguments)
    try:
        path: Path = options.state_db or state_file(load_settings(os.environ))
        return int(options.run(path, options))
    except (SettingsInvalid, ControlPlaneError) as fault:
        sys.stderr.write(f"{PROGRAM}: {fault}\n")
        return UNUSABLE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=program_version())
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in (conform, resolve):
        subparser = commands.add_parser(
            command.NAME,
            help=command.SUMMARY,
            description=command.DESCRIPTION,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        subparser.add_argument("--state-db", type=Path, metavar="PATH", help="the state file to look at")
        subparser.add_argument("--json", action="store_true", help="one JSON object, for programs")
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
