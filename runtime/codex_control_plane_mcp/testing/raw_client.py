"""A client without an SDK: lines in, lines out, and the life and death of the server process.

It says what no well-behaved client says, and sees what every SDK hides. Nothing here waits without a bound:
when the bound is reached the server is killed, and the wait ends with ServerSilent.
"""

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Final, Self, cast

from codex_control_plane_contract.values import JsonObject, JsonValue

BOUND_SECONDS: Final = 60.0
"""How long a server may live in all; far beyond what any test needs."""

COMMAND: Final = (sys.executable, "-m", "codex_control_plane_mcp.server")
"""How the server is started."""

_META: Final = "io.modelcontextprotocol"
_CLIENT: Final[JsonObject] = {"name": "raw", "version": "0"}


class ServerSilent(Exception):
    """The server ended, or was killed at the bound, before it answered; the message holds its stderr."""


class RawClient:
    """A server process and its two pipes; a context manager that leaves no process behind."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        command: Sequence[str] = COMMAND,
        bound: float = BOUND_SECONDS,
    ) -> None:
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._process = subprocess.Popen(
            command,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            start_new_session=True,
        )
        self._killer = threading.Timer(bound, self._process.kill)
        self._killer.start()
        self._last_id = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._killer.cancel()
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._stderr):
            # What was written and not read can be flushed to nobody any more.
            with contextlib.suppress(BrokenPipeError):
                cast("IO[bytes]", pipe).close()

    @property
    def pid(self) -> int:
        """The process id of the server."""
        return self._process.pid

    @property
    def stderr(self) -> str:
        """What the server has written to stderr so far."""
        self._stderr.seek(0)
        return self._stderr.read().decode(errors="replace")

    def send_bytes(self, content: bytes) -> None:
        """Write `content` as it stands."""
        assert self._process.stdin is not None
        self._process.stdin.write(content)
        self._process.stdin.flush()

    def send(self, message: JsonValue) -> None:
        """Write `message` as one line of JSON, in ASCII with escapes."""
        self.send_bytes(json.dumps(message).encode() + b"\n")

    def receive(self) -> JsonObject:
        """Return the next message of the server. Raises ServerSilent."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise ServerSilent(f"exit code {self._process.wait()}; stderr: {self.stderr}")
        return cast("JsonObject", json.loads(line))

    def receive_all(self, ids: Iterable[JsonValue]) -> Mapping[JsonValue, JsonObject]:
        """Return the answers to all `ids`, whatever their order. Raises ServerSilent."""
        missing, answers = set(ids), dict[JsonValue, JsonObject]()
        while missing:
            answer = self.receive()
            answers[answer.get("id")] = answer
            missing.discard(answer.get("id"))
        return answers

    def request(self, method: str, params: JsonObject | None = None) -> JsonObject:
        """Send a request and return its answer, result or error. Raises ServerSilent."""
        self._last_id += 1
        message: JsonObject = {"jsonrpc": "2.0", "id": self._last_id, "method": method}
        self.send(message if params is None else {**message, "params": params})
        return self.receive_all([self._last_id])[self._last_id]

    def call(self, tool: str, arguments: JsonObject) -> JsonObject:
        """Call a tool and return the `result` of the answer. Raises ServerSilent, KeyError."""
        return cast(
            "JsonObject", self.request("tools/call", {"name": tool, "arguments": arguments})["result"]
        )

    def initialize(self, version: str = "2025-11-25") -> JsonObject:
        """Open a connection of the handshake era; return the result. Raises ServerSilent."""
        answer = self.request(
            "initialize", {"protocolVersion": version, "capabilities": {}, "clientInfo": _CLIENT}
        )
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return cast("JsonObject", answer["result"])

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server."""
        self._process.send_signal(number)

    def close_input(self) -> None:
        """Close the server's stdin."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def close_output(self) -> None:
        """Stop listening to the server."""
        assert self._process.stdout is not None
        self._process.stdout.close()

    def exit_code(self) -> int:
        """Wait for the end of the server and return its exit code; -9 if it had to be killed at the bound."""
        return self._process.wait()


def envelope(version: str = "2026-07-28") -> JsonObject:
    """Return the `_meta` that every request of the 2026-07-28 era carries."""
    return {
        f"{_META}/protocolVersion": version,
        f"{_META}/clientCapabilities": {},
        f"{_META}/clientInfo": _CLIENT,
    }
