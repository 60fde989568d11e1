"""A git repository with something to review in it."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_AS_SOMEBODY: Final = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")


@dataclass(frozen=True, slots=True)
class GitRepository:
    """A repository on branch `topic`, with a change that is not committed.

    `commit` is the commit of the branch that `main` lacks.
    """

    path: Path
    commit: str

    @classmethod
    def make(cls, path: Path) -> "GitRepository":
        """Make one in an existing directory."""
        git(path, "init", "--quiet", "--initial-branch", "main")
        _commit(path, "a.txt", "one", "Begin")
        git(path, "checkout", "--quiet", "-b", "topic")
        _commit(path, "b.txt", "two", "Go on")
        (path / "b.txt").write_text("three\n")
        return cls(path, git(path, "rev-parse", "HEAD"))


def git(path: Path, *command: str) -> str:
    """Run git in a directory and return what it prints. Raises CalledProcessError."""
    program = shutil.which("git")
    assert program is not None, "git is not installed"
    ended = subprocess.run(
        (program, *_AS_SOMEBODY, *command), cwd=path, capture_output=True, text=True, check=True
    )
    return ended.stdout.strip()


def _commit(path: Path, name: str, text: str, message: str) -> None:
    (path / name).write_text(f"{text}\n")
    git(path, "add", name)
    git(path, "commit", "--quiet", "--message", message)
