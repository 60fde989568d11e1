"""A Python process of a test: it runs a few lines and talks with the test line by line."""

import select
import signal
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from types import TracebackType
from typing import Self

_PATIENCE_SECONDS = 30.0


class PythonChild:
    """Runs ``source`` with ``arguments`` as `sys.argv[1:]`; it is killed at the end, if it still runs then.

    ``within`` is a command that the interpreter is started by, such as ``unshare``.
    """

    def __init__(self, source: str, *arguments: object, within: Sequence[str] = ()) -> None:
        command = [*within, sys.executable, "-u", "-W", "error", "-c", textwrap.dedent(source)]
        self._process = subprocess.Popen(
            [*command, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def say(self, line: str = "") -> None:
        """Give it a line on its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())

    def hear(self) -> str:
        """Return the next line that it prints; raises AssertionError if it ends or stays silent."""
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], _PATIENCE_SECONDS)
        assert ready, "the child stays silent"
        line = self._process.stdout.readline()
        assert line, f"the child has ended with {self._process.wait()}"
        return line.decode().strip()

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """Kill it and wait for its end."""
        self._process.kill()
        self._process.wait()

    def end(self) -> int:
        """Close its standard input, wait for its end and return the exit code."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return self._process.wait(_PATIENCE_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
