"""The layout of a state: one byte for each row, surrounding and bound of the composition."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Final, Self, TypeAlias

from codex_control_plane_codegen.facts import Facts
from codex_control_plane_codegen.model import Bound, ComposedRow, Composition, Condition

State: TypeAlias = bytes
"""What every part is, as the index of its value, in the order of the layout."""

Guard: TypeAlias = tuple[int, int]
"""The place of a part, and a bit for every value that it may have there."""

ABSENT: Final = "absent"
"""The value of a row that no event has created yet."""


@dataclass(frozen=True, slots=True)
class Part:
    """One byte of a state: which values it may have, what stands for several of them, and where it starts."""

    name: str
    values: Sequence[str]
    groups: Mapping[str, Sequence[str]]
    starts: Sequence[str]
    distinct: Sequence[str] = ()
    """Values that stand for themselves, even where nothing tells them apart (see `forgetting`)."""

    @classmethod
    def of_bound(cls, bound: Bound, limit: int) -> Self:
        """What is left of a bound, up to the limit."""
        values = [str(number) for number in range(limit + 1)]
        groups = {"spent": values[:1], "left": values[1:]}
        return cls(bound.name, values, groups, values if bound.varies else values[-1:])

    def mask(self, words: Iterable[str]) -> int:
        """A bit for every value that one of the words, each a value or a group, stands for."""
        values = {value for word in words for value in self.groups.get(word, (word,))}
        return sum(1 << index for index, value in enumerate(self.values) if value in values)


@dataclass(frozen=True)
class Layout:
    """Every part of a composition, in order."""

    parts: Sequence[Part]

    @classmethod
    def of(cls, facts: Facts, composition: Composition, limits: Mapping[str, int]) -> Self:
        """The layout of a composition; `limits` take the place of those of its bounds."""
        rows = [_row(facts, row) for row in composition.rows]
        surroundings = [Part(each.name, each.values, {}, each.starts) for each in composition.surroundings]
        bounds = [Part.of_bound(bound, limits.get(bound.name, bound.limit)) for bound in composition.bounds]
        return cls([*rows, *surroundings, *bounds])

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The place of each part by its name."""
        return {part.name: place for place, part in enumerate(self.parts)}

    def starts(self) -> Iterator[State]:
        """Every state to begin from."""
        for values in product(*(part.starts for part in self.parts)):
            yield bytes(part.values.index(value) for part, value in zip(self.parts, values, strict=True))

    def guards(self, condition: Condition) -> tuple[Guard, ...]:
        """The condition as guards; a state meets it if it passes every one."""
        places = [(self.places[name], words) for name, words in condition.allowed.items()]
        return tuple((place, self.parts[place].mask(words)) for place, words in places)

    def value(self, state: State, place: int) -> str:
        """What the part at the place is."""
        return self.parts[place].values[state[place]]


def meets(state: Sequence[int], guards: Iterable[Guard]) -> bool:
    """Whether the state passes every guard."""
    return all(mask >> state[place] & 1 for place, mask in guards)


def _row(facts: Facts, row: ComposedRow) -> Part:
    lifecycle = facts.lifecycles[row.lifecycle]
    open_states = [state for state in lifecycle.states if state not in lifecycle.terminal]
    return Part(row.name, (ABSENT, *lifecycle.states), lifecycle.groups, (ABSENT,), open_states)
