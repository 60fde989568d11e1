"""The verbs for whoever writes a spec: ``new`` and ``watch``."""

import argparse
import contextlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from codex_control_plane_codegen import stubs
from codex_control_plane_codegen.rendering import PROGRAM
from codex_control_plane_codegen.stubs import Stub

_NEW: Final = f"""\
Writes the beginnings of something new, overwrites nothing, and says what is left to do, with its places.
FILL IN marks what only a person knows; `check` warns of each that is left (SPEC-Y009).

Examples:
  {PROGRAM} new tool codex_get_workload
  {PROGRAM} new state operation paused
  {PROGRAM} new error CODEX_MODEL_UNKNOWN

docs/extending.md walks through a tool and a state."""

_WATCH: Final = f"""\
Checks the spec and writes generated/ whenever a file of spec/ is saved, and shows what is wrong at once.

Example:
  {PROGRAM} watch"""


def add_verbs(verbs: Any) -> None:
    """Adds ``new`` and ``watch`` to the verbs, which are what `add_subparsers` of argparse returns."""
    raw = argparse.RawDescriptionHelpFormatter
    root = argparse.ArgumentParser(add_help=False)
    root.add_argument("--root", type=Path, default=Path(), help="the repository; the current directory")
    verb = verbs.add_parser(
        "watch", help="build at every save", description=_WATCH, formatter_class=raw, parents=[root]
    )
    verb.set_defaults(command=_watch)
    root.add_argument("--format", choices=("text", "json"), default="text", help="for people or programs")
    verb = verbs.add_parser(
        "new", help="begin a tool, a state or an error", description=_NEW, formatter_class=raw
    )
    sorts = verb.add_subparsers(title="what", metavar="WHAT", required=True)
    sort = sorts.add_parser("tool", help="spec, handler and test of a tool", parents=[root])
    sort.add_argument("name", metavar="NAME", help="like codex_get_workload")
    sort.add_argument(
        "--handler", metavar="MODULE.FUNCTION", help="below handlers/; from the name without it"
    )
    sort.set_defaults(command=_new_tool)
    sort = sorts.add_parser("state", help="a state of a lifecycle, and a test", parents=[root])
    sort.add_argument("lifecycle", metavar="LIFECYCLE", help="like operation")
    sort.add_argument("name", metavar="STATE", help="like paused")
    sort.set_defaults(command=_new_state)
    sort = sorts.add_parser("error", help="a row of spec/errors.yaml, and a test", parents=[root])
    sort.add_argument("name", metavar="CODE", help="like CODEX_MODEL_UNKNOWN")
    sort.set_defaults(command=_new_error)


def _new_tool(options: argparse.Namespace) -> int:
    return _begin(options, stubs.new_tool(options.root, options.name, options.handler))


def _new_state(options: argparse.Namespace) -> int:
    return _begin(options, stubs.new_state(options.root, options.lifecycle, options.name))


def _new_error(options: argparse.Namespace) -> int:
    return _begin(options, stubs.new_error(options.root, options.name))


def _begin(options: argparse.Namespace, stub: Stub) -> int:
    written = stub.write(options.root)
    steps = [*stubs.left_open(options.root, written)]
    if options.format == "json":
        todo = [{"file": file, "line": line, "do": words} for file, line, words in steps]
        values = {"written": written, "open": todo, "then": [*_closing(stub, written)]}
        sys.stdout.write(json.dumps(values, ensure_ascii=False, indent=2) + "\n")
        return 0
    places = [f"{file}:{line}  {words}" for file, line, words in steps]
    numbered = [f"{number:3}. {step}" for number, step in enumerate([*places, *_closing(stub, written)], 1)]
    sys.stdout.write("\n".join([*(f"wrote {file}" for file in written), "", "Next:", *numbered, ""]))
    return 0


def _closing(stub: Stub, written: Sequence[str]) -> Sequence[str]:
    tests = " ".join(file for file in written if file.startswith("tests/"))
    return [
        *stub.advice,
        "make gen     compile it, or keep `watch` running",
        "make check   format, lint, types, and nothing left to fill in",
        f"make test TESTS={tests}",
    ]


def _watch(options: argparse.Namespace) -> int:
    # Here, because what watchfiles brings along would delay every other verb.
    from codex_control_plane_codegen.watch import watch  # noqa: PLC0415

    def show(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    with contextlib.suppress(KeyboardInterrupt):
        watch(options.root.resolve(), show, colour=sys.stdout.isatty())
    return 0
