"""The event stream with which the Responses API answers, built from the steps of a script."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Final

from codex_control_plane_mcp.testing.model_request import ModelRequest
from codex_control_plane_mcp.testing.model_script import ScriptUnreadable, Step

_JUSTIFICATION: Final = "The script asks for it."
_SHELL_TOOLS: Final = {"exec_command": "cmd", "shell_command": "command"}
"""Shell tools by the name of the argument that holds the command line, the preferred one first."""


class ResponseStream:
    """Makes the events of one response; the same request always gives the same bytes.

    Item ids derive from the turn and from the length of the conversation, so that they are unique within
    a thread without the model remembering anything.
    """

    def __init__(self, request: ModelRequest) -> None:
        seed = f"{request.thread_id}/{request.turn_id}/{request.size}/{request.user_text}"
        self._key = hashlib.sha256(seed.encode()).hexdigest()[:16]
        self._request = request
        self._positions = count()
        self._words = 0

    def open(self) -> bytes:
        """Return the event that opens the response."""
        return _event("response.created", response={"id": f"resp_{self._key}"})

    def step(self, step: Step) -> Iterator[bytes]:
        """Yield the events of one step. Raises ScriptUnreadable when no tool on offer can do it."""
        match step.verb:
            case "say":
                yield from self._message(step.text)
            case "plan":
                yield from self._message(f"<proposed_plan>\n{step.text}\n</proposed_plan>")
            case "think":
                yield from self._reasoning(step.text)
            case "run" | "ask":
                yield from self._command(step.text, escalated=step.verb == "ask")
            case "patch":
                yield from self._patch(step.text)
            case "question":
                yield from self._question(step.text)
            case "widen":
                yield from self._permissions(step.text)
            case "use":
                yield from self._tool(step.text)
            case "call":
                name, _, arguments = step.text.partition(" ")
                yield from self._function(name, json.loads(arguments))
            case "fail":
                yield self.fail(
                    step.text.partition(" ")[2] or "server_error", f"scripted failure: {step.text}"
                )
            case "wait":
                raise ValueError("a gate holds the stream, it writes nothing")

    def close(self) -> bytes:
        """Return the event that completes the response, with usage in made-up but steady tokens."""
        read, written = 100 * self._request.size, 1 + self._words
        usage = {
            "input_tokens": read,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": written,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": read + written,
        }
        return _event("response.completed", response={"id": f"resp_{self._key}", "usage": usage})

    def fail(self, code: str, message: str) -> bytes:
        """Return the event that ends the response with an error of the Responses API."""
        error = {"code": code, "message": message}
        return _event("response.failed", response={"id": f"resp_{self._key}", "error": error})

    def _message(self, text: str) -> Iterator[bytes]:
        position = next(self._positions)
        item: dict[str, object] = {
            "type": "message",
            "role": "assistant",
            "id": f"msg_{self._key}_{position}",
            "content": list[object](),
        }
        yield _event("response.output_item.added", output_index=position, item=item)
        for word in _words(text):
            self._words += 1
            yield _event(
                "response.output_text.delta",
                item_id=item["id"],
                output_index=position,
                content_index=0,
                delta=word,
            )
        content = [{"type": "output_text", "text": text, "annotations": list[object]()}]
        yield _event("response.output_item.done", output_index=position, item=item | {"content": content})

    def _reasoning(self, text: str) -> Iterator[bytes]:
        summary = [{"type": "summary_text", "text": text}]
        return self._item({"type": "reasoning", "id": f"rs_{self._key}", "summary": summary})

    def _command(self, command: str, *, escalated: bool) -> Iterator[bytes]:
        tool = next((name for name in _SHELL_TOOLS if name in self._request.tools), None)
        if tool is None:
            raise ScriptUnreadable(f"no shell tool is on offer, only {sorted(self._request.tools)}")
        arguments = {_SHELL_TOOLS[tool]: command}
        if escalated:
            arguments |= {"sandbox_permissions": "require_escalated", "justification": _JUSTIFICATION}
        return self._function(tool, arguments)

    def _patch(self, text: str) -> Iterator[bytes]:
        path, _, content = text.partition(" ")
        lines = "".join(f"+{line}\n" for line in content.splitlines() or [""])
        patch = f"*** Begin Patch\n*** Add File: {path}\n{lines}*** End Patch\n"
        if "apply_patch" not in self._request.tools:
            return self._command(f"apply_patch <<'END_OF_PATCH'\n{patch}END_OF_PATCH", escalated=False)
        return self._item(
            {"type": "custom_tool_call", "call_id": self._call_id(), "name": "apply_patch", "input": patch}
        )

    def _question(self, text: str) -> Iterator[bytes]:
        options = [
            {"label": "Yes (Recommended)", "description": "Go on."},
            {"label": "No", "description": "Stop here."},
        ]
        question = {"id": "answer", "header": "Question", "question": text, "options": options}
        return self._function("request_user_input", {"questions": [question]})

    def _permissions(self, path: str) -> Iterator[bytes]:
        wanted = {"file_system": {"write": [path]}}
        return self._function("request_permissions", {"permissions": wanted, "reason": _JUSTIFICATION})

    def _tool(self, text: str) -> Iterator[bytes]:
        server, tool, arguments = text.split(maxsplit=2)
        namespace = f"mcp__{server}"
        if namespace not in self._request.tools:
            raise ScriptUnreadable(f"no {namespace} is on offer, only {sorted(self._request.tools)}")
        call = {"type": "function_call", "call_id": self._call_id(), "name": tool, "namespace": namespace}
        return self._item({**call, "arguments": arguments})

    def _function(self, name: str, arguments: Mapping[str, object]) -> Iterator[bytes]:
        return self._item(
            {
                "type": "function_call",
                "call_id": self._call_id(),
                "name": name,
                "arguments": json.dumps(arguments),
            }
        )

    def _item(self, item: Mapping[str, object]) -> Iterator[bytes]:
        position = next(self._positions)
        yield _event("response.output_item.added", output_index=position, item=item)
        yield _event("response.output_item.done", output_index=position, item=item)

    def _call_id(self) -> str:
        return f"call_{self._key}"


def _event(kind: str, **fields: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def _words(text: str) -> list[str]:
    """Split text into deltas of a word each; joined they are the text."""
    return re.findall(r"\s*\S+\s*", text) or [text]
