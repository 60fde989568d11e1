"""The command line: ``build``, ``check``, ``graph``, ``explain``; other verbs have modules of their own."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from codex_control_plane_codegen import authoring, build, codex_verbs, drawings
from codex_control_plane_codegen.analysis import Analysis, analyse
from codex_control_plane_codegen.codes import CODES
from codex_control_plane_codegen.comparison import verbs as comparison
from codex_control_plane_codegen.diagnostics import nearest
from codex_control_plane_codegen.diagrams import Diagram
from codex_control_plane_codegen.facts import Facts
from codex_control_plane_codegen.fixes import Correction, corrections
from codex_control_plane_codegen.rendering import (
    PROGRAM,
    as_github,
    as_json,
    as_text,
    codes_as_json,
    codes_as_text,
    explanation,
    explanation_as_json,
    workflow_command,
)
from codex_control_plane_codegen.schemas import SchemaMissingError
from codex_control_plane_codegen.stubs import StubRefusedError
from codex_control_plane_codegen.verification import verb as verification
from codex_control_plane_codegen.verification.choices import ChoiceError

OK: Final = 0
FINDINGS: Final = 1
USAGE: Final = 2

_DESCRIPTION: Final = """\
Compiles the spec of the server (spec/) into the contract that it runs (generated/) and the pages that
describe it (docs/reference/)."""
_EPILOG: Final = f"""\
A day with it:
  $EDITOR spec/tools/codex_submit_task.yaml    change what the server is
  {PROGRAM} build       write generated/ and docs/reference/
  {PROGRAM} watch       the same at every save
  {PROGRAM} check       what CI runs: the spec is sound and what follows from it is up to date
  {PROGRAM} diff        what CI runs as well: nobody who relies on the last release is broken
  {PROGRAM} verify      what CI runs: every promise holds in every state that can be reached

Exit codes: 0 all is well, 1 something was found, 2 the call itself is wrong."""

_BUILD: Final = f"""\
Checks the spec and writes what changed below generated/ and docs/reference/.
With an error in the spec nothing is written.

Example:
  {PROGRAM} build --root ~/src/codex-control-plane-mcp"""

_CHECK: Final = f"""\
Checks the spec and compares generated/ and docs/reference/ with what it compiles to; writes nothing.
Finds all errors in one run, each with its place, a caret below the token, a code and a hint.
--fix makes the corrections that are certain, in the files themselves, and shows them as a diff.

Examples:
  {PROGRAM} check --fix --dry-run
  {PROGRAM} check --format json | jq -r '.diagnostics[].code'
  {PROGRAM} check --format github      in a workflow: findings at their lines"""

_EXPLAIN: Final = f"""\
Tells what a code means, why it is a fault, what it looks like and what cures it. Without a code it lists all.

Example:
  {PROGRAM} explain SPEC-L001"""

_GRAPH: Final = f"""\
Draws lifecycles: as Mermaid text, which GitHub renders, or as SVG. Without a name all are drawn;
without --output they are printed.

Examples:
  {PROGRAM} graph operation
  {PROGRAM} graph --format svg --output /tmp/lifecycles"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; argparse ends a call that it cannot read with 2."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except (StubRefusedError, ChoiceError, drawings.GraphvizMissingError) as error:
        _complain(str(error))
        return USAGE
    except SchemaMissingError as error:
        _complain(f"{error}; is --root {options.root} the root of the repository?")
        return USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(PROGRAM, description=_DESCRIPTION, epilog=_EPILOG, formatter_class=_Raw)
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    verb = verbs.add_parser(
        "build", help="write what follows from the spec", description=_BUILD, formatter_class=_Raw
    )
    _add_common(verb)
    verb.set_defaults(command=_build)
    verb = verbs.add_parser(
        "check", help="find what is wrong or stale", description=_CHECK, formatter_class=_Raw
    )
    _add_common(verb)
    verb.add_argument("--strict", action="store_true", help="let warnings fail as well")
    verb.add_argument("--fix", action="store_true", help="correct what is certain in spec/")
    verb.add_argument(
        "--dry-run", action="store_true", help="with --fix: show the corrections, write nothing"
    )
    verb.set_defaults(command=_check)
    _add_graph(verbs.add_parser("graph", help="draw lifecycles", description=_GRAPH, formatter_class=_Raw))
    verb = verbs.add_parser("explain", help="tell about a code", description=_EXPLAIN, formatter_class=_Raw)
    verb.add_argument("code", nargs="?", metavar="CODE", help="like SPEC-L001; all codes without it")
    verb.add_argument("--format", choices=("text", "json"), default="text", help="for people or programs")
    verb.set_defaults(command=_explain)
    comparison.add_verbs(verbs)
    verification.add_verb(verbs)
    authoring.add_verbs(verbs)
    codex_verbs.add_verbs(verbs, _Raw)
    return parser


