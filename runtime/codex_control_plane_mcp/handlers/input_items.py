"""The images of a submission, checked before it is stored (contract §3 input_items)."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from codex_control_plane_contract.errors import InvalidArgument
from codex_control_plane_contract.settings import Settings
from codex_control_plane_contract.types import InputItem
from codex_control_plane_contract.values import JsonObject, JsonValue
from codex_control_plane_mcp.handlers.output_schema import canonical
from codex_control_plane_mcp.images import EXTENSIONS, Image, ImageUnusable, read_file
from codex_control_plane_mcp.projects import Territory

_FITTING: Final = {"image": "url", "localImage": "path"}


def look_at_images(
    items: Sequence[InputItem], cwd: Path, territory: Territory, settings: Settings
) -> Sequence[Image]:
    """Return the images of a submission; files are read and known by their content from now on.

    Addresses are fetched by the worker. Raises INVALID_ARGUMENT with the place in `details.path`.
    """
    if len(items) > settings.max_image_input_items:
        raise InvalidArgument(
            f"At most {settings.max_image_input_items} images go with a prompt.",
            path="input_items",
            allowed=settings.max_image_input_items,
        )
    return [
        _look(item, f"input_items[{position}]", cwd, territory, settings)
        for position, item in enumerate(items)
    ]


def inputs_hash(images: Sequence[Image], schema: JsonObject | None) -> str | None:
    """Return the SHA-256 that tells images and schema of two tasks apart; None without either.

    A file is known by its content, an image that is not fetched yet by its address.
    """
    if not images and schema is None:
        return None
    known: list[JsonValue] = [[image.sha256 or image.source, image.detail] for image in images]
    return hashlib.sha256(canonical([known, schema]).encode()).hexdigest()


def _look(item: InputItem, place: str, cwd: Path, territory: Territory, settings: Settings) -> Image:
    fitting = _FITTING[item["type"]]
    for name in _FITTING.values():
        if (name in item) != (name == fitting):
            raise InvalidArgument(
                f"An item of type {item['type']} has {fitting}, and only that.", path=f"{place}.{name}"
            )
    if item["type"] == "image":
        return Image.asked(item, _address(item.get("url", ""), f"{place}.url"))
    place = f"{place}.path"
    path = _image_path(item.get("path", ""), place, cwd, territory)
    try:
        content = read_file(path, limit=settings.max_image_input_bytes)
        image = Image.asked(item, str(path)).known_by(content)
    except ImageUnusable as fault:
        raise InvalidArgument(f"{place} {fault}.", path=place) from fault
    if image.extension != EXTENSIONS[path.suffix.lower()]:
        raise InvalidArgument(
            f"{place} is named {path.suffix} and holds {image.extension}.",
            path=place,
            allowed=image.extension,
        )
    return image


def _image_path(text: str, place: str, cwd: Path, territory: Territory) -> Path:
    if "\0" in text:
        raise InvalidArgument(f"{place} holds a NUL character.", path=place)
    path = territory.inside(cwd / text)
    if path is None:
        raise InvalidArgument(f"{place} is not inside an allowed root.", path=place)
    if path.suffix.lower() not in EXTENSIONS:
        raise InvalidArgument(f"{place} is not named like an image.", path=place, allowed=[*EXTENSIONS])
    return path


def _address(text: str, place: str) -> str:
    """Return an address that the worker may fetch."""
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError as fault:
        raise InvalidArgument(f"{place} is no address.", path=place, allowed="http or https") from fault
    if parts.scheme not in ("http", "https") or not host:
        raise InvalidArgument(
            f"{place} must be an http or https address.", path=place, allowed=["http", "https"]
        )
    if parts.username is not None or parts.password is not None:
        raise InvalidArgument(
            f"{place} holds a name or a password.", path=place, allowed="an address without"
        )
    return text
