"""``python -m codex_control_plane_codegen``."""

import sys

from codex_control_plane_codegen.cli import main as run


def main() -> None:
    """The entry point of the program `codex-control-plane-mcp-codegen`; ends with its exit code."""
    sys.exit(run())


if __name__ == "__main__":
    main()
