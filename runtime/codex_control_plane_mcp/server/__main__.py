"""The command `codex-control-plane-mcp`: the MCP server on stdio."""

import gc
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from codex_control_plane_mcp.store.clock import Clock

_USAGE_ERROR: Final = 2


def main(arguments: Sequence[str] | None = None, *, clock: "Clock | None" = None) -> int:
    """Run the command with `arguments` (default: those of this process); return its exit code.

    `clock` is the store's, that of the system if none is given.

    0: served until the client or a signal ended it; 2: wrong arguments or settings, explained on stderr.
    """
    given = sys.argv[1:] if arguments is None else arguments
    if given:
        return _answer(given)
    # Until the server can end in order there is nothing that could be left half done.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    return _serve(os.environ, clock)


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    os._exit(0)


def _answer(arguments: Sequence[str]) -> int:
    # Imported here: a server that a client starts needs neither.
    from codex_control_plane_mcp.server import manual  # noqa: PLC0415 - see above

    match arguments:
        case ["--version"]:
            sys.stdout.write(manual.version_line())
        case ["--help" | "-h"]:
            sys.stdout.write(manual.help_text())
        case _:
            sys.stderr.write(f"codex-control-plane-mcp takes no argument {arguments[0]!r}; see --help.\n")
            return _USAGE_ERROR
    return 0


def _serve(environ: Mapping[str, str], clock: "Clock | None") -> int:
    # The thousands of objects that the imports leave behind stay for ever: no collector needs to visit them.
    gc.disable()
    from codex_control_plane_mcp.settings import SettingsInvalid, load_settings  # noqa: PLC0415 - measured

    try:
        settings = load_settings(environ)
    except SettingsInvalid as invalid:
        for problem in invalid.problems:
            sys.stderr.write(f"codex-control-plane-mcp: {problem}\n")
        return _USAGE_ERROR
    from codex_control_plane_mcp.server.session import serve  # noqa: PLC0415 - it brings the SDK, a second

    gc.freeze()
    gc.enable()
    serve(settings, environ, clock)
    return 0


if __name__ == "__main__":
    sys.exit(main())
