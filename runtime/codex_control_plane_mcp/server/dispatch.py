"""The one way from a tool call to its answer.

Arguments are validated before the handler and the result after it, against the schemas of the spec; every
error becomes an answer that fits the output schema, and no exception leaves here (contract §1, §6, §19).
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import anyio

from codex_control_plane_contract.errors import CodexStateUnusable, ControlPlaneError
from codex_control_plane_contract.tools import Tool
from codex_control_plane_contract.values import JsonObject, JsonValue
from codex_control_plane_mcp.handlers.context import Context
from codex_control_plane_mcp.incidents import report_incident
from codex_control_plane_mcp.redaction import redact_json
from codex_control_plane_mcp.server.loading import LOADING
from codex_control_plane_mcp.server.state_file import StateFile
from codex_control_plane_mcp.suggestions import did_you_mean

if TYPE_CHECKING:
    from codex_control_plane_mcp.server.binding import Binding

_log = logging.getLogger(__name__)
_ADVICE: Final = "Call again; if it stays, report that incident."


class UnknownTool(Exception):
    """There is no tool of that name; the message says so and names the nearest."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one call: the object, the same as compact JSON, and whether it is a failure."""

    content: JsonObject
    text: str
    failed: bool


def bind(tool: Tool) -> "Binding":
    """Return `tool` bound to the handler that its spec names."""
    with LOADING:
        # Imported here: the first replies to a client call no tool.
        from codex_control_plane_mcp.server.binding import Binding, handler_named  # noqa: PLC0415 - see above

        handler = handler_named(tool.handler)
    return Binding.of(tool, handler)


class Dispatcher:
    """Answers the tool calls of one server; calls may run at the same time."""

    def __init__(
        self,
        tools: Mapping[str, Tool],
        context: Context,
        state: StateFile,
        *,
        bind: "Callable[[Tool], Binding]" = bind,
    ) -> None:
        self._tools = tools
        self._context = context
        self._state = state
        self._bind = bind
        self._bindings: dict[str, Binding] = {}

    async def call(self, name: str, arguments: Mapping[str, JsonValue]) -> Answer:
        """Return the answer to a call of tool `name`. Raises UnknownTool and nothing else."""
        tool = self._tools.get(name)
        if tool is None:
            raise UnknownTool(f"Unknown tool: {_clipped(name)}.{did_you_mean(name, self._tools)}")
        try:
            return await self._result(tool, arguments)
        except ControlPlaneError as error:
            _log.info("%s answers %s", name, error.code)
            if isinstance(error, CodexStateUnusable):
                self._state.forget()
            return _failure(error)
        except Exception:  # noqa: BLE001 - the one boundary: nothing of a fault of ours may reach the client
            return _failure(report_incident(name, _ADVICE))

    async def _result(self, tool: Tool, arguments: Mapping[str, JsonValue]) -> Answer:
        binding = await self._bound(tool)
        binding.arguments.check(arguments)
        if "CODEX_STATE_UNUSABLE" in tool.errors and not self._state.ready:
            await anyio.to_thread.run_sync(self._state.store)
        result = await binding.handler(self._context, tool.parse(arguments))
        answer = _answer({"ok": True, **result}, failed=False)
        binding.result.validate(answer.content)
        return answer

    async def _bound(self, tool: Tool) -> "Binding":
        """Return the binding of `tool`, made at its first call, on a thread: it loads and compiles."""
        if tool.name not in self._bindings:
            self._bindings[tool.name] = await anyio.to_thread.run_sync(self._bind, tool)
        return self._bindings[tool.name]


def _answer(content: JsonObject, *, failed: bool) -> Answer:
    """Return the answer; half a surrogate pair, which no client could read, becomes U+FFFD."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
        content = cast("JsonObject", json.loads(text))
    return Answer(content, text, failed)


def _failure(error: ControlPlaneError) -> Answer:
    return _answer({"ok": False, "error": redact_json(cast("JsonObject", error.as_error()))}, failed=True)


def _clipped(name: str) -> str:
    return name if len(name) <= 64 else f"{name[:64]}…"
