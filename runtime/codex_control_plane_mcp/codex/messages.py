"""The JSON-RPC messages that an app-server sends, one value each.

Codex leaves out the `jsonrpc` member, and its set of methods grows with every release: what cannot be
understood is skipped by the reader, never fatal.
"""

import json
from dataclasses import dataclass
from typing import TypeAlias, cast

from codex_control_plane_mcp.codex.json_types import JsonObject, JsonValue

RequestId: TypeAlias = int | str
"""Identifies a request within one app-server process; Codex echoes it as it came."""


@dataclass(frozen=True, slots=True)
class Notification:
    """Something happened in Codex; nothing is expected back."""

    method: str
    params: JsonObject


@dataclass(frozen=True, slots=True)
class ServerRequest:
    """Codex waits for an answer, without limit; `request_id` is a counter of that app-server process.

    The same id and params come again on every connection that resumes the thread (`thread/resume`).
    """

    request_id: RequestId
    method: str
    params: JsonObject


@dataclass(frozen=True, slots=True)
class Reply:
    """The result of one of our requests."""

    request_id: RequestId
    result: JsonValue


@dataclass(frozen=True, slots=True)
class Refusal:
    """The error that Codex answered one of our requests with."""

    request_id: RequestId
    code: int
    message: str
    data: JsonValue


Message: TypeAlias = Notification | ServerRequest | Reply | Refusal
"""Anything that an app-server sends."""


def decode(frame: str | bytes) -> Message | None:
    """Return the message in one text frame, or None when it is no JSON-RPC message that we know."""
    try:
        value = cast(JsonValue, json.loads(frame))
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    method, request_id = value.get("method"), value.get("id")
    if isinstance(method, str):
        return _inbound(method, request_id, value.get("params"))
    if _is_request_id(request_id):
        return _outcome(cast(RequestId, request_id), value)
    return None


def _inbound(method: str, request_id: JsonValue, params: JsonValue) -> Notification | ServerRequest:
    content: JsonObject = params if isinstance(params, dict) else {}
    if _is_request_id(request_id):
        return ServerRequest(cast(RequestId, request_id), method, content)
    return Notification(method, content)


def _outcome(request_id: RequestId, value: JsonObject) -> Reply | Refusal | None:
    error = value.get("error")
    if isinstance(error, dict):
        code = error.get("code")
        return Refusal(
            request_id,
            code if isinstance(code, int) else 0,
            str(error.get("message", "")),
            error.get("data"),
        )
    return Reply(request_id, value["result"]) if "result" in value else None


def _is_request_id(value: JsonValue) -> bool:
    return isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))
