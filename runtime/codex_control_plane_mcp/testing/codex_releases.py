"""Releases of Codex beside the installed one: taken from PyPI once, kept in the repository's own folder."""

import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from codex_control_plane_contract.codex import PINNED_VERSIONS
from codex_control_plane_mcp.codex.binary import find_binary

PACKAGE: Final = "openai-codex-cli-bin"
"""The distribution that carries the program."""

FOLDER: Final = ".codex-versions"
"""Where releases are kept, below the root of the repository; git does not see it. Each takes 350 MB."""

_PROGRAM: Final = Path("codex_cli_bin", "bin", "codex")
_COMPILER: Final = "codex_control_plane_codegen"


class ReleaseUnavailable(Exception):
    """A release cannot be taken from the package index; the message holds what pip says."""


def codex_release(release: str, root: Path) -> Path:
    """Return the program of a release such as ``0.154.0``, downloaded (130 MB) if it is not there yet.

    `root` is the repository. The installed package is used where it is that release. Raises
    ReleaseUnavailable.
    """
    if _installed() == release:
        return find_binary(None, search_path="").path
    kept = root / FOLDER / release
    if not (kept / _PROGRAM).is_file():
        kept.parent.mkdir(exist_ok=True)
        # Only a whole release gets its name: two downloads at once, or one that is killed, do no harm.
        with tempfile.TemporaryDirectory(dir=kept.parent, prefix=f"{release}-") as directory:
            _download(release, Path(directory, "whole"))
            if not (kept / _PROGRAM).is_file():
                shutil.rmtree(kept, ignore_errors=True)
                shutil.move(Path(directory, "whole"), kept)
    return kept / _PROGRAM


def _download(release: str, target: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary", ":all:", "--target", str(target), f"{PACKAGE}=={release}"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode != 0 or not (target / _PROGRAM).is_file():
        raise ReleaseUnavailable(
            f"{PACKAGE} {release} cannot be taken from the package index: {ended.stderr[-2000:].strip()}"
        )


def _installed() -> str | None:
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        return None


def main() -> int:
    """Pin the protocols of the releases that are named, else of all; return the compiler's exit code."""
    command = [sys.executable, "-m", _COMPILER, "codex-pin"]
    for release in sys.argv[1:] or PINNED_VERSIONS:
        sys.stdout.write(f"taking {PACKAGE} {release} …\n")
        sys.stdout.flush()
        command += ["--binary", str(codex_release(release, Path.cwd()))]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
