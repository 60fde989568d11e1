"""What `new` writes: the beginnings of a tool, a state or an error, with FILL IN where only a person knows.

They compile as far as that is possible; what is left to be said is found by the checks (SPEC-Y009).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from codex_control_plane_codegen.analysis import Analysis, analyse
from codex_control_plane_codegen.checks.placeholders import PLACEHOLDER
from codex_control_plane_codegen.diagnostics import nearest
from codex_control_plane_codegen.documents import Document
from codex_control_plane_codegen.model import Lifecycle
from codex_control_plane_codegen.places import Keys
from codex_control_plane_codegen.python_source import camel_case
from codex_control_plane_codegen.templating import render

HANDLERS: Final = PurePosixPath("runtime/codex_control_plane_mcp/handlers")
"""Where handlers stand."""

_HANDLER_TESTS: Final = PurePosixPath("tests/unit/handlers")
_LIFECYCLE_TESTS: Final = PurePosixPath("tests/lifecycle")

_SNAKE_CASE: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_UPPER_CASE: Final = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
_HANDLER: Final = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")

_USUAL_ERRORS: Final = ("INVALID_ARGUMENT", "CODEX_STATE_BUSY", "CODEX_STATE_UNUSABLE", "INTERNAL_ERROR")
"""What every tool that reads the store may answer, where the spec has it."""


class StubRefusedError(Exception):
    """Nothing was written; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Stub:
    """The files that begin something new, by their paths below the root, and what is then left to do by hand.

    `files` are new, `insertions` are lines for files that exist: path → line that they go before (counted
    from 1) and text.
    """

    files: Mapping[str, str]
    insertions: Mapping[str, Sequence[tuple[int, str]]] = field(
        default_factory=dict[str, Sequence[tuple[int, str]]]
    )
    advice: Sequence[str] = ()

    def write(self, root: Path) -> Sequence[str]:
        """Writes the files and returns their paths. Raises StubRefusedError if one of the new ones exists."""
        for file in self.files:
            if (root / file).exists():
                raise StubRefusedError(
                    f"{file} exists; choose another name (--handler, if it is that), or remove it"
                )
        texts = {
            file: inserted((root / file).read_text("utf-8"), lines) for file, lines in self.insertions.items()
        }
        for file, text in {**texts, **self.files}.items():
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (root / file).write_text(text, "utf-8", newline="\n")
        return [*texts, *self.files]


def inserted(text: str, additions: Sequence[tuple[int, str]]) -> str:
    """The text with each addition before the line of its number."""
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    for line, addition in sorted(additions, reverse=True):
        lines.insert(line - 1, addition)
    return "".join(lines)


def new_tool(root: Path, name: str, handler: str | None = None) -> Stub:
    """The beginnings of a tool: its document, its handler and a test of it."""
    _require(_SNAKE_CASE, name, "the name of a tool is snake_case, like codex_get_workload")
    stem = name.removeprefix("codex_")
    handler = handler or f"{stem.partition('_')[2] or stem}.{stem}"
    _require(_HANDLER, handler, "a handler is module.function, like workload.get_workload")
    module, _, function = handler.partition(".")
    model = analyse(root).model
    _require_new("a tool", name, [tool.name for tool in model.tools])
    known = [error.code for error in model.errors]
    context: dict[str, object] = {
        "name": name,
        "handler": handler,
        "function": function,
        "answer": f"{camel_case(stem)}Answer",
        "arguments": f"{camel_case(stem)}Arguments",
        "group": model.contract.groups[0].name if model.contract else "stable",
        "errors": [code for code in _USUAL_ERRORS if code in known],
    }
    return Stub(
        {
            f"spec/tools/{name}.yaml": render("new/tool.yaml", **context),
            f"{HANDLERS / module}.py": render("new/handler.py", **context),
            f"{_HANDLER_TESTS / f'test_handlers_{module}'}.py": render("new/tool_test.py", **context),
        }
    )