def _add_graph(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("lifecycles", nargs="*", metavar="LIFECYCLE", help="like operation; all without it")
    verb.add_argument("--root", type=Path, default=Path(), help="the repository; the current directory")
    verb.add_argument(
        "--format", choices=tuple(drawings.FORMATS), default="mermaid", help="mermaid without it"
    )
    verb.add_argument("--output", type=Path, metavar="DIR", help="write one file per lifecycle here")
    verb.set_defaults(command=_graph)


class _Raw(argparse.RawDescriptionHelpFormatter):
    """Keeps the line breaks of the examples."""


def _add_common(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--root", type=Path, default=Path(), help="the repository; the current directory")
    formats = ("text", "json", "github")
    verb.add_argument(
        "--format", choices=formats, default="text", help="for people, programs or GitHub Actions"
    )


def _build(options: argparse.Namespace) -> int:
    root: Path = options.root.resolve()
    analysis = analyse(root)
    if analysis.errors:
        values = {"written": [], "diagnostics": as_json(analysis.diagnostics)}
        _show(options, values, _text(options, analysis))
        return FINDINGS
    outputs = build.compile_model(root, analysis.model)
    written = [path.relative_to(root).as_posix() for path in build.write(outputs)]
    closing = f"{len(written)} of {len(outputs)} files written."
    text = _text(options, analysis) + "\n".join([*(f"wrote {path}" for path in written), closing, ""])
    _show(options, {"written": written, "diagnostics": as_json(analysis.diagnostics)}, text)
    return OK


def _check(options: argparse.Namespace) -> int:
    if options.dry_run and not options.fix:
        _complain("--dry-run goes with --fix")
        return USAGE
    root: Path = options.root.resolve()
    made = _corrections(options, root)
    analysis = analyse(root)
    fatal = analysis.diagnostics if options.strict else analysis.errors
    differences = [] if analysis.errors else build.stale(build.compile_model(root, analysis.model))
    text = _text(options, analysis) + _text_of_differences(options, differences)
    if not text:
        count = len(analysis.model.documents)
        text = f"The spec is sound; generated/ and docs/reference/ are up to date ({count} documents).\n"
    values = {
        "diagnostics": as_json(analysis.diagnostics),
        "stale": differences,
        "fixed": [correction.diff for correction in made],
    }
    _show(options, values, "".join([*(f"{correction.diff}\n" for correction in made), text]))
    return FINDINGS if fatal or differences else OK


def _text(options: argparse.Namespace, analysis: Analysis) -> str:
    if options.format == "github":
        return as_github(analysis.diagnostics)
    return as_text(analysis.diagnostics, colour=sys.stdout.isatty())


def _corrections(options: argparse.Namespace, root: Path) -> Sequence[Correction]:
    """What the call asks to be corrected; it is written unless the run is a dry one."""
    if not options.fix:
        return ()
    made = corrections(root, analyse(root).diagnostics)
    if not options.dry_run:
        for correction in made:
            correction.write(root)
    return made


def _text_of_differences(options: argparse.Namespace, differences: Sequence[str]) -> str:
    if not differences:
        return ""
    if options.format == "github":
        message = f"generated/ is stale. Run `{PROGRAM} build` and commit the result."
        return workflow_command("error", {"title": "Stale files"}, message)
    files = "file is" if len(differences) == 1 else "files are"
    closing = f"{len(differences)} generated {files} stale. Run `{PROGRAM} build` and commit the result."
    return "\n".join([*differences, closing, ""])


def _graph(options: argparse.Namespace) -> int:
    analysis = analyse(options.root.resolve())
    if analysis.errors:
        sys.stderr.write(as_text(analysis.diagnostics, colour=sys.stderr.isatty()))
        return FINDINGS
    known = Facts(analysis.model).lifecycles
    for name in options.lifecycles:
        if name not in known:
            meant = nearest(name, known)
            hint = f"did you mean {meant}?" if meant else f"there are {', '.join(known)}"
            _complain(f"there is no lifecycle {name}; {hint}")
            return USAGE
    draw = drawings.FORMATS[options.format]
    drawn = {name: draw(Diagram(known[name])) for name in options.lifecycles or known}
    if options.output is None:
        sys.stdout.write("\n".join(drawn.values()))
    else:
        _write_drawings(drawn, options.output, drawings.SUFFIXES[options.format])
    return OK


def _write_drawings(drawn: Mapping[str, str], directory: Path, suffix: str) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in drawn.items():
        path = directory / f"{name}{suffix}"
        path.write_text(text, encoding="utf-8", newline="\n")
        sys.stdout.write(f"wrote {path}\n")


def _explain(options: argparse.Namespace) -> int:
    if options.code is None:
        sys.stdout.write(codes_as_json() if options.format == "json" else codes_as_text())
        return OK
    code: str = options.code.upper()
    if code not in CODES:
        meant = nearest(code, CODES)
        _complain(f"there is no code {code}" + (f"; did you mean {meant}?" if meant else ""))
        return USAGE
    sys.stdout.write(explanation_as_json(code) if options.format == "json" else explanation(code))
    return OK


def _show(options: argparse.Namespace, values: Mapping[str, object], text: str) -> None:
    """Prints the result as the call asked for it."""
    if options.format == "json":
        text = json.dumps(values, ensure_ascii=False, indent=2) + "\n"
    sys.stdout.write(text)


def _complain(message: str) -> None:
    sys.stderr.write(f"{PROGRAM}: {message}\n")
