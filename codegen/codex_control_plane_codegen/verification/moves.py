"""Moves: what each step of the composition does to a state.

A step raises its events in order, as one transaction; the lifecycle of the row says where each leads. An
event that is no transition of its row then is a fault of the step: the runtime could not raise it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from codex_control_plane_codegen.facts import Facts, LifecycleFacts
from codex_control_plane_codegen.model import ComposedRow, Composition, Raise, Rewrite, Step
from codex_control_plane_codegen.reading.composition import ANY
from codex_control_plane_codegen.verification.layout import ABSENT, Guard, Layout, State, meets

NOWHERE: Final = 255
"""In a table of targets: the event is no transition of a row in this state."""


@dataclass(frozen=True, slots=True)
class Change:
    """One event of a row in a transaction: where it led from and to, as the row's part of a state."""

    row: str
    event: str
    source: int
    target: int


class Unlawful(Exception):
    """A step raises an event that is no transition of its row; `change` has the source for a target."""

    def __init__(self, change: Change) -> None:
        super().__init__(f"{change.row}.{change.event}")
        self.change = change


@dataclass(frozen=True, slots=True)
class Action:
    """An event as it acts on a state: raised where the guards pass, leading from each state of its row."""

    row: str
    event: str
    place: int
    guards: Sequence[Guard]
    targets: bytes
    kept: bytes
    """What is kept of the target, see `forgetting`."""


@dataclass(frozen=True, slots=True)
class Move:
    """A step as it acts on a state."""

    step: Step
    guards: Sequence[Guard]
    actions: Sequence[Action]
    rewrites: Sequence[tuple[int, bytes]]
    spends: int | None

    def take(self, state: State) -> tuple[State, Sequence[Change]] | None:
        """The state behind the step and the changes of its transaction; None where it cannot be taken.

        Raises Unlawful.
        """
        for place, mask in self.guards:
            if not mask >> state[place] & 1:
                return None
        after = bytearray(state)
        changes: list[Change] = []
        for action in self.actions:
            if meets(after, action.guards):
                source = after[action.place]
                target = action.targets[source]
                if target == NOWHERE:
                    raise Unlawful(Change(action.row, action.event, source, source))
                after[action.place] = action.kept[source]
                changes.append(Change(action.row, action.event, source, target))
        for place, values in self.rewrites:
            after[place] = values[after[place]]
        if self.spends is not None:
            after[self.spends] -= 1
        return bytes(after), changes


def moves_of(facts: Facts, composition: Composition, layout: Layout) -> Sequence[Move]:
    """Every step of the composition as a move, in order."""
    compiler = _Compiler(facts, composition, layout)
    return [compiler.move(step) for step in composition.steps]


class _Compiler:
    """Turns the words of steps into places and tables."""

    def __init__(self, facts: Facts, composition: Composition, layout: Layout) -> None:
        self._layout = layout
        self._rows: Mapping[str, ComposedRow] = {row.name: row for row in composition.rows}
        self._lifecycles = {row.name: facts.lifecycles[row.lifecycle] for row in composition.rows}
        self._decisions = {decision.name: decision.then for decision in composition.decisions}

    def move(self, step: Step) -> Move:
        guards = [*self._layout.guards(step.when)]
        spends = None if step.spends is None else self._layout.places[step.spends]
        if spends is not None:
            guards.append((spends, self._layout.parts[spends].mask(["left"])))
        return Move(
            step,
            guards,
            [action for raised in self._raises(step) for action in self._actions(raised)],
            [self._rewrite(rewrite) for rewrite in step.sets],
            spends,
        )

    def _raises(self, step: Step) -> Iterator[Raise]:
        for part in step.then:
            yield from (part,) if isinstance(part, Raise) else self._decisions[part.decision]

    def _actions(self, raised: Raise) -> Iterator[Action]:
        """The event, and the orders that come with it; one that is open is not given twice."""
        guards = self._layout.guards(raised.condition)
        yield self._action(raised.row, raised.event, guards)
        lifecycle = self._lifecycles[raised.row]
        event = lifecycle.events.get(raised.event) or lifecycle.creations[raised.event]
        for command in event.emits:
            for name, row in self._rows.items():
                if row.where.get("command_type") == command:
                    orders = self._lifecycles[name]
                    place = self._layout.places[name]
                    closed = (place, self._layout.parts[place].mask([ABSENT, *orders.terminal]))
                    yield self._action(name, next(iter(orders.creations)), [*guards, closed])

    def _action(self, row: str, event: str, guards: Sequence[Guard]) -> Action:
        place = self._layout.places[row]
        targets = _targets(self._lifecycles[row], event)
        return Action(row, event, place, guards, targets, targets)

    def _rewrite(self, rewrite: Rewrite) -> tuple[int, bytes]:
        place = self._layout.places[rewrite.surrounding]
        values = self._layout.parts[place].values
        targets = [rewrite.values.get(value, rewrite.values.get(ANY, value)) for value in values]
        return place, bytes(values.index(target) for target in targets)


def _targets(lifecycle: LifecycleFacts, event: str) -> bytes:
    """Where the event leads from each value of a row; a new row may take the place of one that has ended."""
    values = (ABSENT, *lifecycle.states)
    creation = lifecycle.creations.get(event)
    if creation is not None:
        free = {ABSENT, *lifecycle.terminal}
        created = values.index(creation.creates or "")
        return bytes(created if value in free else NOWHERE for value in values)
    targets = [lifecycle.targets.get((value, event)) for value in values]
    return bytes(NOWHERE if target is None else values.index(target) for target in targets)
