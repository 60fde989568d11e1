"""Words of Markdown that the templates of the reference put together."""

from collections.abc import Iterable


def cell(text: str) -> str:
    """The text as one cell of a table: on one line, its bars escaped."""
    return " ".join(text.split()).replace("|", "\\|")


def codes(words: Iterable[str]) -> str:
    """The words as code, one after the other."""
    return ", ".join(f"`{word}`" for word in words)


def listed(words: Iterable[str], last: str = "and") -> str:
    """The words as code, as a sentence lists them: `a`, `b` and `c`."""
    *others, final = [f"`{word}`" for word in words]
    return f"{', '.join(others)} {last} {final}" if others else final


def tick(holds: bool) -> str:
    """A mark where something holds, and nothing where it does not."""
    return "✓" if holds else ""
