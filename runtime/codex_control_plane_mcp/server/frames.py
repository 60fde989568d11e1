"""One line of the wire as a JSON-RPC message, or as the reason why it is none.

JSON-RPC 2.0 §5.1: -32700 for what is no JSON, -32600 for JSON that is no message; MCP has no batches. The SDK
drops such lines without a word and lets the sender wait for ever.
"""

import json
import math
from dataclasses import dataclass
from typing import Final, TypeAlias

from mcp_types import (
    INVALID_REQUEST,
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    RequestId,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from codex_control_plane_contract.values import JsonValue
from codex_control_plane_mcp.server.lines import Overlong

_JSONRPC: Final = "2.0"


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a line is refused: the JSON-RPC code, a sentence, and the id of the request where there is one."""

    code: int
    reason: str
    request_id: RequestId | None = None

    def answer(self) -> JSONRPCError:
        """Return the error that is sent back."""
        return JSONRPCError(
            jsonrpc=_JSONRPC, id=self.request_id, error=ErrorData(code=self.code, message=self.reason)
        )


Frame: TypeAlias = "JSONRPCMessage | Rejection"


def decode(line: bytes | Overlong) -> Frame:
    """Return the message in `line`, or why there is none. Lone surrogates are left to who reads the text."""
    if isinstance(line, Overlong):
        return Rejection(INVALID_REQUEST, f"Invalid request: the line is longer than {line.limit} bytes")
    try:
        content: JsonValue = json.loads(
            line.decode("utf-8"), parse_constant=_no_constant, parse_float=_finite_number
        )
    except UnicodeDecodeError as fault:
        return Rejection(PARSE_ERROR, f"Parse error: byte {fault.start} of the line is not UTF-8")
    except RecursionError:
        return Rejection(PARSE_ERROR, "Parse error: nested too deeply")
    except ValueError as fault:
        return Rejection(PARSE_ERROR, f"Parse error: {fault}")
    if not isinstance(content, dict):
        return Rejection(
            INVALID_REQUEST, "Invalid request: a message is one JSON object; there are no batches"
        )
    try:
        return jsonrpc_message_adapter.validate_python(content, by_name=False)
    except ValidationError:
        reason = "Invalid request: not a JSON-RPC 2.0 request, notification or response"
        return Rejection(INVALID_REQUEST, reason, _request_id(content))


def encode(message: JSONRPCMessage) -> bytes:
    """Return `message` as one line."""
    try:
        return message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n"
    except PydanticSerializationError:
        # A request may hold half a surrogate pair where the SDK echoes it, in its id or method; escaped it
        # can go back.
        return json.dumps(message.model_dump(by_alias=True, exclude_unset=True)).encode() + b"\n"


def _request_id(content: dict[str, JsonValue]) -> RequestId | None:
    """Return the id that the sender of a broken request waits for; a broken response waits for nothing."""
    request_id = content.get("id")
    if "method" not in content or isinstance(request_id, bool):
        return None
    return request_id if isinstance(request_id, int | str) else None


def _no_constant(name: str) -> JsonValue:
    raise ValueError(f"{name} is no JSON")


def _finite_number(text: str) -> JsonValue:
    """Return the number; `1.0` is the integer 1 to JSON Schema, so it is to Python."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:20]} is too large")
    return int(number) if number.is_integer() else number
