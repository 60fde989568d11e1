"""What is wrong with the arguments of a call, in words that let the caller correct it (contract §6)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from jsonschema_rs import Draft202012Validator, ValidationError, ValidationErrorKind

from codex_control_plane_contract.errors import InvalidArgument
from codex_control_plane_contract.values import JsonObject, JsonValue
from codex_control_plane_mcp.places import name_place
from codex_control_plane_mcp.suggestions import did_you_mean

_SHOWN_FAULTS: Final = 5
_SHOWN_CHARS: Final = 60
_DEEPEST: Final = 100
"""How deep a value may be nested; what stores it, sends it on and shows it calls itself for each level."""
_TYPES: Final[Mapping[type, str]] = {
    type(None): "null",
    bool: "boolean",
    str: "string",
    dict: "object",
    list: "array",
    int: "integer",
}
_NOUNS: Final = {"object": "an object", "array": "an array", "integer": "an integer", "null": "null"}


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong: how early to say it, where, what, and what would fit."""

    rank: int
    path: str
    sentence: str
    allowed: JsonValue = None

    def as_json(self) -> JsonObject:
        """Return path and, where there is something to say, allowed."""
        return {"path": self.path} if self.allowed is None else {"path": self.path, "allowed": self.allowed}


class ArgumentCheck:
    """The compiled input schema of one tool."""

    def __init__(self, schema: JsonObject) -> None:
        properties = schema.get("properties")
        self._properties: JsonObject = properties if isinstance(properties, dict) else {}
        self._known = sorted(self._properties)
        self._validator = Draft202012Validator(schema)

    def check(self, arguments: Mapping[str, JsonValue]) -> None:
        """Raise INVALID_ARGUMENT if the arguments do not fit; its details are of the first fault."""
        faults = list(_unspeakable(arguments))
        if not faults and not self._validator.is_valid(arguments):
            faults = sorted(
                (fault for error in self._validator.iter_errors(arguments) for fault in self._faults(error)),
                key=lambda fault: (fault.rank, fault.path),
            )
        if faults:
            raise _invalid(faults)

    def _faults(self, error: ValidationError) -> Iterator[Fault]:
        place = list(error.instance_path)
        match error.kind:
            case ValidationErrorKind.AdditionalProperties(unexpected=names):
                # Only the arguments themselves have a list of names; a deeper name is just unknown.
                known: list[str] = self._known if not place else []
                yield from (_unknown(place, name, known) for name in names)
            case ValidationErrorKind.Required(property=name):
                path = _path([*place, name])
                yield Fault(1, path, f"{path} is required.")
            case ValidationErrorKind.Pattern(pattern=pattern):
                path, words = _path(place), self._description(place)
                sentence = (
                    f"{path} is {_shown(cast('JsonValue', error.instance))}, which does not fit. {words}"
                )
                yield Fault(2, path, sentence.rstrip(), {"pattern": pattern})
            case kind:
                path = _path(place)
                sentence, allowed = _misfit(kind, cast("JsonValue", error.instance))
                yield Fault(2, path, f"{path} {sentence}", allowed)

    def _description(self, place: Sequence[str | int]) -> str:
        """Return what the schema says of an argument; blank for a place within one."""
        value: JsonValue = self._properties.get(str(place[0])) if len(place) == 1 else None
        return str(value.get("description", "")) if isinstance(value, dict) else ""


def _misfit(kind: ValidationErrorKind, value: JsonValue) -> tuple[str, JsonValue]:
    """Return what the value does wrong, as the rest of a sentence, and what is allowed."""
    match kind:
        case ValidationErrorKind.Enum(options=options):
            words = [str(option) for option in options]
            hint = did_you_mean(value, words) if isinstance(value, str) else ""
            return f"is {_shown(value)}, but must be one of {', '.join(words)}.{hint}", [*words]
        case ValidationErrorKind.Type(types=types):
            nouns = " or ".join(_noun(name) for name in types)
            return f"is {_noun(_type_of(value))}, but must be {nouns}.", list(types)
        case ValidationErrorKind.MaxLength(limit=limit):
            return f"has {len(str(value))} characters, but may have {limit} at most.", {"maxLength": limit}
        case ValidationErrorKind.MinLength(limit=limit):
            return f"has {len(str(value))} characters, but needs {limit} at least.", {"minLength": limit}
        case ValidationErrorKind.Minimum(limit=limit):
            return f"is {_shown(value)}, but must be {limit} or more.", {"minimum": cast("JsonValue", limit)}
        case ValidationErrorKind.Maximum(limit=limit):
            return f"is {_shown(value)}, but must be {limit} or less.", {"maximum": cast("JsonValue", limit)}
        case ValidationErrorKind.MaxItems(limit=limit):
            return f"may have {limit} items at most.", {"maxItems": limit}
        case _:
            return f"breaks the rule {kind.name} of the input schema.", None


def _unknown(place: Sequence[str | int], name: str, known: Sequence[str]) -> Fault:
    path = _path([*place, name])
    return Fault(0, path, f"{path} is not an argument.{did_you_mean(name, known)}", list(known) or None)


def _unspeakable(arguments: Mapping[str, JsonValue]) -> Iterator[Fault]:
    """Yield a fault per text that UTF-8 cannot carry, and per value that is nested too deeply.

    JSON can escape half a surrogate pair. The walk keeps its own stack, since a nesting that the JSON reader
    bears could exhaust Python's.
    """
    pending: list[tuple[list[str | int], JsonValue]] = [([], dict(arguments))]
    while pending:
        place, value = pending.pop()
        if len(place) > _DEEPEST:
            sentence = f"{_path(place[:1])} is nested deeper than {_DEEPEST} levels."
            yield Fault(2, _path(place[:1]), sentence, {"maxDepth": _DEEPEST})
        elif isinstance(value, str) and not _speakable(value):
            yield Fault(2, _path(place), f"{_path(place)} holds a lone surrogate, which is no character.")
        elif isinstance(value, list):
            pending.extend(([*place, index], item) for index, item in enumerate(value))
        elif isinstance(value, dict):
            if not all(_speakable(key) for key in value):
                yield Fault(2, _path(place), f"A key in {_path(place)} holds a lone surrogate.")
                continue
            pending.extend(([*place, key], item) for key, item in value.items())


def _speakable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _invalid(faults: Sequence[Fault]) -> InvalidArgument:
    message = " ".join(fault.sentence for fault in faults[:_SHOWN_FAULTS])
    more = len(faults) - _SHOWN_FAULTS
    if more > 0:
        message += f" ({more} more.)"
    return InvalidArgument(message, **faults[0].as_json())


def _path(place: Iterable[str | int]) -> str:
    """Return the name of a place; the arguments as a whole are `arguments`."""
    return name_place(place) or "arguments"


def _shown(value: JsonValue) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"


def _noun(name: str) -> str:
    return _NOUNS.get(name, f"a {name}")


def _type_of(value: JsonValue) -> str:
    return _TYPES.get(type(value), "number")
