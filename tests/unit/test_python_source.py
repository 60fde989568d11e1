"""How expressions are laid out; `ruff format` is the measure."""

import subprocess
import sys
from pathlib import Path

import pytest

from codex_control_plane_codegen.python_source import (
    Call,
    Code,
    Either,
    Expression,
    Subscript,
    assignment,
    camel_case,
    defaulted,
    docstring,
    literal_type,
    quote,
    snake_case,
)

LONG = "a sentence that goes on and on, "


@pytest.mark.parametrize(
    "value",
    [
        "short",
        LONG * 5,
        'he said "yes"',
        f'he said "yes" and {LONG * 4}',
        "two lines\n" * 9,
        {"key": LONG * 4, "other": [1, 2.5, None, True]},
        {("a", "b"): "c"},
        "x" * 100,
        {"a key that is not short": "x" * 90},
        Call("Thing", ("x" * 102,), {"second": "x" * 98}),
        tuple(LONG for _ in range(6)),
        [LONG, {"nested": [LONG, LONG, LONG]}],
        ("alone",),
        Call("Thing", (Code("first"),), {"second": LONG * 2, "third": (LONG, LONG)}),
        Call("Empty"),
    ],
)
def test_an_expression_is_laid_out_as_the_formatter_would(value: Expression) -> None:
    """The formatter leaves emitted text as it is."""
    text = assignment(value, "NAME: Final") + "\n"
    assert _formatted(text) == text


@pytest.mark.parametrize(
    "annotation",
    [
        literal_type(["short"]),
        literal_type([LONG, LONG, LONG, LONG]),
        Subscript("NotRequired", (literal_type([LONG, LONG, LONG, LONG]),)),
        Either((literal_type([LONG, LONG, LONG]), Code("None"))),
        Either((literal_type([LONG, LONG, LONG, LONG]), Code("None"))),
        Either(tuple(Code(f"SomeLongClassName{number}") for number in range(9))),
    ],
)
def test_an_annotation_is_laid_out_as_the_formatter_would(annotation: Expression) -> None:
    """Alternatives and subscripts are opened up where they do not fit."""
    text = assignment(annotation, "Name: TypeAlias") + "\n"
    assert _formatted(text) == text


def _formatted(text: str) -> str:
    ruff = [sys.executable, "-m", "ruff", "format", "--stdin-filename", "emitted.py", "-"]
    root = Path(__file__).parents[2]
    return subprocess.run(ruff, input=text, capture_output=True, text=True, check=True, cwd=root).stdout


def test_names_follow_the_language() -> None:
    """Names of the spec and of Codex become Python's."""
    assert snake_case("thread/tokenUsage/updated") == "thread_token_usage_updated"
    assert camel_case("CODEX_STATE_BUSY") == "CodexStateBusy"
    assert camel_case("mcpServer/elicitation/request") == "McpServerElicitationRequest"


def test_quotes_are_chosen_to_spare_backslashes() -> None:
    """A text with double quotes stands in single ones, unless it has both."""
    assert quote('say "yes"') == "'say \"yes\"'"
    assert quote('it\'s "so"') == '"it\'s \\"so\\""'
    assert quote("back\\slash") == '"back\\\\slash"'


def test_a_long_docstring_is_wrapped() -> None:
    """The first paragraph is the summary; the closing quotes stand on their own line."""
    text = docstring(f"{LONG * 4}end.", 4)
    assert all(len(line) <= 110 for line in text.split("\n"))
    assert text.endswith('end.\n    """')


@pytest.mark.parametrize("words", [1, 3, 4, 9])
def test_a_default_is_laid_out_as_the_formatter_would(words: int) -> None:
    """Beside its type, on a line of its own, or after the lines of the type."""
    kind = literal_type([f"a_word_of_some_length_{number}" for number in range(words)])
    laid_out = defaulted(kind, "name_of_the_field", "a_word_of_some_length_0", 4)
    source = f"class Arguments:\n    {laid_out}\n"
    assert _formatted(source) == source
