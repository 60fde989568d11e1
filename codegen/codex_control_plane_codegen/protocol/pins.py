"""The pinned protocols in ``schemas/codex``.

The newest version holds its extract as a whole, in ``<version>/protocol.json``. Each older one holds only
what differs from the next newer one, as a merge patch in ``<version>/changes.json``: read as a text, that is
the list of what Codex changed between the two.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Final, cast

from codex_control_plane_codegen.model import JsonObject
from codex_control_plane_codegen.protocol.merging import patch_between, patched

DIRECTORY: Final = PurePosixPath("schemas/codex")
"""Where the pins are, relative to the root."""

_WHOLE: Final = "protocol.json"
_CHANGES: Final = "changes.json"


class PinsUnreadableError(Exception):
    """The file of the pins at `path`, relative to the root, is missing or holds no JSON object."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path} {reason}")
        self.path = path


def read_pins(root: Path) -> Mapping[str, JsonObject]:
    """Version → extract of every pinned version, the newest first. Raises PinsUnreadableError."""
    directories = [path for path in (root / DIRECTORY).glob("*") if path.is_dir()]
    protocols: dict[str, JsonObject] = {}
    protocol: JsonObject | None = None
    for directory in sorted(directories, key=lambda path: version_order(path.name), reverse=True):
        if protocol is None:
            protocol = _read(root, directory.name, _WHOLE)
        else:
            protocol = patched(protocol, _read(root, directory.name, _CHANGES))
        protocols[directory.name] = protocol
    return protocols


def write_pins(root: Path, protocols: Mapping[str, JsonObject]) -> list[PurePosixPath]:
    """Writes every version anew and returns the paths, relative to the root, of the files that changed."""
    wanted: dict[PurePosixPath, str] = {}
    newer: JsonObject | None = None
    for version in sorted(protocols, key=version_order, reverse=True):
        protocol = protocols[version]
        whole = newer is None
        content = protocol if newer is None else patch_between(newer, protocol)
        wanted[DIRECTORY / version / (_WHOLE if whole else _CHANGES)] = json.dumps(content, indent=1) + "\n"
        newer = protocol
    left_over = {path.relative_to(root).as_posix() for path in (root / DIRECTORY).glob("*/*.json")}
    for name in left_over - {str(path) for path in wanted}:
        (root / name).unlink()
    changed = [path for path, text in wanted.items() if not _holds(root / path, text)]
    for path in changed:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(wanted[path], encoding="utf-8")
    return changed


def version_order(version: str) -> tuple[tuple[int, ...], bool, str]:
    """A key that sorts versions; ``1.2.3-alpha.1`` comes before ``1.2.3``."""
    release, _, stage = version.partition("-")
    return tuple(int(number) if number.isdigit() else -1 for number in release.split(".")), not stage, stage


def _read(root: Path, version: str, name: str) -> JsonObject:
    path = str(DIRECTORY / version / name)
    try:
        content = json.loads((root / path).read_text(encoding="utf-8"))
    except OSError as error:
        raise PinsUnreadableError(path, f"cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise PinsUnreadableError(path, f"is no JSON: {error}") from error
    if not isinstance(content, dict):
        raise PinsUnreadableError(path, "holds no JSON object")
    return cast("JsonObject", content)


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text
