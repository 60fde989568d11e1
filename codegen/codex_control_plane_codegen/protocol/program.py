"""What a `codex` program says of itself: its version, and the JSON Schemas of its protocol."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from codex_control_plane_codegen.model import JsonObject

_SECONDS: Final = 60
"""Longest that one call of the program may take; writing the schemas needs less than one second."""

_BUNDLE: Final = "codex_app_server_protocol.schemas.json"
"""The file that holds every message and type, among those that Codex writes."""

_VERSION: Final = re.compile(r"codex-cli (\d+\.\d+\.\d+\S*)")


class ProgramUnusableError(Exception):
    """A program does not answer as Codex does; the message names it and what it said."""


@dataclass(frozen=True, slots=True)
class Program:
    """A Codex as it describes itself; the bundles are JSON Schema of draft 7 with ``definitions``."""

    version: str
    whole: JsonObject
    """Every message, experimental ones included."""
    stable: JsonObject
    """The messages that need no capability."""


def describe(binary: Path) -> Program:
    """Runs the program three times and returns what it says of itself. Raises ProgramUnusableError."""
    printed = _run(binary, "--version")
    if (match := _VERSION.search(printed)) is None:
        raise ProgramUnusableError(f"{binary} is no Codex: `--version` printed {printed[:200].strip()!r}")
    return Program(match[1], _bundle(binary, "--experimental"), _bundle(binary))


def _bundle(binary: Path, *options: str) -> JsonObject:
    with TemporaryDirectory(prefix="codex-schema-") as directory:
        _run(binary, "app-server", "generate-json-schema", *options, "--out", directory)
        try:
            bundle: JsonObject = json.loads(Path(directory, _BUNDLE).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ProgramUnusableError(f"{binary} wrote no {_BUNDLE}: {error}") from error
    return bundle


def _run(binary: Path, *arguments: str) -> str:
    command = " ".join(arguments[:2])
    try:
        ended = subprocess.run(
            [binary, *arguments], capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except OSError as error:
        raise ProgramUnusableError(f"{binary} cannot be run: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise ProgramUnusableError(f"`{binary} {command}` did not end within {_SECONDS} s") from error
    if ended.returncode != 0:
        said = (ended.stderr or ended.stdout)[-500:].strip()
        raise ProgramUnusableError(f"`{binary} {command}` ended with {ended.returncode}: {said}")
    return ended.stdout
