"""The verb ``verify``."""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from codex_control_plane_codegen.analysis import analyse
from codex_control_plane_codegen.facts import Facts
from codex_control_plane_codegen.rendering import PROGRAM, as_json, as_text
from codex_control_plane_codegen.verification import report
from codex_control_plane_codegen.verification.choices import chosen_limits, chosen_views
from codex_control_plane_codegen.verification.mutants import (
    Trial,
    trials_as_json,
    trials_as_text,
    try_mutants,
)
from codex_control_plane_codegen.verification.verification import verify

_VERIFY: Final = f"""\
Explores every state that the composition of the lifecycles can reach (spec/composition.yaml), with every
fault at any time, and says of each promise whether it holds, or shows the shortest way to where it does not.

Examples:
  {PROGRAM} verify
  {PROGRAM} verify --view together --bound continuations=3
  {PROGRAM} verify --bound stalls=1      a limit that is known: see docs/verification.md
  {PROGRAM} verify --mutants 15          break the spec in many ways and see which defects are found"""


def add_verb(verbs: Any) -> None:
    """Adds ``verify`` to the verbs, which are what `add_subparsers` of argparse returns.

    The verb raises ChoiceError for a view or a bound that does not exist.
    """
    raw = argparse.RawDescriptionHelpFormatter
    verb = verbs.add_parser(
        "verify", help="explore every state, judge every promise", description=_VERIFY, formatter_class=raw
    )
    verb.add_argument("--root", type=Path, default=Path(), help="the repository; the current directory")
    verb.add_argument("--format", choices=("text", "json"), default="text", help="for people or programs")
    verb.add_argument(
        "--view", action="append", default=[], metavar="NAME", help="explore this view; may be repeated"
    )
    verb.add_argument(
        "--bound", action="append", default=[], metavar="NAME=LIMIT", help="another limit; may be repeated"
    )
    verb.add_argument(
        "--mutants",
        type=_positive,
        metavar="EVERY",
        help="verify defects of the spec instead, one of each EVERY; all (1) take more than an hour",
    )
    verb.set_defaults(command=_verify)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not 1 or more")
    return number


def _verify(options: argparse.Namespace) -> int:
    analysis = analyse(options.root.resolve())
    composition = analysis.model.composition
    if analysis.errors or composition is None:
        text = as_text(analysis.diagnostics, colour=sys.stdout.isatty())
        _show(options, {"diagnostics": as_json(analysis.diagnostics)}, text)
        return 1
    facts, views = Facts(analysis.model), chosen_views(composition, options.view)
    if options.mutants is not None:
        trials = [*_counted(try_mutants(facts, views, options.mutants))]
        _show(options, trials_as_json(trials), trials_as_text(trials))
        return 0
    verification = verify(facts, composition, views, chosen_limits(composition, options.bound))
    _show(options, report.as_json(verification), report.as_text(verification))
    return 0 if verification.sound else 1


def _counted(trials: Iterator[Trial]) -> Iterator[Trial]:
    """The same trials, counted on a terminal while they go on."""
    killed = 0
    for number, trial in enumerate(trials, 1):
        killed += trial.killed
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{number} mutants tried, {killed} found")
        yield trial
    if sys.stderr.isatty():
        sys.stderr.write("\n")


def _show(options: argparse.Namespace, values: Mapping[str, object], text: str) -> None:
    sys.stdout.write(
        json.dumps(values, ensure_ascii=False, indent=2) + "\n" if options.format == "json" else text
    )
