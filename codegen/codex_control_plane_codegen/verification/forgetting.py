"""Forgetting: values of a part that nothing in the composition tells apart are explored as one.

Whether an attempt that is over was refused or void, or was never made, changes nothing that can happen
afterwards unless some condition asks for it. Such values lead to the same values by the same moves, so a
state with one of them stands for the states with the others: the promises hold in all of them or in none. The
states of a row that is open are kept apart all the same, so that every transition that is taken is seen.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from codex_control_plane_codegen.verification.layout import Guard, Layout
from codex_control_plane_codegen.verification.moves import NOWHERE, Move


def forgetful(layout: Layout, moves: Sequence[Move], asked: Iterable[Guard]) -> Sequence[Move]:
    """The same moves, leaving of values that nobody tells apart the first; `asked` is what promises ask."""
    firsts = [_firsts(layout, moves, place, asked) for place in range(len(layout.parts))]

    def leave_first(place: int, targets: bytes) -> bytes:
        return bytes(target if target == NOWHERE else firsts[place][target] for target in targets)

    return [
        replace(
            move,
            actions=[replace(each, kept=leave_first(each.place, each.targets)) for each in move.actions],
            rewrites=[(place, leave_first(place, values)) for place, values in move.rewrites],
        )
        for move in moves
    ]


def _firsts(layout: Layout, moves: Sequence[Move], place: int, asked: Iterable[Guard]) -> Sequence[int]:
    """For each value of the part the first that it cannot be told from: the coarsest stable partition."""
    values = range(len(layout.parts[place].values))
    if any(move.spends == place for move in moves):
        return list(values)
    masks = [mask for at, mask in (*_guards(moves), *asked) if at == place]
    tables = list(dict.fromkeys(_tables(moves, place)))
    names, distinct = layout.parts[place].values, layout.parts[place].distinct
    firsts = _grouped(
        [
            names[value] if names[value] in distinct else tuple(mask >> value & 1 for mask in masks)
            for value in values
        ]
    )
    while True:
        leads = [
            tuple(NOWHERE if table[value] == NOWHERE else firsts[table[value]] for table in tables)
            for value in values
        ]
        finer = _grouped([(firsts[value], leads[value]) for value in values])
        if finer == firsts:
            return firsts
        firsts = finer


def _guards(moves: Sequence[Move]) -> Iterator[Guard]:
    for move in moves:
        yield from move.guards
        for action in move.actions:
            yield from action.guards


def _tables(moves: Sequence[Move], place: int) -> Iterator[bytes]:
    for move in moves:
        yield from (action.targets for action in move.actions if action.place == place)
        yield from (values for at, values in move.rewrites if at == place)


def _grouped(signatures: Sequence[object]) -> Sequence[int]:
    """For each signature the index of the first one that is equal."""
    return [signatures.index(signature) for signature in signatures]
