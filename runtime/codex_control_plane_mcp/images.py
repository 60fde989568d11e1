"""Images that go to Codex with a prompt: what they are, as the store holds them (contract §3 input_items)."""

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from io import FileIO
from pathlib import Path
from typing import Final, Literal, Self, TypeAlias, cast

from codex_control_plane_contract.types import InputItem
from codex_control_plane_contract.values import JsonObject

Extension: TypeAlias = Literal["png", "jpg", "webp", "gif"]

EXTENSIONS: Final[Mapping[str, Extension]] = {
    ".png": "png",
    ".jpg": "jpg",
    ".jpeg": "jpg",
    ".webp": "webp",
    ".gif": "gif",
}
"""What the names of image files may end in, in lower case, and what is in such a file."""

MEDIA_TYPES: Final[Mapping[Extension, str]] = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
}


class ImageUnusable(Exception):
    """A file or an answer is no image that may be sent; the message says why, without naming it."""


class FetchFailed(Exception):
    """An image was not got, and why; `passing` says whether it may be got later."""

    def __init__(self, message: str, *, passing: bool = False) -> None:
        super().__init__(message)
        self.passing = passing


@dataclass(frozen=True, slots=True)
class Image:
    """One image: `source` is the real path of a localImage, or the address of an image.

    `extension`, `size` (bytes) and `sha256` of an image that is not fetched yet are None.
    """

    kind: Literal["image", "localImage"]
    source: str
    detail: str | None = None
    extension: Extension | None = None
    size: int | None = None
    sha256: str | None = None

    @classmethod
    def asked(cls, item: InputItem, source: str) -> Self:
        """Return the image that a caller asks for, of which nothing is known yet."""
        return cls(item["type"], source, item.get("detail"))

    @classmethod
    def read(cls, stored: JsonObject) -> Self:
        """Return the image that `as_json` wrote."""
        kind = cast("Literal['image', 'localImage']", stored["type"])
        return cls(
            kind,
            cast("str", stored[_SOURCES[kind]]),
            cast("str | None", stored.get("detail")),
            cast("Extension | None", stored.get("extension")),
            cast("int | None", stored.get("bytes")),
            cast("str | None", stored.get("sha256")),
        )

    def known_by(self, content: bytes) -> Self:
        """Return the image with what its content tells. Raises ImageUnusable for one of another kind."""
        return replace(
            self,
            extension=kind_of(content),
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )

    def shown(self) -> JsonObject:
        """Return what results may show: all but where it comes from (contract §12)."""
        known: JsonObject = {
            "type": self.kind,
            "detail": self.detail,
            "extension": self.extension,
            "bytes": self.size,
            "sha256": self.sha256,
        }
        return {name: value for name, value in known.items() if value is not None}

    def as_json(self) -> JsonObject:
        """Return the image as it is stored."""
        return {**self.shown(), _SOURCES[self.kind]: self.source}


_SOURCES: Final[Mapping[str, str]] = {"image": "url", "localImage": "path"}


def kind_of(content: bytes) -> Extension:
    """Return what kind of image the first bytes say this is. Raises ImageUnusable."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if content.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "webp"
    raise ImageUnusable("is no PNG, JPEG, WebP or GIF image")


def read_file(path: Path, *, limit: int) -> bytes:
    """Return the content of a regular file; of nothing else. Raises ImageUnusable."""
    try:
        # A pipe would wait for a writer without O_NONBLOCK.
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as fault:
        raise ImageUnusable(f"cannot be read ({fault.strerror})") from fault
    try:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise ImageUnusable("is no regular file")
        with FileIO(opened, closefd=False) as file:
            content = file.read(limit + 1) or b""
    except OSError as fault:
        raise ImageUnusable(f"cannot be read ({fault.strerror})") from fault
    finally:
        os.close(opened)
    if len(content) > limit:
        raise ImageUnusable(f"is larger than {limit} bytes")
    return content
