"""What goes to Codex as one user message: the text, and the images that the task names (contract §3)."""

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from codex_control_plane_contract.errors import CodexSendFailed, CodexTimeout
from codex_control_plane_contract.lifecycles import operation
from codex_control_plane_contract.settings import Settings
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.images import MEDIA_TYPES, FetchFailed, Image, ImageUnusable, read_file
from codex_control_plane_mcp.worker.faults import StartFailed

FETCH_SECONDS: Final = 60.0
"""How long one image may take to come."""

MOST_INLINE_CHARS: Final = 60_000_000
"""How long all inlined images may be together: Codex hangs up on a message of 64 MiB (decision 0038)."""

MOST_TRIES: Final = 5
"""How often a task is taken up for an image that cannot be got, before it fails."""


@dataclass(frozen=True, slots=True)
class Message:
    """A user message: `content` as turn/start takes it, `images` as they are known by now."""

    content: Sequence[JsonObject]
    images: Sequence[Image] = ()

    @classmethod
    def of_text(cls, text: str) -> "Message":
        """Return a message that is only text."""
        return cls([{"type": "text", "text": text}])


async def message_of(row: operation.StartingThread, settings: Settings) -> Message:
    """Return the message of a task, its images looked at once more or fetched.

    Raises StartFailed: to be tried again for an image that may come later, for good where one has changed, is
    none or is out of reach.
    """
    images = [Image.read(cast("JsonObject", item)) for item in row.input_items or ()]
    message = Message.of_text(row.message)
    if not images:
        return message
    sent = [await _prepared(row, position, image, settings) for position, image in enumerate(images)]
    inline = sum(len(str(content["url"])) for _, content in sent if "url" in content)
    if inline > MOST_INLINE_CHARS:
        raise StartFailed(
            CodexSendFailed(
                f"The fetched images are {inline} characters as data URLs; Codex takes {MOST_INLINE_CHARS}. "
                "Give fewer or smaller ones, or local images.",
            )
        )
    return Message([*message.content, *(content for _, content in sent)], [image for image, _ in sent])


async def _prepared(
    row: operation.StartingThread, position: int, image: Image, settings: Settings
) -> tuple[Image, JsonObject]:
    try:
        if image.kind == "localImage":
            await asyncio.to_thread(_refuse_changed, image, settings.max_image_input_bytes)
            return image, _with_detail(image, {"type": "localImage", "path": image.source})
        # Only a task with an address needs a client of HTTP; no other waits for its import.
        from codex_control_plane_mcp.worker.fetching import Bounds, fetch  # noqa: PLC0415

        bounds = Bounds(settings.max_image_input_bytes, FETCH_SECONDS, _hosts(settings))
        content = await fetch(image.source, bounds)
        return await asyncio.to_thread(_inlined, image, content)
    except (ImageUnusable, FetchFailed) as fault:
        what = f"The image input_items[{position}] {fault}."
        if isinstance(fault, FetchFailed) and fault.passing and row.attempt_count < MOST_TRIES:
            raise StartFailed(CodexTimeout(f"{what} It is tried again.")) from fault
        raise StartFailed(CodexSendFailed(f"{what} Correct it and submit again.")) from fault


def _refuse_changed(image: Image, limit: int) -> None:
    """Raise ImageUnusable if the file is not what the caller submitted: the task may have waited for long."""
    if image.known_by(read_file(Path(image.source), limit=limit)) != image:
        raise ImageUnusable("is another file than when the task was submitted")


def _inlined(image: Image, content: bytes) -> tuple[Image, JsonObject]:
    known = image.known_by(content)
    assert known.extension is not None
    address = f"data:{MEDIA_TYPES[known.extension]};base64,{base64.b64encode(content).decode('ascii')}"
    return known, _with_detail(image, {"type": "image", "url": address})


def _with_detail(image: Image, content: JsonObject) -> JsonObject:
    # Codex leaves an image of detail low out, and tells the model so.
    detail = "auto" if image.detail == "low" else image.detail
    return content if detail is None else {**content, "detail": detail}


def _hosts(settings: Settings) -> frozenset[str]:
    named = (settings.image_hosts or "").split(",")
    return frozenset(host.strip().lower() for host in named if host.strip())
