"""Revisions: does git know what is to be reviewed? It is asked without running anything of the repository's.

A repository can name programs in its configuration. `rev-parse` calls none of its hooks and monitors; only to
fetch an object that a partial clone lacks it would start a transport, and every transport is forbidden here,
which no configuration can lift (decision 0072). What cannot be found out this way is left to Codex.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from codex_control_plane_contract.errors import InvalidArgument

_SECONDS: Final = 5.0
_UNKNOWN: Final = 1
_NO_REPOSITORY: Final = "fatal: not a git repository"
_SAFELY: Final[Mapping[str, str]] = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}


def refuse_unknown_revision(directory: Path, revision: str, *, argument: str) -> None:
    """Raise INVALID_ARGUMENT where git is certain that ``revision`` names no commit; takes 5 s at most."""
    asked = _ask(directory, "--verify", "--quiet", f"{revision}^{{commit}}", argument=argument)
    if asked is not None and asked.returncode == _UNKNOWN:
        raise InvalidArgument(
            f"git knows no commit {revision} in this repository. Fetch it, or correct {argument}.",
            path=argument,
        )


def refuse_no_repository(directory: Path, *, argument: str) -> None:
    """Raise INVALID_ARGUMENT where the directory is certainly in no git repository."""
    _ask(directory, "--git-dir", argument=argument)


def _ask(directory: Path, *question: str, argument: str) -> subprocess.CompletedProcess[str] | None:
    """Return the answer of `git rev-parse`, None where git cannot be asked."""
    git = shutil.which("git")
    if git is None:
        return None
    given = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    try:
        asked = subprocess.run(
            (git, "-C", str(directory), "-c", "core.hooksPath=/dev/null", "rev-parse", *question),
            env={**given, **_SAFELY},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if asked.stderr.startswith(_NO_REPOSITORY):
        raise InvalidArgument(
            f"{argument} needs a git repository, and the task's directory is in none.", path=argument
        )
    return asked
