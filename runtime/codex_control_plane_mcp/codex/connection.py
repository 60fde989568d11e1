"""One client connection to an app-server: JSON-RPC in text frames of a WebSocket over a unix socket."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.protocol import State

from codex_control_plane_mcp.codex.errors import (
    CallError,
    CallLate,
    CallNotSent,
    CallRefused,
    CallUnanswered,
    ConnectionFailed,
)
from codex_control_plane_mcp.codex.json_types import JsonObject, JsonValue
from codex_control_plane_mcp.codex.messages import (
    Notification,
    Refusal,
    Reply,
    RequestId,
    ServerRequest,
    decode,
)
from codex_control_plane_mcp.fail_points import COURSE

CLIENT_NAME: Final = "codex-control-plane-mcp"
"""Our `clientInfo.name`; Codex records it as the `originator` of each thread that we start."""

IN_FLIGHT_LIMIT: Final = 64
"""Calls that may wait for a reply at once: an app-server refuses or drops beyond about 128."""

ASK_AGAIN_SECONDS: Final = 2.0
"""How long a reply may take before what changes nothing is asked again; Codex takes at most a second."""

FRAME_CHARS: Final = 1_000_000
"""The longest text that is sent as one frame."""

CONNECT_SECONDS: Final = 10.0
"""Longest wait for the socket, the WebSocket upgrade and for `initialize`, each."""

CLOSE_SECONDS: Final = 2.0
"""Longest wait for the closing handshake: an app-server that ends never sends its half."""

_LOG: Final = logging.getLogger(__name__)


class Connection:
    """An initialized connection, made by `open`.

    Attributes: `server_version` (like ``0.163.0``, empty if Codex did not say), `user_agent` and
    `codex_home` as `initialize` returned them.

    A task of its own reads without a bound, because Codex cuts off clients that read slowly.
    """

    def __init__(self, websocket: ClientConnection) -> None:
        self.server_version = ""
        self.user_agent = ""
        self.codex_home = ""
        self._websocket = websocket
        self._slots = asyncio.Semaphore(IN_FLIGHT_LIMIT)
        self._pending: dict[RequestId, asyncio.Future[JsonValue]] = {}
        self._last_id = 0
        self._inbox: asyncio.Queue[Notification | ServerRequest | None] = asyncio.Queue()
        self._closed = asyncio.Event()
        self._reader = asyncio.create_task(self._read(), name="codex-connection-reader")

    @classmethod
    async def open(cls, socket_path: Path, *, client_version: str, opt_out: Sequence[str] = ()) -> Self:
        """Connect to the app-server at `socket_path` and return the connection after `initialize`.

        `opt_out` names notifications that Codex shall not send (exact names, unknown ones are ignored).
        Raises ConnectionFailed.
        """
        try:
            websocket = await _connect(socket_path)
        except (OSError, WebSocketException) as error:
            raise ConnectionFailed(socket_path, str(error) or type(error).__name__) from error
        connection = cls(websocket)
        try:
            await connection._initialize(client_version, opt_out)
        except CallError as error:
            await connection.close()
            raise ConnectionFailed(socket_path, str(error)) from error
        except BaseException:
            await connection.close()
            raise
        return connection

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def call(
        self,
        method: str,
        params: Mapping[str, object],
        *,
        timeout: float = 30.0,  # noqa: ASYNC109 -- running out means "outcome unknown", which only we can say
    ) -> JsonObject:
        """Call `method` and return its result; `timeout` in seconds covers the wait for a free slot too.

        Raises CallRefused (no effect), CallNotSent (never written) or CallUnanswered (outcome unknown).
        """
        deadline = asyncio.get_running_loop().time() + timeout
        await self._take_slot(method, deadline)
        try:
            return _result(method, await self._exchange(method, params, deadline))
        finally:
            self._slots.release()

    async def ask(
        self,
        method: str,
        params: Mapping[str, object],
        *,
        timeout: float = 30.0,  # noqa: ASYNC109 -- as for a call
    ) -> JsonObject:
        """Call `method`, which changes nothing, and call it again while no reply comes.

        Each time it waits twice as long, in all for at most `timeout` seconds: a message that was lost costs
        little, and a Codex that is slow has its time. Raises as `call` does.
        """
        deadline = asyncio.get_running_loop().time() + timeout
        await self._take_slot(method, deadline)
        try:
            return _result(method, await self._repeat(method, params, deadline))
        finally:
            self._slots.release()

    async def messages(self) -> AsyncIterator[Notification | ServerRequest]:
        """Yield what Codex sends on its own accord, in order; ends when the connection has closed.

        For one consumer: each message is yielded once.
        """
        while (message := await self._inbox.get()) is not None:
            yield message
        self._inbox.put_nowait(None)

    async def answer(self, request_id: RequestId, result: Mapping[str, object]) -> None:
        """Answer a ServerRequest with `result`.

        Codex never confirms: the first answer wins, it is final even when malformed, and
        `serverRequest/resolved` follows for most methods. Raises CallNotSent or CallUnanswered.
        """
        await COURSE.call("answer", "before_send")
        await self._send({"id": request_id, "result": result})
        await COURSE.call("answer", "sent")

    async def refuse(self, request_id: RequestId, code: int, message: str) -> None:
        """Answer a ServerRequest with a JSON-RPC error. Raises CallNotSent or CallUnanswered."""
        await self._send({"id": request_id, "error": {"code": code, "message": message}})

    async def close(self) -> None:
        """Close the connection; calls that still wait for a reply raise CallUnanswered. May be repeated."""
        await self._websocket.close()
        await self._closed.wait()
        await self._reader

    async def wait_closed(self) -> None:
        """Return once the connection is closed, whoever closed it."""
        await self._closed.wait()

    @property
    def pending_calls(self) -> int:
        """How many calls wait for their replies, those that wait to be written included."""
        return len(self._pending)

    async def _initialize(self, client_version: str, opt_out: Sequence[str]) -> None:
        greeting = await self.call(
            "initialize",
            {
                "clientInfo": {
                    "name": CLIENT_NAME,
                    "title": "Codex control plane",
                    "version": client_version,
                },
                "capabilities": {"experimentalApi": True, "optOutNotificationMethods": list(opt_out)},
            },
            timeout=CONNECT_SECONDS,
        )
        await self._send({"method": "initialized"})
        self.user_agent = str(greeting.get("userAgent", ""))
        self.codex_home = str(greeting.get("codexHome", ""))
        self.server_version = server_version(self.user_agent)

    async def _take_slot(self, method: str, deadline: float) -> None:
        try:
            async with asyncio.timeout_at(deadline):
                await self._slots.acquire()
        except TimeoutError:
            reason = f"{method} was not sent: {IN_FLIGHT_LIMIT} calls were still waiting for their replies"
            raise CallNotSent(reason) from None

    async def _repeat(self, method: str, params: Mapping[str, object], deadline: float) -> JsonValue:
        patience = ASK_AGAIN_SECONDS
        while (until := asyncio.get_running_loop().time() + patience) < deadline:
            try:
                return await self._exchange(method, params, until)
            except CallLate:
                patience *= 2
        return await self._exchange(method, params, deadline)

    async def _exchange(self, method: str, params: Mapping[str, object], deadline: float) -> JsonValue:
        self._last_id += 1
        request_id = self._last_id
        reply: asyncio.Future[JsonValue] = asyncio.get_running_loop().create_future()
        reply.add_done_callback(_observe)
        self._pending[request_id] = reply
        try:
            async with asyncio.timeout_at(deadline):
                await COURSE.call(method, "before_send")
                await self._send({"id": request_id, "method": method, "params": params})
                await COURSE.call(method, "sent")
                result = await reply
                await COURSE.call(method, "reply_late")
                await COURSE.call(method, "reply_lost")
                return result
        except TimeoutError:
            raise CallLate(f"Codex did not answer {method} in time") from None
        except CallRefused as error:
            raise CallRefused(error.code, error.message, error.data, method=method) from None
        finally:
            del self._pending[request_id]
            reply.cancel()

    async def _send(self, message: Mapping[str, object]) -> None:
        """Write one message; only a connection that is not open *before* the write makes it certain
        that nothing went out."""
        text = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
        if self._websocket.state is not State.OPEN:
            raise CallNotSent("the connection to Codex was already closed")
        try:
            await self._websocket.send(text if len(text) <= FRAME_CHARS else _frames(text))
        except ConnectionClosed as error:
            raise CallUnanswered(f"the connection to Codex closed while writing: {error}") from error

    async def _read(self) -> None:
        try:
            with suppress(ConnectionClosed):
                async for frame in self._websocket:
                    self._receive(frame)
        finally:
            for reply in self._pending.values():
                if not reply.done():
                    reply.set_exception(CallUnanswered("the connection closed before Codex answered"))
            self._inbox.put_nowait(None)
            self._closed.set()

    def _receive(self, frame: str | bytes) -> None:
        match decode(frame):
            case Notification() | ServerRequest() as message:
                self._inbox.put_nowait(message)
            case Reply(request_id, result):
                if (reply := self._waiting(request_id)) is not None:
                    reply.set_result(result)
            case Refusal(request_id, code, text, data):
                if (reply := self._waiting(request_id)) is not None:
                    reply.set_exception(CallRefused(code, text, data))
            case None:
                _LOG.warning("skipped a frame from Codex that is no JSON-RPC message (%d long)", len(frame))

    def _waiting(self, request_id: RequestId) -> "asyncio.Future[JsonValue] | None":
        reply = self._pending.get(request_id)
        if reply is None or reply.done():
            _LOG.info("Codex answered call %s after we had given up on it", request_id)
            return None
        return reply


def _observe(reply: "asyncio.Future[JsonValue]") -> None:
    """Mark the outcome as seen: a call that stopped waiting shall not be reported as a lost exception."""
    if not reply.cancelled():
        reply.exception()


def server_version(user_agent: str) -> str:
    """Return the version in the userAgent of `initialize` (``name/VERSION (…)``), empty if none is there."""
    product = user_agent.split(" ", 1)[0]
    return product.partition("/")[2]


def reachable_path(socket_path: Path) -> Path:
    """Return the path to connect to: Codex 0.163 and newer put a symlink to a short path at `--listen`.

    A unix socket address holds at most 107 bytes, and only the server side is free of that limit.
    """
    return socket_path.parent / socket_path.readlink() if socket_path.is_symlink() else socket_path


async def _connect(socket_path: Path) -> ClientConnection:
    """Connect without limits on what Codex may send: one answer can be megabytes in a single frame."""
    return await unix_connect(
        str(reachable_path(socket_path)),
        "ws://localhost/",
        max_size=None,
        max_queue=None,
        compression=None,
        open_timeout=CONNECT_SECONDS,
        close_timeout=CLOSE_SECONDS,
    )


async def _frames(text: str) -> AsyncIterator[str]:
    """Yield a long message in frames: Codex hangs up on one of 16 MiB, and takes 60 MB in smaller ones."""
    for start in range(0, len(text), FRAME_CHARS):
        yield text[start : start + FRAME_CHARS]


def _result(method: str, result: JsonValue) -> JsonObject:
    """Return the result as the object that every Codex method answers; null stands for an empty one."""
    if result is None:
        return {}
    if not isinstance(result, dict):
        raise CallUnanswered(f"Codex answered {method} with something that is not an object")
    return result
