"""Lays Python out as `ruff format` would, so that emitted code needs no formatter.

An expression stands on one line where it fits, and is opened up with a trailing comma where it does
not; a long text is cut at its spaces and put in parentheses.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

WIDTH: Final = 110
"""The line length of pyproject.toml."""

_INDENT: Final = 4


@dataclass(frozen=True, slots=True)
class Code:
    """An expression that is written as it stands."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A call, or anything else that is a name with arguments."""

    name: str
    positional: tuple[Expression, ...] = ()
    named: Mapping[str, Expression] = field(default_factory=dict[str, "Expression"])


@dataclass(frozen=True, slots=True)
class Subscript:
    """A name with arguments in brackets, as in an annotation."""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Alternatives of a type: `A | B`."""

    members: tuple[Expression, ...]


Leaf: TypeAlias = Code | str | float | bool | None
Expression: TypeAlias = "Leaf | Call | Subscript | Either | Sequence[Expression] | Mapping[Any, Expression]"


def snake_case(name: str) -> str:
    """`thread/tokenUsage/updated` → `thread_token_usage_updated`."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return re.sub(r"[^A-Za-z0-9]+", "_", words).lower()


def camel_case(name: str) -> str:
    """`starting_app_server` → `StartingAppServer`."""
    return "".join(word.capitalize() for word in snake_case(name).split("_"))


def quote(text: str) -> str:
    """The text as a literal on one line, in the quotes that the formatter prefers."""
    marks = "'" if '"' in text and "'" not in text else '"'
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")
    return marks + (escaped.replace('"', '\\"') if marks == '"' else escaped) + marks


def expression(value: Expression, indent: int = 0, lead: int = 0, trail: int = 0) -> str:
    """The value as source text.

    `indent` is the indentation of the line that it begins on, `lead` the column at which it begins and
    `trail` the number of characters that follow on its last line.
    """
    flat = flat_expression(value)
    if lead + len(flat) + trail <= WIDTH:
        return flat
    match value:
        case str():
            return _long_text(value, indent)
        case Subscript(name, (only,)):
            return f"{name}[\n{' ' * (indent + _INDENT)}{_item('', only, indent)}\n{' ' * indent}]"
        case Subscript(name, arguments):
            return _opened(f"{name}[", [_item("", item, indent) for item in arguments], "]", indent)
        case Either(members):
            return _alternatives(members, indent)
        case Call(name, positional, named):
            items = [_item("", item, indent) for item in positional]
            items += [_item(f"{key}=", item, indent) for key, item in named.items()]
            return _opened(f"{name}(", items, ")", indent)
        case Mapping():
            items = [_item(f"{flat_expression(key)}: ", item, indent) for key, item in value.items()]
            return _opened("{", items, "}", indent)
        case Sequence():
            head, tail = ("(", ")") if isinstance(value, tuple) else ("[", "]")
            return _opened(head, [_item("", item, indent) for item in value], tail, indent)
        case _:
            return flat


def flat_expression(value: Expression) -> str:
    """The value as source text on one line."""
    match value:
        case Code(text):
            return text
        case str():
            return quote(value)
        case Call(name, positional, named):
            items = [flat_expression(item) for item in positional]
            items += [f"{key}={flat_expression(item)}" for key, item in named.items()]
            return f"{name}({', '.join(items)})"
        case Either(members):
            return " | ".join(map(flat_expression, members))
        case Subscript(name, arguments):
            return f"{name}[{', '.join(map(flat_expression, arguments))}]"
        case Mapping():
            return (
                "{"
                + ", ".join(f"{flat_expression(key)}: {flat_expression(item)}" for key, item in value.items())
                + "}"
            )
        case tuple():
            return f"({', '.join(map(flat_expression, value))}{',' if len(value) == 1 else ''})"
        case Sequence():
            return f"[{', '.join(map(flat_expression, value))}]"
        case _:
            return repr(value)


def _alternatives(members: Sequence[Expression], indent: int) -> str:
    inner = indent + _INDENT
    pad = " " * inner
    text = " | ".join(map(flat_expression, members))
    if inner + len(text) > WIDTH:
        text = f"\n{pad}| ".join(expression(member, inner, inner + 2) for member in members)
    return f"(\n{pad}{text}\n{' ' * indent})"


