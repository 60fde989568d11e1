"""YAML 1.2 as the spec uses it: mappings, lists and scalars, each with its position, and nothing else.

It is built on the events of a parser and not on constructors, because the events carry the position of every
token, see an alias before it is resolved, and do not stop at the first duplicate key. libyaml's parser takes
an eighth of the time of ruamel.yaml's, which speaks YAML 1.2 and says better what is wrong; so the first one
reads, and where it finds a fault, the second one reads again and tells of it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from codex_control_plane_codegen.documents import Span
from codex_control_plane_codegen.places import Keys

_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
_INTEGER: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that keeps a text from being one document of the spec; `code` is a key of `CODES`."""

    code: str
    span: Span
    message: str
    hint: str = ""


@dataclass(slots=True, eq=False)
class Reading:
    """What was read of one text: plain values, their positions, and the faults that were met."""

    data: object = None
    values: dict[Keys, Span] = field(default_factory=dict[Keys, Span])
    keys: dict[Keys, Span] = field(default_factory=dict[Keys, Span])
    faults: list[Fault] = field(default_factory=list[Fault])


def read_yaml(text: str) -> Reading:
    """Reads one text; a fault of syntax ends the reading, every other one is collected."""
    return _read_fast(text) or _read_telling(text)


def _read_fast(text: str) -> Reading | None:
    """What libyaml reads of a text without a fault; None for any other, and where libyaml is not there."""
    if not yaml.__with_libyaml__:
        return None
    reading = Reading()
    try:
        _Builder(iter(yaml.parse(text, Loader=yaml.CSafeLoader)), reading).build()
    except yaml.YAMLError:
        return None
    return None if reading.faults else reading


def _read_telling(text: str) -> Reading:
    # Imported here: a spec without a fault needs neither, and they are a tenth of a second.
    from ruamel.yaml import YAML  # noqa: PLC0415 - see above
    from ruamel.yaml.error import MarkedYAMLError, YAMLError  # noqa: PLC0415 - see above

    reading = Reading()
    try:
        events: Iterator[Any] = iter(YAML(typ="safe", pure=True).parse(text))  # pyright: ignore[reportUnknownMemberType]  # ruamel leaves `stream` untyped
        _Builder(events, reading).build()
    except MarkedYAMLError as error:
        reading.faults.append(_syntax_fault(error))
    except YAMLError as error:
        reading.faults.append(Fault("SPEC-Y001", Span(0, 0, 0), _sentence(str(error).split("\n")[0])))
    return reading


def _syntax_fault(error: Any) -> Fault:
    """ruamel's marks and words; its `context` tells what it was at when the `problem` came up."""
    mark: Any = error.problem_mark or error.context_mark
    message = _sentence(str(error.problem or error.context))
    hint = f"It was {error.context}." if error.context and error.problem else ""
    if message == "Mapping values are not allowed here":
        hint = "Put a text with a colon in it in double quotes."
    return Fault("SPEC-Y001", Span(mark.line, mark.column, mark.column + 1), message, hint)


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:].rstrip(".")


class _Builder:
    """Turns parser events into values; one call of a method consumes one node."""

    def __init__(self, events: Iterator[Any], reading: Reading) -> None:
        self._events = events
        self._reading = reading

    def build(self) -> None:
        """Consumes the whole stream; the first document becomes the data."""
        documents = 0
        for event in self._events:
            if not _is(event, "DocumentStartEvent"):
                continue
            documents += 1
            if documents == 2:
                self._refuse(
                    "SPEC-Y004", event, "A second document starts here", "One file holds one document."
                )
                return
            if event.version or event.tags:
                self._refuse(
                    "SPEC-Y003", event, "A directive is not part of the spec language", "Remove the line."
                )
            self._reading.data = self._node(next(self._events), ())

    def _node(self, event: Any, keys: Keys) -> object:
        self._check_plain(event)
        span = _span(event)
        if _is(event, "MappingStartEvent"):
            return self._mapping(span, keys)
        if _is(event, "SequenceStartEvent"):
            return self._sequence(span, keys)
        self._reading.values[keys] = span
        return _scalar(event) if _is(event, "ScalarEvent") else None

    def _mapping(self, span: Span, keys: Keys) -> dict[str, object]:
        if not keys or isinstance(keys[-1], int):
            self._reading.values[keys] = span
        mapping: dict[str, object] = {}
        while not _is(event := next(self._events), "MappingEndEvent"):
            key = self._key(event)
            if key in mapping:
                self._refuse(
                    "SPEC-Y002", event, f"The key `{key}` is here a second time", "Keep one of the two."
                )
            else:
                self._reading.keys[*keys, key] = _span(event)
            mapping[key] = self._node(next(self._events), (*keys, key))
        if not keys and mapping:
            self._reading.values[()] = self._reading.keys[next(iter(mapping)),]
        return mapping

    def _key(self, event: Any) -> str:
        self._check_plain(event)
        if _is(event, "ScalarEvent"):
            return str(event.value)
        self._refuse("SPEC-Y003", event, "A key that is not a text is not part of the spec language")
        if _is(event, "MappingStartEvent", "SequenceStartEvent"):
            self._skip()
        return ""

    def _skip(self) -> None:
        depth = 1
        while depth:
            event = next(self._events)
            depth += _is(event, "MappingStartEvent", "SequenceStartEvent")
            depth -= _is(event, "MappingEndEvent", "SequenceEndEvent")

    def _sequence(self, span: Span, keys: Keys) -> list[object]:
        if not keys or isinstance(keys[-1], int):
            self._reading.values[keys] = span
        items: list[object] = []
        while not _is(event := next(self._events), "SequenceEndEvent"):
            items.append(self._node(event, (*keys, len(items))))
        return items

    def _check_plain(self, event: Any) -> None:
        if event.anchor:
            alias = _is(event, "AliasEvent")
            self._refuse_sort(event, f"alias `*{event.anchor}`" if alias else f"anchor `&{event.anchor}`")
        if getattr(event, "tag", None):
            self._refuse_sort(event, f"tag `{str(event.tag).replace('tag:yaml.org,2002:', '!!')}`")

    def _refuse_sort(self, event: Any, words: str) -> None:
        hint = "Write the value out, so that each place in the file means one thing."
        self._refuse("SPEC-Y003", event, f"The {words} is not part of the spec language", hint)

    def _refuse(self, code: str, event: Any, message: str, hint: str = "") -> None:
        self._reading.faults.append(Fault(code, _span(event), message, hint))


def _is(event: Any, *kinds: str) -> bool:
    """Whether an event is of one of these kinds; both parsers have classes of these names."""
    return type(event).__name__ in kinds


def _span(event: Any) -> Span:
    """The first line of the token; a collection or a block text is marked by its first character."""
    start, end = event.start_mark, event.end_mark
    block_text = getattr(event, "style", None) in ("|", ">")
    one_line = end.line == start.line and not block_text
    return Span(start.line, start.column, end.column if one_line else start.column + 1)


def _scalar(event: Any) -> object:
    """A scalar by the core schema of YAML 1.2: `yes`, dates and `<<` are texts."""
    word: str = event.value
    # Without a style: empty in one parser, None in the other.
    if event.style or not event.implicit[0]:
        return word
    if word in _WORDS:
        return _WORDS[word]
    if _INTEGER.fullmatch(word):
        return int(word, 0) if word.startswith(("0o", "0x")) else int(word)
    return float(word) if _FLOAT.fullmatch(word) else word
