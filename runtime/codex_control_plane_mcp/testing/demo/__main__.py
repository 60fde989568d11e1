"""``python -m codex_control_plane_mcp.testing.demo``: the same as the console script."""

import sys

from codex_control_plane_mcp.testing.demo import main

if __name__ == "__main__":
    sys.exit(main())
