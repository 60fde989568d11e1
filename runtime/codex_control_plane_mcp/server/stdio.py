"""The stdio transport: one client, line by line, until stdin ends, a signal comes or the client is gone.

All three end the process cleanly and at once; the work goes on without it (contract §19.4).
"""

import logging
import os
import signal
import threading
from typing import Any, Final

import anyio
from anyio import CancelScope
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.server.lowlevel.server import Server
from mcp.shared.message import SessionMessage

from codex_control_plane_mcp.server.frames import Rejection, decode, encode
from codex_control_plane_mcp.server.lines import lines

_log = logging.getLogger(__name__)

EXIT_SECONDS: Final = 0.7
"""How long a thread that is inside the store may hold up the exit; its transaction is atomic either way."""


class Wire:
    """The descriptors of the client, taken away from everybody else in this process and its children.

    From now on fd 0 is `/dev/null` and fd 1 is stderr: a stray `print` or a child cannot damage the protocol.
    """

    def __init__(self) -> None:
        self.source = os.dup(0)
        self.sink = os.dup(1)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        os.dup2(2, 1)
        self.answered = threading.Event()
        """Set once the client has its first answer."""
        # Its own: answers must not queue for a thread behind calls that wait for the locked store.
        self._threads = anyio.CapacityLimiter(1)

    async def write(self, line: bytes) -> None:
        """Write one line whole. Raises OSError when the client is gone."""
        # A client that does not read blocks a thread here, and an exit does not wait for that thread.
        await anyio.to_thread.run_sync(self._write_all, line, abandon_on_cancel=True, limiter=self._threads)

    def _write_all(self, line: bytes) -> None:
        rest = memoryview(line)
        while rest:
            rest = rest[os.write(self.sink, rest) :]
        self.answered.set()


async def serve_stdio(server: Server[dict[str, Any]], wire: Wire) -> None:
    """Serve the client on `wire` until it, or a signal, ends the connection."""
    requests, received = anyio.create_memory_object_stream[SessionMessage | Exception]()
    answers, to_send = anyio.create_memory_object_stream[SessionMessage]()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_stop_on_signal, tasks.cancel_scope)
        tasks.start_soon(_receive, wire, requests, answers.clone())
        async with anyio.create_task_group() as serving:
            serving.start_soon(_send, wire, to_send, tasks.cancel_scope)
            await server.run(received, answers, server.create_initialization_options())
        tasks.cancel_scope.cancel()


async def _receive(
    wire: Wire,
    requests: MemoryObjectSendStream[SessionMessage | Exception],
    answers: MemoryObjectSendStream[SessionMessage],
) -> None:
    async with requests, answers:
        async for line in lines(wire.source):
            frame = decode(line)
            if isinstance(frame, Rejection):
                _log.warning("refused a line: %s", frame.reason)
                await answers.send(SessionMessage(frame.answer()))
            else:
                await requests.send(SessionMessage(frame))
        _leave_in_time()


async def _send(
    wire: Wire, to_send: MemoryObjectReceiveStream[SessionMessage], connection: CancelScope
) -> None:
    async with to_send:
        async for answer in to_send:
            try:
                await wire.write(encode(answer.message))
            except OSError as fault:
                _log.info("the client does not listen any more: %s", fault)
                _leave_in_time()
                connection.cancel()
                return


async def _stop_on_signal(connection: CancelScope) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for received in signals:
            _log.info("ending on %s", signal.Signals(received).name)
            _leave_in_time()
            connection.cancel()
            return


def _leave_in_time() -> None:
    """See to it that the process ends soon: a thread that waits for the store must not keep it alive."""
    last = threading.Timer(EXIT_SECONDS, os._exit, (0,))
    last.daemon = True
    last.start()
