"""Diagnostics as people and as programs read them."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from textwrap import fill
from typing import Final

from codex_control_plane_codegen.codes import CODES
from codex_control_plane_codegen.diagnostics import Diagnostic, Edit
from codex_control_plane_codegen.places import Place

PROGRAM: Final = "codex-control-plane-mcp-codegen"
"""How the compiler is called, for the commands that messages recommend."""

_MOST_PLACES: Final = 5
"""How many further places of one mistake are listed."""

_WIDTH: Final = 100
"""Longest line of a page, and most of a source line that is shown."""

_RESET: Final = "\x1b[0m"
_COLOURS: Final = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m"}
_BOLD: Final = "\x1b[1m"
_CARET: Final = "\x1b[1;36m"


def as_text(diagnostics: Sequence[Diagnostic], *, colour: bool = False) -> str:
    """All findings, each with its source line and a caret below the token, and a closing count."""
    if not diagnostics:
        return ""
    blocks = [one_as_text(diagnostic, colour=colour) for diagnostic in diagnostics]
    return "\n".join([*blocks, _closing(diagnostics), ""])


def one_as_text(diagnostic: Diagnostic, *, colour: bool = False) -> str:
    """One finding::

    spec/lifecycles/job.yaml:19:16: error SPEC-S004: `codx` is not allowed here
        19 |     waits_for: codx
           |                ^^^^
           = did you mean `codex`?
           = Allowed are human, codex, quota, slot, none.
    """
    head = f"{diagnostic.severity} {diagnostic.code}"
    if colour:
        head = f"{_COLOURS[diagnostic.severity]}{head}{_RESET}"
    lines = [f"{diagnostic.place}: {head}: {diagnostic.message}", *_excerpt(diagnostic, colour=colour)]
    if diagnostic.suggestion:
        lines.append(f"       = did you mean `{diagnostic.suggestion}`?")
    if diagnostic.hint:
        lines.append(f"       = {diagnostic.hint}")
    if diagnostic.also:
        lines.append(f"       = {_also(diagnostic)}")
    if diagnostic.fix:
        lines.append("       = `check --fix` does that.")
    return "\n".join([*lines, ""])


def _also(diagnostic: Diagnostic) -> str:
    places = [f"{place.line}:{place.column}" for place in diagnostic.also[:_MOST_PLACES]]
    rest = len(diagnostic.also) - len(places)
    return f"Also at {', '.join(places)}{f' and {rest} more places' if rest else ''}."


def _excerpt(diagnostic: Diagnostic, *, colour: bool) -> list[str]:
    place = diagnostic.place
    if not place.source:
        return []
    hidden = place.column - 1 if place.column > _WIDTH else 0
    source = place.source.replace("\t", " ")[hidden:]
    if len(source) > _WIDTH:
        source = f"{source[: _WIDTH - 1]}…"
    column = place.column - 1 - hidden
    carets = "^" * max(min(place.end - 1 - hidden, len(source)) - column, 1)
    if colour:
        carets = f"{_CARET}{carets}{_RESET}"
    return [f"{place.line:6} | {source}", f"       | {' ' * column}{carets}"]


def _closing(diagnostics: Sequence[Diagnostic]) -> str:
    errors = sum(diagnostic.severity == "error" for diagnostic in diagnostics)
    counts = [_count(errors, "error"), _count(len(diagnostics) - errors, "warning")]
    found = " and ".join(count for count in counts if count)
    return f"{found}. `{PROGRAM} explain {diagnostics[0].code}` says more about the first."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number > 1 else ''}" if number else ""


def as_json(diagnostics: Sequence[Diagnostic]) -> list[dict[str, object]]:
    """The findings as values for JSON, as docs/compiler.md describes them.

    Lines and columns count from 1, `endColumn` is behind the token. `fix` is null, or the text that certainly
    belongs in the place that it names; `also` holds further places of the same mistake.
    """
    return [
        {
            "code": diagnostic.code,
            "severity": diagnostic.severity,
            "title": CODES[diagnostic.code].title,
            **_place(diagnostic.place),
            "message": diagnostic.message,
            "hint": diagnostic.hint,
            "suggestion": diagnostic.suggestion,
            "also": [_place(place) for place in diagnostic.also],
            "fix": _fix(diagnostic.fix),
        }
        for diagnostic in diagnostics
    ]


def _place(place: Place) -> dict[str, object]:
    return {"file": place.file, "line": place.line, "column": place.column, "endColumn": place.end}


def _fix(edit: Edit | None) -> dict[str, object] | None:
    return {**_place(edit.place), "text": edit.text} if edit else None


def as_github(diagnostics: Sequence[Diagnostic]) -> str:
    """The findings as workflow commands of GitHub Actions, which shows each at its line of a pull request."""
    return "".join(
        _command(diagnostic, place)
        for diagnostic in diagnostics
        for place in (diagnostic.place, *diagnostic.also)
    )


def _command(diagnostic: Diagnostic, place: Place) -> str:
    meant = f"Did you mean `{diagnostic.suggestion}`?" if diagnostic.suggestion else ""
    message = "\n".join(filter(None, (diagnostic.message, meant, diagnostic.hint)))
    properties = {
        "file": place.file,
        "line": place.line,
        "col": place.column,
        "endColumn": place.end,
        "title": f"{diagnostic.code}: {CODES[diagnostic.code].title}",
    }
    return workflow_command(diagnostic.severity, properties, message)


def workflow_command(name: str, properties: Mapping[str, object], message: str) -> str:
    """One line of GitHub's ``::name key=value,…::message``, with what would end a part of it escaped."""
    shown = ",".join(f"{key}={_escaped(str(value), ':,')}" for key, value in properties.items())
    return f"::{name} {shown}::{_escaped(message, '')}\n"


def _escaped(text: str, more: str) -> str:
    """The text with percent signs, line breaks and the characters of `more` as `%` and two digits."""
    return re.sub(rf"[%\r\n{more}]", lambda found: f"%{ord(found[0]):02X}", text)


def explanation(code: str) -> str:
    """The page of one code: title, cause, an example and its cure."""
    entry = CODES[code]
    example = "\n".join(f"    {line}" for line in entry.example.splitlines())
    head = f"{code} ({entry.severity}): {entry.title}"
    cause, cure = fill(entry.cause, _WIDTH), fill(f"Cure: {entry.cure}", _WIDTH)
    return f"{head}\n\n{cause}\n\nExample:\n{example}\n\n{cure}\n"


def explanation_as_json(code: str) -> str:
    """The page of one code as a JSON object."""
    return json.dumps(_page(code), ensure_ascii=False, indent=2) + "\n"


def codes_as_text() -> str:
    """Every code with its title, one a line."""
    return "".join(f"{code}  {entry.severity:7}  {entry.title}\n" for code, entry in CODES.items())


def codes_as_json() -> str:
    """The pages of all codes as a JSON array."""
    return json.dumps([_page(code) for code in CODES], ensure_ascii=False, indent=2) + "\n"


def _page(code: str) -> dict[str, str]:
    return {"code": code, **asdict(CODES[code])}
