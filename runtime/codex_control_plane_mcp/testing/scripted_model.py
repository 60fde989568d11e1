"""A model that does what the prompt says: a Responses API on loopback for tests and the demo.

Codex itself is real; only the model behind it is this. A prompt holds a script (see `model_script`), and
the place within it follows from the conversation that Codex sends, so the model keeps nothing that a
restart could lose. In the same process::

    async with ScriptedModel() as model:
        home = codex_home(directory, model.port)

or as a process of its own: ``python -m codex_control_plane_mcp.testing.scripted_model --port 0
--ready-file PATH`` writes ``{"port": N}`` to PATH and to stdout once it answers.

Besides ``POST /v1/responses`` it serves for tests: ``GET /requests``, ``GET /gates``,
``POST /gates/NAME/open`` and ``GET /gates/NAME/waiting?timeout=SECONDS`` (answers when a response is held
there, or after the timeout).
"""

import argparse
import asyncio
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self, cast

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from codex_control_plane_mcp.codex.json_types import JsonObject
from codex_control_plane_mcp.testing.gates import Gates
from codex_control_plane_mcp.testing.model_quota import ModelQuota
from codex_control_plane_mcp.testing.model_request import ModelRequest
from codex_control_plane_mcp.testing.model_script import ScriptUnreadable, Step, read_script, steps_of_call
from codex_control_plane_mcp.testing.response_stream import ResponseStream

MODEL: Final = "mock-model"
"""The name of the model; Codex does not know it and treats it with its defaults."""

_LONGEST_WAIT: Final = 60.0
_GRACE: Final = 2

_CONFIG: Final = """\
model = "{model}"
model_provider = "mock"
features.default_mode_request_user_input = true
{extra}
[model_providers.mock]
name = "mock"
base_url = "http://127.0.0.1:{port}/v1"
wire_api = "responses"
requires_openai_auth = false
request_max_retries = 0
stream_max_retries = 0
"""


def codex_home(directory: Path, port: int, *, extra: str = "") -> Path:
    """Write a `config.toml` into `directory` that sends Codex to the model at `port`; return the directory.

    `extra` is TOML for the top level; name further features with dotted keys (``features.NAME = true``).
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    (directory / "config.toml").write_text(
        _CONFIG.format(model=MODEL, port=port, extra=extra), encoding="utf-8"
    )
    return directory


class ScriptedModel:
    """The model with its HTTP server, running within ``async with``.

    `port` is where it listens, `gates` are what its scripts wait for, and `requests` holds every request
    that Codex made, in order of arrival, also those that `quota` then refused. `scripts` holds what it does
    for prompts in plain words.
    """

    def __init__(self, port: int = 0, *, scripts: Mapping[str, str] | None = None) -> None:
        self._scripts = scripts or {}
        self.gates = Gates()
        self.quota = ModelQuota()
        self.requests: list[ModelRequest] = []
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self._server = _Server(
            uvicorn.Config(
                self._application(),
                lifespan="off",
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=_GRACE,
            )
        )
        self._serving: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._serving = asyncio.create_task(self.serve(), name="scripted-model")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        await self.gates.open_all()
        if self._serving is not None:
            await self._serving

    async def serve(self) -> None:
        """Answer until told to stop; what a gate still holds is cut off two seconds later."""
        await self._server.serve(sockets=[self._listener])

    def prompts(self) -> list[str]:
        """Return the person's messages that the model was called with, each call counted once."""
        return [request.user_text for request in self.requests if not request.tool_outputs]

    def _application(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/responses", self._respond, methods=["POST"]),
                Route("/requests", self._list_requests),
                Route("/gates", self._list_gates),
                Route("/gates/{name}/open", self._open_gate, methods=["POST"]),
                Route("/gates/{name}/waiting", self._await_gate),
            ]
        )

    async def _respond(self, http: Request) -> Response:
        request = ModelRequest.read(http.headers, cast(JsonObject, await http.json()))
        self.requests.append(request)
        refusal = self.quota.refusal()
        if refusal is not None:
            body, headers = refusal
            return JSONResponse(body, status_code=429, headers=headers)
        try:
            script = self._scripts.get(request.user_text, request.user_text)
            steps = steps_of_call(read_script(script, request.earlier_texts), len(request.tool_outputs))
        except ScriptUnreadable as error:
            return _error(400, "invalid_request_error", str(error))
        first = next((step for step in steps if step.verb != "wait"), None)
        if first is not None and first.verb == "fail":
            await self._hold(steps)
            return _refusal(first)
        return StreamingResponse(self._stream(request, steps), media_type="text/event-stream")

    async def _hold(self, steps: Sequence[Step]) -> None:
        """Wait at the gates that stand before the first other step."""
        for step in steps:
            if step.verb != "wait":
                return
            await self.gates.hold(step.text)

    async def _stream(self, request: ModelRequest, steps: Sequence[Step]) -> AsyncIterator[bytes]:
        stream = ResponseStream(request)
        yield stream.open()
        try:
            for step in steps:
                if step.verb == "wait":
                    await self.gates.hold(step.text)
                    continue
                for event in stream.step(step):
                    yield event
                if step.verb == "fail":
                    return
        except ScriptUnreadable as error:
            yield stream.fail("invalid_prompt", str(error))
        else:
            yield stream.close()

    async def _list_requests(self, _http: Request) -> Response:
        requests = [request.as_json() for request in self.requests]
        return JSONResponse({"count": len(requests), "requests": requests})

    async def _list_gates(self, _http: Request) -> Response:
        return JSONResponse({"open": self.gates.opened, "waiting": self.gates.held})

    async def _open_gate(self, http: Request) -> Response:
        await self.gates.open(http.path_params["name"])
        return await self._list_gates(http)

    async def _await_gate(self, http: Request) -> Response:
        within = min(float(http.query_params.get("timeout", "10")), _LONGEST_WAIT)
        reached = await self.gates.reached(http.path_params["name"], within)
        return JSONResponse({"waiting": reached})


class _Server(uvicorn.Server):
    """A server that leaves the signals of the process to whoever owns them."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def _refusal(step: Step) -> Response:
    status, _, kind = step.text.partition(" ")
    if not status.isdigit():
        return _error(400, "invalid_request_error", f"not an HTTP status: {status!r}")
    return _error(int(status), kind or "server_error", f"scripted failure: {step.text}")


def _error(status: int, kind: str, message: str) -> Response:
    return JSONResponse({"error": {"type": kind, "code": kind, "message": message}}, status_code=status)


async def _run(port: int, ready_file: Path | None) -> None:
    """Serve until SIGTERM or SIGINT, having said where."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with ScriptedModel(port) as model:
        ready = json.dumps({"port": model.port})
        if ready_file is not None:
            await asyncio.to_thread(_publish, ready_file, ready)
        sys.stdout.write(f"{ready}\n")
        sys.stdout.flush()
        await stop.wait()


def _publish(path: Path, text: str) -> None:
    """Let the file appear with all of its content at once."""
    draft = path.with_name(f"{path.name}.draft")
    draft.write_text(text, encoding="utf-8")
    draft.rename(path)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the model as a process of its own until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(
        prog="scripted_model", description="A model that does what the prompt says."
    )
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1, 0 for any free one")
    parser.add_argument("--ready-file", type=Path, help='file to write {"port": N} to once it answers')
    options = parser.parse_args(arguments)
    asyncio.run(_run(options.port, options.ready_file))


if __name__ == "__main__":
    main()
