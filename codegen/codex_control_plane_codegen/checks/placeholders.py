"""What `new` left open for a person is filled in."""

from collections.abc import Iterator
from typing import Final, cast

from codex_control_plane_codegen.checks.subject import Subject
from codex_control_plane_codegen.diagnostics import Diagnostic
from codex_control_plane_codegen.documents import Document
from codex_control_plane_codegen.places import Keys

PLACEHOLDER: Final = "FILL IN"
"""How a text begins that says what belongs in its place."""


def placeholders_are_filled_in(subject: Subject) -> Iterator[Diagnostic]:
    """No text of the spec is a placeholder any more."""
    for document in subject.model.documents:
        for keys, text in _texts(document):
            if text.startswith(PLACEHOLDER):
                wanted = text.removeprefix(PLACEHOLDER).strip().rstrip(".")
                message = f"`{keys[-1]}` is not filled in: {wanted}"
                yield Diagnostic("SPEC-Y009", document.place(*keys), message, "Clients would read this text.")


def _texts(document: Document) -> Iterator[tuple[Keys, str]]:
    """Every text of the document and the keys that lead to it."""
    waiting: list[tuple[Keys, object]] = [((), document.data)]
    while waiting:
        keys, value = waiting.pop()
        match value:
            case str():
                yield keys, value
            case dict():
                entries = cast("dict[str, object]", value)
                waiting.extend(((*keys, key), part) for key, part in entries.items())
            case list():
                items = cast("list[object]", value)
                waiting.extend(((*keys, index), part) for index, part in enumerate(items))
            case _:
                pass
