"""``python -m codex_control_plane_mcp.testing.chaos``."""

import sys

from codex_control_plane_mcp.testing.chaos import main

if __name__ == "__main__":
    sys.exit(main())