def _item(prefix: str, value: Expression, indent: int) -> str:
    inner = indent + _INDENT
    return prefix + expression(value, inner, inner + len(prefix), 1)


def _opened(head: str, items: Iterable[str], tail: str, indent: int) -> str:
    pad = " " * (indent + _INDENT)
    return "\n".join([head, *(f"{pad}{item}," for item in items), " " * indent + tail])


def _long_text(text: str, indent: int) -> str:
    pad = " " * (indent + _INDENT)
    return "\n".join(
        ["(", *(pad + quote(piece) for piece in _pieces(text, WIDTH - len(pad))), " " * indent + ")"]
    )


def _pieces(text: str, width: int) -> list[str]:
    if len(quote(text)) <= width:
        return [text]
    pieces: list[str] = []
    for word in re.findall(r"\n|[^ \n]+ *| +", text):
        fits = pieces and not pieces[-1].endswith("\n") and len(quote(pieces[-1] + word)) <= width
        if fits:
            pieces[-1] += word
        else:
            pieces.append(word)
    return pieces


def assignment(value: Expression, target: str, indent: int = 0) -> str:
    """`target = value`, laid out."""
    return f"{target} = {expression(value, indent, indent + len(target) + 3)}"


def declaration(annotation: Expression, name: str, indent: int = 0) -> str:
    """`name: annotation`, laid out."""
    return f"{name}: {expression(annotation, indent, indent + len(name) + 2)}"


def defaulted(annotation: Expression, name: str, value: Expression, indent: int = 0) -> str:
    """`name: annotation = value`, laid out; a value that does not fit stands on a line of its own."""
    declared, default = declaration(annotation, name, indent), flat_expression(value)
    last = declared.rpartition("\n")[2]
    lead = len(last) if "\n" in declared else indent + len(last)
    if lead + len(f" = {default}") <= WIDTH:
        return f"{declared} = {default}"
    return f"{declared} = (\n{' ' * (indent + _INDENT)}{default}\n{' ' * indent})"


def literal(values: Sequence[str], target: str) -> str:
    """`target = Literal[...]`, laid out."""
    return assignment(literal_type(values), target)


def literal_type(values: Sequence[str]) -> Subscript:
    """`Literal[...]`."""
    return Subscript("Literal", tuple(values))


def union(members: Sequence[str], target: str) -> str:
    """`target = A | B`, laid out."""
    return assignment(Either(tuple(map(Code, members))), target)


def signature(head: str, parameters: Sequence[str], returns: str, indent: int = 0) -> str:
    """`head(parameters) -> returns:`, laid out; `head` is `def` or `async def` and the name."""
    flat = f"{head}({', '.join(parameters)}) -> {returns}:"
    if indent + len(flat) <= WIDTH:
        return flat
    return _opened(f"{head}(", parameters, f") -> {returns}:", indent)


def imported(module: str, names: Iterable[str]) -> str:
    """`from module import names`, laid out; the names in the order that the linter asks for."""
    ordered = sorted(names, key=_import_order)
    flat = f"from {module} import {', '.join(ordered)}"
    if len(flat) <= WIDTH:
        return flat
    return _opened(f"from {module} import (", ordered, ")", 0)


def _import_order(name: str) -> tuple[int, str]:
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name


def docstring(text: str, indent: int = 0) -> str:
    """The text as a docstring; its first paragraph is the summary, every paragraph is wrapped."""
    safe = text.strip().replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    if "\n" not in safe and indent + len(safe) + 6 <= WIDTH:
        return f'"""{safe}"""'
    pad = " " * indent
    wrap = _wrapper(WIDTH - indent)
    paragraphs = safe.split("\n\n")
    first = wrap('"""' + paragraphs[0])
    rest = [line for paragraph in paragraphs[1:] for line in ["", *wrap(paragraph)]]
    lines = [first[0], *(pad + line if line else "" for line in [*first[1:], *rest])]
    return "\n".join([*lines, f'{pad}"""'])


def _wrapper(width: int) -> Callable[[str], list[str]]:
    return textwrap.TextWrapper(width, break_long_words=False, break_on_hyphens=False).wrap
