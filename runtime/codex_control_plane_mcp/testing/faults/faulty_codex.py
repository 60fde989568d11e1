"""A `codex` program that a worker cannot tell from Codex, and whose messages meet what a test has written."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from codex_control_plane_mcp.testing.faults.fault import Script
from codex_control_plane_mcp.testing.faults.passage import Passage, read_passages

_PROGRAM: Final = """\
#!/bin/sh
case "$1" in
app-server) exec {python} -P -m codex_control_plane_mcp.testing.faults {codex} {script} {log} "$@" ;;
*) exec {codex} "$@" ;;
esac
"""


class FaultyCodex:
    """The program at ``program``, made in ``directory`` around the real one at ``codex``.

    As long as nothing is played it is Codex, with a log of what passes.
    """

    def __init__(self, directory: Path, codex: Path) -> None:
        self.program = directory / "faulty-codex"
        self._script = directory / "faults.json"
        self._log = directory / "messages.jsonl"
        words = {"python": sys.executable, "codex": codex, "script": self._script, "log": self._log}
        self.program.write_text(
            _PROGRAM.format(**{name: shlex.quote(str(word)) for name, word in words.items()})
        )
        self.program.chmod(0o755)
        self.play(Script())

    def play(self, script: Script) -> None:
        """Put a script in place for the connections that are made from now on."""
        following = self._script.with_suffix(".next")
        following.write_text(script.as_text())
        following.replace(self._script)

    def passages(self) -> Sequence[Passage]:
        """Return every message that has come to the proxy so far."""
        return read_passages(self._log) if self._log.exists() else ()

    def struck(self) -> Sequence[Passage]:
        """Return the messages to which something was done."""
        return [passage for passage in self.passages() if passage.action is not None]
