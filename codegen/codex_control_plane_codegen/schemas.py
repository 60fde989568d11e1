"""Checks documents against the schema of their kind and says what is wrong at the exact place.

The schemas are those that editors complete from, ``schemas/spec/<kind>.schema.json``. A schema may give the
violation of itself a code, a sentence and a hint of its own: `x-code`, `x-message`, `x-hint`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from codex_control_plane_codegen.diagnostics import Diagnostic, nearest
from codex_control_plane_codegen.documents import KINDS, Document
from codex_control_plane_codegen.places import Keys
from codex_control_plane_codegen.validation import Validator, Violation, validators

SHARED: Final = "shared"
"""The schema that the others refer to."""

_NOUNS: Final[Mapping[str, str]] = {
    "object": "a mapping",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}


class SchemaMissingError(Exception):
    """The schemas of the spec language are not where the root says; the message names the file."""


@dataclass(frozen=True, slots=True)
class Schemas:
    """The schema of every kind of document, ready to validate."""

    validators: Mapping[str, Validator]

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Reads ``<kind>.schema.json`` of every kind; raises SchemaMissingError if one cannot be read."""
        try:
            schemas = {
                f"{name}.schema.json": json.loads((directory / f"{name}.schema.json").read_text("utf-8"))
                for name in (SHARED, *KINDS)
            }
        except OSError as error:
            raise SchemaMissingError(f"no schema at {error.filename}") from error
        ready = validators(schemas)
        return cls({kind: ready[f"{kind}.schema.json"] for kind in KINDS})

    def check(self, document: Document) -> Iterator[Diagnostic]:
        """What keeps the document from fitting its schema."""
        for violation in self.validators[document.kind].violations(document.data):
            yield from _diagnostics(document, violation)


def _diagnostics(document: Document, violation: Violation) -> Iterator[Diagnostic]:
    match violation.keyword:
        case "additionalProperties":
            found = _unknown_keys(document, violation)
        case "required":
            found = _missing_keys(document, violation)
        case "pattern":
            found = iter([_pattern(document, violation)])
        case "type":
            found = iter([_type(document, violation)])
        case "enum" | "const":
            found = iter([_value(document, violation)])
        case "uniqueItems":
            found = _repeated(document, violation)
        case "not" | "anyOf":
            found = iter([Diagnostic("SPEC-S008", document.key_place(*violation.keys), "")])
        case _:
            found = iter([_limit(document, violation)])
    for diagnostic in found:
        yield _in_own_words(diagnostic, violation.schema)


def _in_own_words(diagnostic: Diagnostic, schema: Mapping[str, Any]) -> Diagnostic:
    code = str(schema.get("x-code", diagnostic.code))
    message = str(schema.get("x-message", diagnostic.message))
    hint = str(schema.get("x-hint", diagnostic.hint))
    suggestion = "" if "x-message" in schema else diagnostic.suggestion
    return Diagnostic(code, diagnostic.place, message, hint, suggestion)


def _unknown_keys(document: Document, violation: Violation) -> Iterator[Diagnostic]:
    declared: dict[str, Any] = violation.schema.get("properties", {})
    known = [name for name, schema in declared.items() if "not" not in schema]
    for key in violation.met:
        if key not in declared:
            place = document.key_place(*violation.keys, key)
            free = [name for name in known if name not in violation.met]
            yield Diagnostic(
                "SPEC-S001",
                place,
                f"`{key}` is not a key here",
                f"Keys are {', '.join(known)}.",
                nearest(key, free),
            )


def _missing_keys(document: Document, violation: Violation) -> Iterator[Diagnostic]:
    descriptions: dict[str, Any] = violation.schema.get("properties", {})
    for key in violation.wanted:
        if key not in violation.met:
            described = descriptions.get(key, {}).get("description", "")
            place = document.place(*violation.keys)
            yield Diagnostic("SPEC-S002", place, f"The key `{key}` is missing", described)


def _pattern(document: Document, violation: Violation) -> Diagnostic:
    """A text, or a key, that is not written as its sort of name is."""
    title = violation.schema.get("title", f"a match of {violation.wanted}")
    keys = violation.keys
    place = document.place(*keys)
    if (*keys, violation.met) in document.keys:
        place = document.key_place(*keys, violation.met)
    spelling = _respelled(violation.met, title)
    suggestion = spelling if re.search(violation.wanted, spelling) else ""
    return Diagnostic("SPEC-S005", place, f"`{violation.met}` is not {title}", suggestion=suggestion)


def _respelled(word: str, style: str) -> str:
    """The same words in another style of writing; unchanged for a style without a rule."""
    words = [part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", word)]
    match style:
        case "snake_case":
            return "_".join(words)
        case "UPPER_CASE":
            return "_".join(words).upper()
        case "CamelCase":
            return "".join(part.capitalize() for part in words)
        case "camelCase":
            return "".join(words[:1] + [part.capitalize() for part in words[1:]])
        case "a sentence that ends with a full stop":
            return f"{word}."
        case _:
            return word


def _type(document: Document, violation: Violation) -> Diagnostic:
    wanted = [violation.wanted] if isinstance(violation.wanted, str) else violation.wanted
    nouns = " or ".join(_NOUNS[name] for name in wanted)
    message = f"{_name(violation.keys)} is {_noun_of(violation.met)}, and {nouns} is wanted"
    hint = "Put it in quotes." if "string" in wanted and isinstance(violation.met, int | float) else ""
    described = violation.schema.get("description", "")
    return Diagnostic("SPEC-S003", document.place(*violation.keys), message, hint or described)


def _name(keys: Keys) -> str:
    match keys:
        case ():
            return "The document"
        case (*_, str(key)):
            return f"`{key}`"
        case _:
            return "The item"


def _noun_of(value: object) -> str:
    match value:
        case None:
            return "empty"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case _:
            return "a mapping"


def _value(document: Document, violation: Violation) -> Diagnostic:
    allowed = violation.wanted if violation.keyword == "enum" else [violation.wanted]
    words = [json.dumps(value) if not isinstance(value, str) else value for value in allowed]
    message = f"`{_shown(violation.met)}` is not allowed here"
    suggestion = nearest(str(violation.met), words)
    place = document.place(*violation.keys)
    return Diagnostic("SPEC-S004", place, message, f"Allowed: {', '.join(words)}.", suggestion)


def _shown(value: object) -> str:
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= 40 else f"{shown[:39]}…"


def _repeated(document: Document, violation: Violation) -> Iterator[Diagnostic]:
    for index, item in enumerate(violation.met):
        if item in violation.met[:index]:
            place = document.place(*violation.keys, index)
            yield Diagnostic(
                "SPEC-S007", place, f"`{_shown(item)}` is already in the list", "Keep one of the two."
            )


def _limit(document: Document, violation: Violation) -> Diagnostic:
    name, wanted = _name(violation.keys), violation.wanted
    sentences = {
        "minimum": f"{name} is below {wanted}",
        "maximum": f"{name} is above {wanted}",
        "minLength": f"{name} is empty",
        "maxLength": f"{name} is longer than {wanted} characters",
        "minItems": f"{name} is an empty list",
        "minProperties": f"{name} is empty",
    }
    message = sentences.get(violation.keyword, f"{name} breaks the rule {violation.keyword}: {wanted}")
    hint = str(violation.schema.get("description", ""))
    return Diagnostic("SPEC-S006", document.place(*violation.keys), message, hint)
