"""What a model sees of a request that Codex makes to the Responses API."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Final, Self

from codex_control_plane_mcp.codex.json_types import JsonObject, JsonValue

_OUTPUT_TYPES: Final = frozenset({"function_call_output", "custom_tool_call_output"})

_MODE: Final = "<collaboration_mode>"

_CONTEXT: Final = re.compile(
    r"\s*(<(?P<tag>[a-z_]+)[^>]*>.*</(?P=tag)>|# AGENTS\.md instructions.*)\s*", re.DOTALL
)
"""Text that Codex adds to the conversation in the person's role, such as `<environment_context>`."""


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One `POST /v1/responses`, reduced to what a script or a test needs.

    `user_text` is the last message of the person, `earlier_texts` are those before it, `tool_outputs` is what
    the tools gave back since then, `tools` are the names on offer, `size` is how many items the conversation
    holds, `images` are the data URLs in the messages of the person, `output_schema` is what the answer is to
    fit, `collaboration_mode` is "plan" or "default" as Codex told the model last, empty if it never did,
    `effort` is the reasoning effort, empty for the model's own.
    """

    thread_id: str
    turn_id: str
    model: str
    user_text: str
    earlier_texts: tuple[str, ...]
    tool_outputs: tuple[str, ...]
    tools: tuple[str, ...]
    size: int
    images: tuple[str, ...]
    output_schema: JsonObject
    collaboration_mode: str
    effort: str

    @classmethod
    def read(cls, headers: Mapping[str, str], body: JsonObject) -> Self:
        """Return the request in `body`; ids come from `client_metadata`, else from Codex's headers."""
        metadata = _object(body.get("client_metadata"))
        items = [_object(item) for item in _array(body.get("input"))]
        texts = list(_user_texts(items))
        position, user_text = texts[-1] if texts else (len(items), "")
        outputs = [item.get("output") for item in items[position:] if item.get("type") in _OUTPUT_TYPES]
        return cls(
            thread_id=str(metadata.get("thread_id") or headers.get("thread-id", "")),
            turn_id=str(metadata.get("turn_id") or ""),
            model=str(body.get("model", "")),
            user_text=user_text,
            earlier_texts=tuple(text for _, text in texts[:-1]),
            tool_outputs=tuple(_text(output) for output in outputs),
            tools=tuple(_tool_name(_object(tool)) for tool in _array(body.get("tools"))),
            size=len(items),
            images=tuple(_images(items)),
            output_schema=_object(_object(_object(body.get("text")).get("format")).get("schema")),
            collaboration_mode=_collaboration_mode(items),
            effort=str(_object(body.get("reasoning")).get("effort") or ""),
        )

    def as_json(self) -> dict[str, object]:
        """Return the request as a JSON object with the attribute names as keys."""
        return asdict(self)


def _user_texts(items: list[JsonObject]) -> Iterator[tuple[int, str]]:
    """Yield the position after each message of the person and its text, leaving out injected context."""
    for position, item in enumerate(items, start=1):
        if item.get("role") != "user" or item.get("type", "message") != "message":
            continue
        parts = [str(_object(part).get("text", "")) for part in _array(item.get("content"))]
        text = "\n".join(part for part in parts if part and not _CONTEXT.fullmatch(part))
        if text:
            yield position, text


def _collaboration_mode(items: list[JsonObject]) -> str:
    texts = [
        str(_object(part).get("text", ""))
        for item in items
        if item.get("role") == "developer"
        for part in _array(item.get("content"))
    ]
    told = [text.partition("\n")[0] for text in texts if text.startswith(_MODE)]
    return "" if not told else "plan" if "Plan Mode" in told[-1] else "default"


def _images(items: list[JsonObject]) -> Iterator[str]:
    for item in items:
        for part in map(_object, _array(item.get("content"))):
            if item.get("role") == "user" and part.get("type") == "input_image":
                yield str(part.get("image_url"))


def _text(output: JsonValue) -> str:
    """Return a tool output as text; it is a string, or an array of content parts."""
    if isinstance(output, list):
        return "\n".join(str(_object(part).get("text", "")) for part in output)
    return str(output)


def _tool_name(tool: JsonObject) -> str:
    return str(tool.get("name") or tool.get("type", ""))


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _array(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