def new_state(root: Path, name: str, state: str) -> Stub:
    """The beginnings of a state: in the chart, under `states`, and a test that takes rows out of it."""
    _require(_SNAKE_CASE, state, "the name of a state is snake_case, like waiting_for_quota")
    analysis = analyse(root)
    lifecycle = _lifecycle(analysis, name)
    _require_new("a state", state, [each.name for each in lifecycle.states])
    before = next((each for each in lifecycle.states if each.final), lifecycle.states[0]).name
    actions = [word.name for word in analysis.model.contract.next_actions] if analysis.model.contract else []
    context: dict[str, object] = {
        "lifecycle": name,
        "state": state,
        "next_action": "none" if "none" in actions else next(iter(actions), "none"),
    }
    additions = [
        _sibling(
            lifecycle.document, ("statechart", "states", before), render("new/state_chart.yaml", **context)
        ),
        _sibling(lifecycle.document, ("states", before), render("new/state.yaml", **context)),
    ]
    test = f"{_LIFECYCLE_TESTS / f'test_{name}_{state}'}.py"
    return Stub(
        {test: render("new/state_test.py", **context)},
        {lifecycle.document.path: additions},
        [
            "In runtime/, where the decision is taken, raise its events: transaction.apply(row.EVENT())",
            "Take the new schema into the store's migrations (docs/extending.md)",
        ],
    )


def _lifecycle(analysis: Analysis, name: str) -> Lifecycle:
    lifecycles = {each.name: each for each in analysis.model.lifecycles}
    if name in lifecycles:
        return lifecycles[name]
    if any(found.place.file == f"spec/lifecycles/{name}.yaml" for found in analysis.errors):
        raise StubRefusedError(f"spec/lifecycles/{name}.yaml has errors; `check` shows them")
    meant = nearest(name, lifecycles)
    raise StubRefusedError(
        f"there is no lifecycle {name}; "
        + (f"did you mean {meant}?" if meant else f"there are {', '.join(lifecycles)}")
    )


def new_error(root: Path, code: str) -> Stub:
    """The beginnings of an error: its row in the table, and a test that fails until a call gets the error."""
    _require(_UPPER_CASE, code, "an error is UPPER_CASE, like CODEX_MODEL_UNKNOWN")
    errors = analyse(root).model.errors
    _require_new("an error", code, [error.code for error in errors])
    if not errors:
        raise StubRefusedError("spec/errors.yaml cannot be read; `check` shows why")
    document = errors[-1].document
    at_end = document.text.count("\n") + 2
    _, text = _sibling(document, errors[-1].keys, render("new/error.yaml", code=code))
    test = f"{_HANDLER_TESTS / f'test_handlers_{code.lower()}'}.py"
    return Stub(
        {test: render("new/error_test.py", code=code)},
        {document.path: [(at_end, text)]},
        [
            f"In spec/tools, list {code} under `errors` of the tools that answer it",
            f"In their handlers, raise codex_control_plane_contract.errors.{camel_case(code.lower())}",
        ],
    )


def _sibling(document: Document, keys: Keys, text: str) -> tuple[int, str]:
    """The line of the key that stands there, or of the comment above it, and the text indented alike."""
    place = document.key_place(*keys)
    lines = document.text.split("\n")
    line = place.line
    while line > 1 and lines[line - 2].lstrip().startswith("#"):
        line -= 1
    indented = [" " * (place.column - 1) + each for each in text.splitlines(keepends=True)]
    return line, "".join(indented)


def _require(pattern: re.Pattern[str], word: str, rule: str) -> None:
    if not pattern.fullmatch(word):
        raise StubRefusedError(f"{word!r} will not do: {rule}")


def _require_new(what: str, name: str, known: Sequence[str]) -> None:
    if name in known:
        raise StubRefusedError(f"there is {what} {name} already; choose another name")


def left_open(root: Path, files: Sequence[str]) -> Iterator[tuple[str, int, str]]:
    """File, line and words of what is still to be said in these files: placeholders and what they lead to."""
    for found in analyse(root).diagnostics:
        if found.place.file in files:
            yield found.place.file, found.place.line, found.message
    for file in files:
        if file.endswith(".py"):
            for number, line in enumerate((root / file).read_text("utf-8").splitlines(), 1):
                if PLACEHOLDER in line:
                    yield file, number, line[line.index(PLACEHOLDER) :].strip('"')
