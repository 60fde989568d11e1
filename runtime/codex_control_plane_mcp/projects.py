"""Where a task works: the directory and the project of a submission (contract §16).

A project is an allowed root or a child of the projects root. Its id is the UUIDv5, in the URL namespace, of
the `file:` URI of its path with symbolic links resolved: every process and every release computes the same.
These functions look at the file system and at nothing else; call them on a thread.
"""

import os
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from codex_control_plane_contract.errors import CodexProjectNotFound, InvalidArgument
from codex_control_plane_contract.values import JsonValue
from codex_control_plane_mcp.suggestions import nearest

CANDIDATES_SHOWN = 10
"""How many candidates an error lists."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where a task works: the project's id and real directory, and the real working directory."""

    project_id: str
    project: Path
    cwd: Path


@dataclass(frozen=True, slots=True)
class Territory:
    """The directories that tasks may use: settings `allowed_roots` and `projects_root`.

    `used` are directories of earlier tasks; one of them can be named by its id too, if it is still allowed.
    """

    allowed_roots: Sequence[Path]
    projects_root: Path | None = None
    used: Sequence[Path] = ()

    def locate(self, *, cwd: str | None, project_id: str | None) -> Location:
        """Return the location that a submission asks for.

        Without `project_id` the project is the `cwd` itself; without `cwd` the work is done in the project.
        Raises CODEX_PROJECT_NOT_FOUND for what is unknown, ambiguous, missing or outside the allowed roots,
        and INVALID_ARGUMENT for a `cwd` that is no absolute path, and when neither is given.
        """
        if project_id is not None:
            project = self.project(project_id)
            directory = project if cwd is None else self.directory(cwd, argument="cwd")
            return Location(project_id_of(project), project, directory)
        if cwd is None:
            raise InvalidArgument("Give cwd or project_id.", path="cwd")
        directory = self.directory(cwd, argument="cwd")
        return Location(project_id_of(directory), directory, directory)

    def directory(self, text: str, *, argument: str) -> Path:
        """Return the real path of an existing directory inside an allowed root; raises as `locate` does."""
        if "\0" in text or not text.startswith("/"):
            raise InvalidArgument(
                f"{argument} must be an absolute path.", path=argument, allowed="absolute path"
            )
        real = Path(os.path.realpath(text))
        # What lies outside is refused before it is looked at: the answer must not tell whether it exists.
        if not self._allows(real):
            raise self._not_found(f"{argument} is not inside an allowed root.")
        if not is_directory(real):
            raise self._not_found(f"{argument} is not an existing directory.")
        return real

    def inside(self, path: Path) -> Path | None:
        """Return the real path of what may be a file, or None where that is not inside an allowed root."""
        real = Path(os.path.realpath(path))
        return real if self._allows(real) else None

    def project(self, reference: str) -> Path:
        """Return the real path of the project with that id, path or unique name; raises as `locate` does."""
        if reference.startswith("/"):
            return self.directory(reference, argument="project_id")
        projects = self._projects()
        wanted = reference.lower()
        by_id = [path for path in (*projects, *self._used()) if project_id_of(path) == wanted]
        found = by_id[:1] or [path for path in projects if path.name == reference]
        if len(found) == 1:
            return found[0]
        if found:
            raise self._not_found(
                f"The project name {reference} is ambiguous; give the id or the path.", found
            )
        names = nearest(reference, {path.name for path in projects}, limit=CANDIDATES_SHOWN)
        near = [path for path in projects if path.name in names]
        raise self._not_found("There is no project with that id, path or name.", near)

    def _allows(self, real: Path) -> bool:
        return any(real.is_relative_to(os.path.realpath(root)) for root in self.allowed_roots)

    def _projects(self) -> Sequence[Path]:
        children = _children(self.projects_root) if self.projects_root else ()
        return self._directories((*self.allowed_roots, *children))

    def _used(self) -> Sequence[Path]:
        return self._directories(self.used)

    def _directories(self, paths: Iterable[Path]) -> Sequence[Path]:
        """Return the real paths, once each, of the allowed directories; a link may lead outside."""
        real = dict.fromkeys(Path(os.path.realpath(path)) for path in paths)
        return [path for path in real if self._allows(path) and is_directory(path)]

    def _not_found(self, message: str, candidates: Sequence[Path] = ()) -> CodexProjectNotFound:
        roots: list[JsonValue] = [str(root) for root in self.allowed_roots]
        advice = (
            "Set CODEX_ALLOWED_ROOTS: no directory is allowed yet."
            if not roots
            else "Give a directory inside one of details.allowedRoots."
        )
        shown: list[JsonValue] = [
            {"projectId": project_id_of(path), "name": path.name, "path": str(path)}
            for path in candidates[:CANDIDATES_SHOWN]
        ]
        if not shown:
            return CodexProjectNotFound(f"{message} {advice}", allowedRoots=roots)
        return CodexProjectNotFound(
            f"{message} Take one of details.candidates.", allowedRoots=roots, candidates=shown
        )


def project_id_of(path: Path) -> str:
    """Return the project id of a real path: UUIDv5 of its `file:` URI, in lower case."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, path.as_uri()))


def is_directory(path: Path) -> bool:
    """Return whether `path` is a directory that we can see; what cannot be looked at is none."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _children(directory: Path) -> Sequence[Path]:
    """Return the visible children in order of name; none where the directory cannot be read."""
    try:
        return sorted(child for child in directory.iterdir() if not child.name.startswith("."))
    except OSError:
        return ()
