"""Exploration: every state that can be reached, breadth first: the first way to a state is a shortest one."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from codex_control_plane_codegen.verification.layout import Guard, Layout, State, meets
from codex_control_plane_codegen.verification.moves import Change, Move, Unlawful


@dataclass(frozen=True, slots=True)
class Misstep:
    """A step that raises an event which is no transition there: in which state, and what."""

    state: int
    move: Move
    change: Change


@dataclass(frozen=True, slots=True)
class Exploration:
    """The states in the order of their discovery, and every move between them.

    A state is named by its number. `origins` holds the state and the move that each was first reached by,
    None for a start.
    """

    layout: Layout
    moves: Sequence[Move]
    states: list[State] = field(default_factory=list[State])
    origins: list[tuple[int, Move] | None] = field(default_factory=list["tuple[int, Move] | None"])
    arrivals: list[list[tuple[int, Move]]] = field(default_factory=list["list[tuple[int, Move]]"])
    """The moves that lead to each state, with the state that they lead from."""
    transactions: dict[tuple[str, tuple[Change, ...]], None] = field(
        default_factory=dict["tuple[str, tuple[Change, ...]]", None]
    )
    """Every transaction that was made, as the name of its step and its changes."""
    missteps: dict[tuple[str, Change], Misstep] = field(default_factory=dict["tuple[str, Change]", Misstep])

    def way_to(self, number: int) -> Sequence[tuple[int, Move]]:
        """The moves of the shortest way from a start to the state, each with the state before it."""
        way: list[tuple[int, Move]] = []
        while (origin := self.origins[number]) is not None:
            way.append(origin)
            number = origin[0]
        return way[::-1]

    def depth(self) -> int:
        """The length of the longest of the shortest ways."""
        depths: list[int] = []
        for origin in self.origins:
            depths.append(0 if origin is None else depths[origin[0]] + 1)
        return max(depths)

    def transitions(self) -> int:
        """How many moves there are between the states."""
        return sum(len(arrivals) for arrivals in self.arrivals)


def explore(layout: Layout, moves: Sequence[Move], breaches: Sequence[Sequence[Guard]] = ()) -> Exploration:
    """Visits every state; or stops at the first misstep or state that meets one of the `breaches`, if any."""
    found = Exploration(layout, moves)
    numbers: dict[State, int] = {}
    waiting: deque[int] = deque()

    def number_of(state: State, origin: tuple[int, Move] | None) -> int:
        number = numbers.setdefault(state, len(numbers))
        if number == len(found.states):
            found.states.append(state)
            found.origins.append(origin)
            found.arrivals.append([])
            waiting.append(number)
        return number

    for start in layout.starts():
        number_of(start, None)
    by_first = _by_first_part(layout, moves)
    while waiting:
        number = waiting.popleft()
        state = found.states[number]
        if breaches and (found.missteps or any(meets(state, guards) for guards in breaches)):
            break
        for move, after in _successors(found, number, by_first[state[0]]):
            target = number_of(after, (number, move))
            found.arrivals[target].append((number, move))
    return found


def _by_first_part(layout: Layout, moves: Sequence[Move]) -> Sequence[Sequence[Move]]:
    """For each value of the first part the moves that it does not rule out: most steps ask for it."""

    def rules_out(move: Move, value: int) -> bool:
        return any(place == 0 and not mask >> value & 1 for place, mask in move.guards)

    values = range(len(layout.parts[0].values))
    return [[move for move in moves if not rules_out(move, value)] for value in values]


def _successors(found: Exploration, number: int, moves: Sequence[Move]) -> Iterator[tuple[Move, State]]:
    for move in moves:
        try:
            taken = move.take(found.states[number])
        except Unlawful as fault:
            misstep = Misstep(number, move, fault.change)
            found.missteps.setdefault((move.step.name, fault.change), misstep)
            continue
        if taken is not None:
            after, changes = taken
            if changes:
                found.transactions[move.step.name, tuple(changes)] = None
            yield move, after
