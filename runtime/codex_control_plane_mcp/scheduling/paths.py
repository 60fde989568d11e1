"""Resource keys: the paths of a project that a task may change, in one form (contract §8)."""

import posixpath
import unicodedata
from collections.abc import Sequence

from codex_control_plane_contract.errors import InvalidArgument

WHOLE_PROJECT = "."
"""The key of everything in a project."""


def normalised_keys(keys: Sequence[str]) -> list[str]:
    """Return the keys sorted, without dots, repeats, and paths below another one; none for the whole project.

    Raises INVALID_ARGUMENT for a path that is absolute, leaves the project or cannot be stored.
    """
    found = {_normalised(key, f"resource_keys[{index}]") for index, key in enumerate(keys)}
    if WHOLE_PROJECT in found:
        return []
    return sorted(key for key in found if not any(parent in found for parent in ancestors(key)))


def ancestors(path: str) -> list[str]:
    """Return the proper parents of a path, the nearest first; the root of an absolute path is the last."""
    parents: list[str] = []
    while (cut := path.rfind("/")) >= 0 and path != "/":
        path = path[:cut] or "/"
        parents.append(path)
    return parents


def lock_paths(project_path: str, keys: Sequence[str]) -> list[str]:
    """Return the absolute paths that a writing task with these keys locks, as locks compare them.

    Case and composition of letters are levelled: on some file systems they do not tell files apart, and a
    lock too many costs less than two writers of one file.
    """
    paths = [posixpath.join(project_path, key) for key in keys] or [project_path]
    return [unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold()) for path in paths]


def _normalised(key: str, place: str) -> str:
    path = posixpath.normpath(key)
    if path.startswith("/") or path.split("/", 1)[0] == "..":
        raise InvalidArgument(
            f"{place} is not a path inside the project.",
            path=place,
            allowed="a path relative to the project, such as src/api",
        )
    if "\0" in key or key != key.encode(errors="ignore").decode():
        raise InvalidArgument(
            f"{place} holds what is no character of a path.", path=place, allowed="Unicode text without NUL"
        )
    return path
