"""The verbs ``diff`` and ``release``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from codex_control_plane_codegen.analysis import Analysis, analyse
from codex_control_plane_codegen.comparison.commands import ReleaseRefusedError, compare, propose, release
from codex_control_plane_codegen.comparison.contracts import LOCK, UnreadableContractError
from codex_control_plane_codegen.comparison.locating import Locator
from codex_control_plane_codegen.comparison.page import matrix_page
from codex_control_plane_codegen.comparison.reports import FORMATS, Report
from codex_control_plane_codegen.rendering import PROGRAM, as_text

_OK: Final = 0
_FINDINGS: Final = 1
_USAGE: Final = 2

_DIFF: Final = f"""\
Compares the contract that the spec compiles to with an earlier one, and says what each change does to
callers, to stored rows, to running work and to importers of the package. A break fails unless it is
approved in spec/approvals.yaml or, for callers and importers, announced by a new contract_version;
docs/compatibility.md has the rules.

Examples:
  {PROGRAM} diff                        with {LOCK}, the last release
  {PROGRAM} diff main                   with a git revision
  {PROGRAM} diff old/contract.json      with a file
  {PROGRAM} diff --format markdown      as a comment on a pull request"""

_RELEASE: Final = f"""\
Writes {LOCK}: the contract as it stands, which every later one is held against. Refused while a break is
open. Before the first release, --candidate writes it for comparison only: nobody relies on it, and the next
candidate takes its place.

Example:
  {PROGRAM} diff && {PROGRAM} release && git commit -m 'Release 1.2' {LOCK}"""


def add_verbs(verbs: Any) -> None:
    """Adds ``diff`` and ``release`` to the verbs, which are what `add_subparsers` of argparse returns."""
    raw = argparse.RawDescriptionHelpFormatter
    root = argparse.ArgumentParser(add_help=False)
    root.add_argument("--root", type=Path, default=Path(), help="the repository; the current directory")
    verb = verbs.add_parser(
        "diff", help="find what breaks", description=_DIFF, formatter_class=raw, parents=[root]
    )
    verb.add_argument("base", nargs="?", default=LOCK, metavar="BASE", help=f"file or revision; {LOCK}")
    verb.add_argument("--format", choices=tuple(FORMATS), default="text", help="who reads it")
    verb.add_argument("--matrix", action="store_true", help="print the table of verdicts, compare nothing")
    verb.set_defaults(command=_diff)
    verb = verbs.add_parser(
        "release", help=f"write {LOCK}", description=_RELEASE, formatter_class=raw, parents=[root]
    )
    candidate = "for comparison only, before the first release"
    verb.add_argument("--candidate", action="store_true", help=candidate)
    verb.set_defaults(command=_release)


def _diff(options: argparse.Namespace) -> int:
    if options.matrix:
        sys.stdout.write(matrix_page())
        return _OK

    def show(root: Path, analysis: Analysis) -> int:
        comparison = compare(root, analysis, options.base)
        report = Report(comparison, Locator(analysis.model, root), sys.stdout.isatty())
        sys.stdout.write(FORMATS[options.format](report))
        return _OK if comparison.passes else _FINDINGS

    return _with_sound_spec(options.root.resolve(), show)


def _release(options: argparse.Namespace) -> int:
    def write(root: Path, analysis: Analysis) -> int:
        path = (propose if options.candidate else release)(root, analysis)
        sys.stdout.write(f"wrote {path.relative_to(root).as_posix()}\n")
        return _OK

    return _with_sound_spec(options.root.resolve(), write)


def _with_sound_spec(root: Path, command: Callable[[Path, Analysis], int]) -> int:
    """Runs the command, unless the spec has errors, which are then shown."""
    analysis = analyse(root)
    if analysis.errors:
        sys.stderr.write(as_text(analysis.errors, colour=sys.stderr.isatty()))
        return _FINDINGS
    try:
        return command(root, analysis)
    except ReleaseRefusedError as error:
        sys.stderr.write(f"{PROGRAM}: {error}\n")
        return _FINDINGS
    except UnreadableContractError as error:
        sys.stderr.write(f"{PROGRAM}: {error}\n")
        return _USAGE
