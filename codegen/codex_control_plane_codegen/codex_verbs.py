"""The verbs of the command line about Codex itself: ``codex-check`` and ``codex-pin``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from codex_control_plane_codegen.loader import load
from codex_control_plane_codegen.model import Codex
from codex_control_plane_codegen.protocol.comparison import compare
from codex_control_plane_codegen.protocol.extract import extract
from codex_control_plane_codegen.protocol.fitting import Protocol
from codex_control_plane_codegen.protocol.pins import PinsUnreadableError, read_pins, write_pins
from codex_control_plane_codegen.protocol.program import ProgramUnusableError, describe
from codex_control_plane_codegen.protocol.table import as_json, as_text
from codex_control_plane_codegen.reading import read_model
from codex_control_plane_codegen.rendering import PROGRAM

_CHECK: Final = f"""\
Asks a Codex for its protocol and compares it with what spec/codex.yaml uses, message by message and field by
field: same as pinned, additive, changed or missing, and what the server loses by it. Needs no login.

Example:
  {PROGRAM} codex-check --binary $(command -v codex)

Exit codes: 0 it will do, 1 it will not do, 2 it cannot be asked."""

_PIN: Final = f"""\
Writes the part of the protocol that spec/codex.yaml uses to schemas/codex/<version>, for each program given.
A version is pinned once; give all of them again after the spec names other messages or fields.

Example:
  {PROGRAM} codex-pin --binary ~/codex-0.163.0/codex --binary ~/codex-0.154.0/codex"""


class SpecMissingError(Exception):
    """There is no spec of Codex below the root; the message names it."""


def add_verbs(verbs: Any, formatter: type[argparse.HelpFormatter]) -> None:
    """Adds the verbs to the subparsers of the command line; argparse gives their class no public name."""
    verb = verbs.add_parser(
        "codex-check", help="compare a Codex with the spec", description=_CHECK, formatter_class=formatter
    )
    verb.add_argument("--binary", type=Path, required=True, metavar="PATH", help="the codex program")
    verb.add_argument("--root", type=Path, default=Path(), help="the repository; the current directory")
    verb.add_argument("--format", choices=("text", "json"), default="text", help="for people or programs")
    verb.add_argument(
        "--json", dest="format", action="store_const", const="json", help="the same as --format json"
    )
    verb.set_defaults(command=_check)
    verb = verbs.add_parser(
        "codex-pin", help="pin the protocol of a Codex", description=_PIN, formatter_class=formatter
    )
    verb.add_argument(
        "--binary",
        type=Path,
        required=True,
        action="append",
        metavar="PATH",
        help="a codex program; repeatable",
    )
    verb.add_argument("--root", type=Path, default=Path(), help="the repository; the current directory")
    verb.set_defaults(command=_pin)


def _check(options: argparse.Namespace) -> int:
    root: Path = options.root.resolve()
    try:
        codex = _codex(root)
        program = describe(options.binary)
        pins = read_pins(root)
    except (SpecMissingError, PinsUnreadableError, ProgramUnusableError) as error:
        return _complain(str(error))
    if codex.tested_version not in pins:
        return _complain(f"Codex {codex.tested_version} is not pinned; `{PROGRAM} codex-pin` does that")
    found = Protocol(extract(codex, program))
    comparison = compare(codex, Protocol(pins[codex.tested_version]), program.version, found)
    if options.format == "json":
        sys.stdout.write(json.dumps(as_json(comparison), indent=2) + "\n")
    else:
        sys.stdout.write(as_text(comparison))
    return 0 if comparison.compatible else 1


def _pin(options: argparse.Namespace) -> int:
    root: Path = options.root.resolve()
    binaries: Sequence[Path] = options.binary
    try:
        codex = _codex(root)
        protocols = dict(read_pins(root))
        for binary in binaries:
            program = describe(binary)
            protocols[program.version] = extract(codex, program)
            sys.stdout.write(f"read {program.version} from {binary}\n")
    except (SpecMissingError, PinsUnreadableError, ProgramUnusableError) as error:
        return _complain(str(error))
    for path in write_pins(root, protocols):
        sys.stdout.write(f"wrote {path}\n")
    unnamed = [version for version in protocols if version not in codex.pinned_versions]
    if unnamed:
        sys.stdout.write(f"Name {', '.join(unnamed)} in pinned_versions of spec/codex.yaml.\n")
    return 0


def _codex(root: Path) -> Codex:
    codex = read_model(load(root).documents).codex
    if codex is None:
        raise SpecMissingError(f"there is no readable spec/codex.yaml below {root}; is --root right?")
    return codex


def _complain(message: str) -> int:
    sys.stderr.write(f"{PROGRAM}: {message}\n")
    return 2
