"""Checks documents against the schema of their kind and says what is wrong at the exact place.

The schemas are those that editors complete from, ``schemas/spec/<kind>.schema.json``. A schema may give the
violation of itself a code, a sentence and a hint of its own: `x-code`, `x-message`, `x-hint`.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Self

from codex_control_plane_codegen.diagnostics import Diagnostic, Edit, nearest, slip_of
from codex_control_plane_codegen.documents import KINDS, Document
from codex_control_plane_codegen.places import Keys, Place
from codex_control_plane_codegen.validation import Validator, Violation, validators

SHARED: Final = "shared"
"""The schema that the others refer to."""

_SENTENCE: Final = "a sentence that ends with a full stop"
"""The title of the style in which meanings are written."""

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
        names = [f"{name}.schema.json" for name in (SHARED, *KINDS)]
        try:
            texts = [(name, (directory / name).read_text("utf-8")) for name in names]
        except OSError as error:
            raise SchemaMissingError(f"no schema at {error.filename}") from error
        return cls(_ready(tuple(texts)))

    def check(self, document: Document) -> Sequence[Diagnostic]:
        """What keeps the document from fitting its schema."""
        return _findings(self.validators[document.kind], document)


@lru_cache(maxsize=4)
def _ready(texts: tuple[tuple[str, str], ...]) -> Mapping[str, Validator]:
    """Kind of document → validator; of the same texts the very same ones, which `_findings` knows again."""
    ready = validators({name: json.loads(text) for name, text in texts})
    return {kind: ready[f"{kind}.schema.json"] for kind in KINDS}


@lru_cache(maxsize=256)
def _findings(validator: Validator, document: Document) -> Sequence[Diagnostic]:
    """The findings about a document; `parse` gives the very same one as long as its text is the same."""
    violations = validator.violations(document.data)
    return tuple(found for violation in violations for found in _diagnostics(document, violation))


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
    return replace(diagnostic, code=code, message=message, hint=hint, suggestion=suggestion)


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
                _respelling(place, slip_of(key, free)),
            )


def _respelling(place: Place, word: str) -> Edit | None:
    return Edit(place, word) if word else None


def _missing_keys(document: Document, violation: Violation) -> Iterator[Diagnostic]:
    descriptions: dict[str, Any] = violation.schema.get("properties", {})
    for key in violation.wanted:
        if key not in violation.met and key not in _misspelt_keys(violation):
            described = descriptions.get(key, {}).get("description", "")
            place = document.place(*violation.keys)
            yield Diagnostic("SPEC-S002", place, f"The key `{key}` is missing", described)


def _misspelt_keys(violation: Violation) -> Collection[str]:
    """The keys that unknown ones at this place probably mean; those are what is reported."""
    if violation.schema.get("additionalProperties") is not False:
        return ()
    declared: dict[str, Any] = violation.schema.get("properties", {})
    free = [name for name in declared if name not in violation.met]
    return [nearest(key, free) for key in violation.met if key not in declared]


def _pattern(document: Document, violation: Violation) -> Diagnostic:
    """A text, or a key, that is not written as its sort of name is."""
    title = violation.schema.get("title", f"a match of {violation.wanted}")
    keys = violation.keys
    place = document.place(*keys)
    if (*keys, violation.met) in document.keys:
        place = document.key_place(*keys, violation.met)
    spelling = _respelled(violation.met, title)
    suggestion = spelling if re.search(violation.wanted, spelling) else ""
    fix = _full_stop(place, violation.met) if title == _SENTENCE else None
    return Diagnostic("SPEC-S005", place, f"`{violation.met}` is not {title}", suggestion=suggestion, fix=fix)


def _full_stop(place: Place, sentence: str) -> Edit | None:
    """What ends a sentence on one line that ends in a letter; None for any other, which may go on."""
    token = place.source[place.column - 1 : place.end - 1]
    if not sentence[-1:].isalpha():
        return None
    if token == sentence:
        return Edit(place, f"{token}.")
    if token[1:-1] == sentence and token[0] == token[-1]:
        return Edit(place, f"{token[:-1]}.{token[-1]}")
    return None


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
        case _ if style == _SENTENCE:
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
    fix = _respelling(place, slip_of(str(violation.met), [word for word in allowed if isinstance(word, str)]))
    return Diagnostic("SPEC-S004", place, message, f"Allowed: {', '.join(words)}.", suggestion, fix)


def _shown(value: object) -> str:
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= 40 else f"{shown[:39]}…"


def _repeated(document: Document, violation: Violation) -> Iterator[Diagnostic]:
    for index, item in enumerate(violation.met):
        if item in violation.met[:index]:
            place = document.place(*violation.keys, index)
            message = f"`{_shown(item)}` is already in the list"
            before = document.place(*violation.keys, index - 1)
            yield Diagnostic("SPEC-S007", place, message, "Keep one of the two.", fix=_without(before, place))


def _without(before: Place, place: Place) -> Edit | None:
    """Takes out an item of a list on one line, with the comma before it."""
    between = place.source[before.end - 1 : place.column - 1]
    if before.line != place.line or between.strip() != ",":
        return None
    return Edit(replace(place, column=before.end), "")


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
