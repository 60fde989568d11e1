"""A worker that does not hear all of what a real Codex says.

``python -m codex_control_plane_mcp.testing.deaf [--lose PATTERN] [--lose-once METHOD] [--cut-at METHOD]
[ARGUMENT …]``; the arguments are the worker's. What Codex does, and what is said to it, is untouched.
"""

import argparse
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from unittest import mock

from codex_control_plane_mcp.codex.connection import Connection
from codex_control_plane_mcp.codex.messages import Notification, ServerRequest
from codex_control_plane_mcp.worker.__main__ import main as work

_HEAR = Connection.messages


@dataclass(slots=True)
class Deafness:
    """What is not heard: every message that fits a pattern, the first one of some methods.

    The first message of a method in ``cut_at`` is not heard either, and the connection is cut there.
    """

    lost: Sequence[str]
    lost_once: list[str]
    cut_at: list[str]

    async def heard(
        self, said: AsyncIterator[Notification | ServerRequest], connection: Connection
    ) -> AsyncIterator[Notification | ServerRequest]:
        """Yield what is heard of what is said on a connection."""
        async for message in said:
            if message.method in self.cut_at:
                self.cut_at.remove(message.method)
                await connection.close()
                return
            if message.method in self.lost_once:
                self.lost_once.remove(message.method)
            elif not any(fnmatch(message.method, pattern) for pattern in self.lost):
                yield message


def main(arguments: Sequence[str] | None = None) -> int:
    """Be a deaf worker; return its exit code."""
    parser = argparse.ArgumentParser(prog="deaf", description="A worker that does not hear all of Codex.")
    parser.add_argument("--lose", action="append", default=[], metavar="PATTERN", help="such as 'item/*'")
    parser.add_argument("--lose-once", action="append", default=[], metavar="METHOD")
    parser.add_argument("--cut-at", action="append", default=[], metavar="METHOD")
    options, rest = parser.parse_known_args(arguments)
    deafness = Deafness(options.lose, options.lose_once, options.cut_at)

    def messages(connection: Connection) -> AsyncIterator[Notification | ServerRequest]:
        return deafness.heard(_HEAR(connection), connection)

    with mock.patch.object(Connection, "messages", messages):
        return work(rest)


if __name__ == "__main__":
    sys.exit(main())
