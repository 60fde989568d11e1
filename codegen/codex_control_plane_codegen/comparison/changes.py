"""What changed between two contracts, each change told once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Final, TypeAlias

from codex_control_plane_codegen.comparison.elements import Element, Path, mapping, words
from codex_control_plane_codegen.comparison.matrix import MATRIX
from codex_control_plane_codegen.comparison.verdicts import Change
from codex_control_plane_codegen.model import JsonValue

Elements: TypeAlias = Mapping[Path, Element]


@dataclass(frozen=True, slots=True)
class Changed:
    """An element that changed, as it was and as it is; one of the two is None if it was added or removed."""

    change: Change
    old: Element | None
    new: Element | None

    @property
    def element(self) -> Element:
        """The element as it is, or as it was if it is gone."""
        element = self.new or self.old
        assert element is not None
        return element


def changes(old: Elements, new: Elements) -> Iterator[Changed]:
    """Every change from `old` to `new`, in the order of the new contract, what is gone at the end.

    What cannot come or go by itself, as the type of a value, came or went with a change that is told.
    """
    appeared = new.keys() - old.keys()
    vanished = old.keys() - new.keys()
    for path, element in new.items():
        if path not in old:
            if not _came_along("added", element, element.comes_with, appeared):
                yield Changed("added", None, element)
        elif (before := old[path]).value != element.value or before.kind != element.kind:
            yield Changed(_difference(before, element), before, element)
    for path, element in old.items():
        if path not in new and not _came_along("removed", element, element.leaves_with, vanished):
            yield Changed("removed", element, None)


def _came_along(change: Change, element: Element, companion: Path | None, others: Set[Path]) -> bool:
    """Whether another change says it all: that of what contains the element, or that of its companion."""
    alone = change in MATRIX[element.kind].changes
    return not alone or companion in others or _is_below(element.path, others)


def _is_below(path: Path, paths: Set[Path]) -> bool:
    """Whether something that contains the element came or went with it, which says it all."""
    return any(path[:depth] in paths for depth in range(1, len(path)))


def _difference(old: Element, new: Element) -> Change:
    compare = _COMPARISONS.get(
        new.kind.removeprefix("input ").removeprefix("result ").removeprefix("stored ")
    )
    return compare(old.value, new.value, new.path[-1]) if compare and old.kind == new.kind else "changed"


def _by_rank(old: int, new: int) -> Change:
    """The change of something that allows the more, the greater its rank is."""
    if old == new:
        return "changed"
    return "narrowed" if new < old else "widened"


def _restriction(old: JsonValue, new: JsonValue, _: str) -> Change:
    return _by_rank(not old, not new)


def _types(old: JsonValue, new: JsonValue, _: str) -> Change:
    return _by_content(_with_integers(old), _with_integers(new))


def _with_integers(value: JsonValue) -> Set[str]:
    """The types, knowing that every integer is a number."""
    types = set(words(value))
    return types | {"integer"} if "number" in types else types


def _by_content(old: Set[str], new: Set[str]) -> Change:
    if old < new:
        return "widened"
    return "narrowed" if new < old else "changed"


def _bound(old: JsonValue, new: JsonValue, keyword: str) -> Change:
    if not isinstance(old, int | float) or not isinstance(new, int | float) or keyword == "multipleOf":
        return "changed"
    sign = -1 if keyword.lower().startswith(("min", "exclusivemin", "unique")) else 1
    return "narrowed" if sign * new < sign * old else "widened"


def _openness(old: JsonValue, new: JsonValue, _: str) -> Change:
    ranks = ("closed", "typed", "open")
    return _by_rank(ranks.index(str(old)), ranks.index(str(new)))


def _cell(old: JsonValue, new: JsonValue, _: str) -> Change:
    return _by_rank(_cell_rank(str(old)), _cell_rank(str(new)))


def _cell_rank(cell: str) -> int:
    """Illegal, then what leaves the row as it is, then what leads it on."""
    return ("illegal", "conflict", "ignored").index(cell) if not cell.startswith("->") else 3


def _version(old: JsonValue, new: JsonValue, _: str) -> Change:
    return "narrowed" if _numbers(new) > _numbers(old) else "widened"


def _numbers(version: JsonValue) -> tuple[int, ...]:
    return tuple(map(int, str(version).split(".")))


def _unique(old: JsonValue, new: JsonValue, _: str) -> Change:
    """A rule that holds in more states allows less; one without states holds always."""
    before, after = mapping(old), mapping(new)
    rest_differs = any(before[key] != after[key] for key in ("where", "absorbs"))
    if rest_differs:
        return "changed"
    old_states, new_states = set(words(before["while"])), set(words(after["while"]))
    if not old_states or not new_states:
        return "narrowed" if old_states else "widened"
    return _by_content(new_states, old_states)


_COMPARISONS: Final[Mapping[str, Callable[[JsonValue, JsonValue, str], Change]]] = {
    "type": _types,
    "bound": _bound,
    "setting bound": _bound,
    "openness": _openness,
    "hint": _restriction,
    "finality": _restriction,
    "table rule": _restriction,
    "cell": _cell,
    "codex minimum": _version,
    "unique rule": _unique,
}
"""Kinds whose values are more or less than each other → the change from one to another, and the last step."""
