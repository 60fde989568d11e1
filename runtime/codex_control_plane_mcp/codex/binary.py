"""The `codex` program: where it is, whether it works, and whether it is new enough."""

import asyncio
import os
import re
import shutil
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

from codex_control_plane_mcp.codex.errors import BinaryMissing, BinaryTooOld, BinaryUnusable

VERSION_SECONDS: Final = 10.0
"""Longest that `codex --version` may take; it needs some 20 ms."""

_PROGRAM: Final = "codex"
_PACKAGE: Final = "codex_cli_bin"
_VERSION_LINE: Final = re.compile(r"codex-cli (?P<version>\d+\.\d+\.\d+\S*)")
_REMEDY: Final = (
    "Install Codex (`npm install -g @openai/codex`, or `pip install openai-codex-cli-bin`), then try again."
)


@dataclass(frozen=True, slots=True)
class Binary:
    """A `codex` program and which place it was found in."""

    path: Path
    source: Literal["setting", "path", "package"]


def find_binary(configured: Path | None, *, search_path: str | None) -> Binary:
    """Return the program to use: the configured one, else `codex` on `search_path`, else the PyPI package's.

    A configured path that holds no program is an error, since silently using another Codex would surprise.
    `search_path` is in the form of PATH; None means that of this process. Raises BinaryMissing.
    """
    if configured is not None:
        if not configured.is_file():
            raise BinaryMissing(
                f"the configured Codex binary {configured} does not exist. Correct the setting."
            )
        return Binary(configured.absolute(), "setting")
    if found := shutil.which(_PROGRAM, path=search_path):
        return Binary(Path(found).absolute(), "path")
    if packaged := _packaged_binary():
        return Binary(packaged, "package")
    searched = os.environ.get("PATH", "") if search_path is None else search_path
    raise BinaryMissing(
        f"no Codex: no binary is configured, `{_PROGRAM}` is not on PATH ({searched}), "
        f"and the package openai-codex-cli-bin is not installed. {_REMEDY}"
    )


async def binary_version(binary: Binary) -> str:
    """Return the version that `codex --version` prints, like ``0.163.0``.

    Raises BinaryUnusable if the program cannot be run, fails, hangs, or prints something else.
    """
    output = await run_binary(binary, ["--version"], VERSION_SECONDS)
    if (match := _VERSION_LINE.search(output)) is None:
        raise BinaryUnusable(binary.path, f"`--version` printed {output[:200].strip()!r}")
    return match["version"]


async def run_binary(binary: Binary, arguments: Sequence[str], seconds: float) -> str:
    """Return all that the program prints until it ends; whatever happens, none of its processes stays.

    Raises BinaryUnusable if it cannot be run, fails, or does not end within `seconds`.
    """
    shown = " ".join(arguments[:2])
    try:
        child = await asyncio.create_subprocess_exec(
            binary.path,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise BinaryUnusable(binary.path, f"it cannot be run ({error.strerror})") from error
    try:
        async with asyncio.timeout(seconds):
            printed, _ = await child.communicate()
    except TimeoutError:
        raise BinaryUnusable(binary.path, f"`{shown}` did not end within {seconds:g} s") from None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        await child.wait()
    output = printed.decode(errors="replace")
    if child.returncode != 0:
        raise BinaryUnusable(binary.path, f"`{shown}` ended with {child.returncode}: {output[-500:].strip()}")
    return output


def require_version(binary: Binary, version: str, minimum: str) -> None:
    """Return if `version` is `minimum` or newer. Raises BinaryTooOld."""
    if version_order(version) < version_order(minimum):
        raise BinaryTooOld(binary.path, version, minimum)


def version_order(version: str) -> tuple[tuple[int, ...], bool, str]:
    """Return a key that sorts versions; ``1.2.3-alpha.1`` comes before ``1.2.3``. Raises ValueError."""
    release, _, stage = version.partition("-")
    return tuple(int(number) for number in release.split(".")), not stage, stage


def _packaged_binary() -> Path | None:
    """Return the program that the optional package openai-codex-cli-bin carries, if it is installed."""
    if find_spec(_PACKAGE) is None:
        return None
    locate: Callable[[], Path] = import_module(_PACKAGE).bundled_codex_path
    try:
        return locate()
    except FileNotFoundError:
        return None
