"""A verification as people and as programs read it."""

from collections.abc import Iterator, Sequence

from codex_control_plane_codegen.verification.exploration import Exploration, Misstep
from codex_control_plane_codegen.verification.layout import State
from codex_control_plane_codegen.verification.moves import Change, Move
from codex_control_plane_codegen.verification.verification import Survey, Verification


def as_text(verification: Verification) -> str:
    """The figures of every view, every promise, and the shortest way to each breach."""
    blocks = [*_head(verification)]
    for survey in verification.surveys:
        blocks.extend(_survey(survey))
    blocks.extend(_idle(verification))
    return "\n".join([*blocks, ""])


def _head(verification: Verification) -> Iterator[str]:
    bounds = ", ".join(f"{name} {limit}" for name, limit in verification.limits.items()) or "none"
    yield verification.composition.means
    yield f"Bounds: {bounds}. Faults: any of them, at any time, any number of times."


def _survey(survey: Survey) -> Iterator[str]:
    found = survey.found
    yield ""
    yield (
        f"{survey.view.name}: {len(found.states):,} states, {found.transitions():,} transitions, "
        f"{found.depth()} steps deep, {survey.seconds:.1f} s. {survey.view.means}"
    )
    for verdict in survey.verdicts:
        mark = "✓" if verdict.broken_by is None else "✗"
        yield f"  {mark} {verdict.promise.name:30} {verdict.promise.means}"
        if verdict.broken_by is not None:
            yield from _trace(found, verdict.broken_by)
    for misstep in found.missteps.values():
        yield f"  ✗ {misstep.move.step.name:30} {_unlawful(found, misstep)}"
        yield from _trace(found, misstep.state)


def _unlawful(found: Exploration, misstep: Misstep) -> str:
    change = misstep.change
    state = _value(found, change.row, change.source)
    return f"The step raises {change.row}.{change.event} in {state}, where that is no transition."


def _trace(found: Exploration, number: int) -> Iterator[str]:
    """One line for each step of the shortest way, with what it changes."""
    way = found.way_to(number)
    first = found.states[way[0][0] if way else number]
    yield f"      start   {_start(found, first)}"
    for index, (before, move) in enumerate(way, 1):
        after = found.states[way[index][0] if index < len(way) else number]
        yield f"      {index:3}. {move.step.actor:8} {move.step.name}: {move.step.means}"
        changed = _changed(found, before, move, after)
        if changed:
            yield f"           {'; '.join(changed)}"


def _start(found: Exploration, state: State) -> str:
    """What is not the same in every start."""
    varying = [part.name for part in found.layout.parts if len(part.starts) > 1]
    return (
        ", ".join(f"{name} {found.layout.value(state, found.layout.places[name])}" for name in varying) or "—"
    )


def _changed(found: Exploration, number: int, move: Move, after: State) -> Sequence[str]:
    """The events of the transaction, and what it made of the surroundings."""
    before = found.states[number]
    taken = move.take(before)
    assert taken is not None, "the way was taken"
    events = [_change(found, change) for change in taken[1]]
    raised = {change.row for change in taken[1]}
    parts = enumerate(found.layout.parts)
    others = [
        f"{part.name} {part.values[before[place]]} → {part.values[after[place]]}"
        for place, part in parts
        if part.name not in raised and before[place] != after[place]
    ]
    return [*events, *others]


def _change(found: Exploration, change: Change) -> str:
    source, target = _value(found, change.row, change.source), _value(found, change.row, change.target)
    return f"{change.row}.{change.event} {source} → {target}"


def _value(found: Exploration, row: str, value: int) -> str:
    return found.layout.parts[found.layout.places[row]].values[value]


def _idle(verification: Verification) -> Iterator[str]:
    if verification.idle:
        yield ""
        yield f"{len(verification.idle)} transitions of the lifecycles are taken by no step in these views:"
        yield from (f"  {edge}" for edge in verification.idle)


def as_json(verification: Verification) -> dict[str, object]:
    """The same as values for JSON; a trace is a list of steps with their changes."""
    return {
        "sound": verification.sound,
        "bounds": dict(verification.limits),
        "views": [_survey_as_json(survey) for survey in verification.surveys],
        "idle": list(verification.idle),
    }


def _survey_as_json(survey: Survey) -> dict[str, object]:
    found = survey.found
    return {
        "name": survey.view.name,
        "states": len(found.states),
        "transitions": found.transitions(),
        "depth": found.depth(),
        "seconds": round(survey.seconds, 3),
        "promises": [
            {
                "name": verdict.promise.name,
                "holds": verdict.broken_by is None,
                "trace": [] if verdict.broken_by is None else _trace_as_json(found, verdict.broken_by),
            }
            for verdict in survey.verdicts
        ],
        "missteps": [
            {
                "step": misstep.move.step.name,
                "message": _unlawful(found, misstep),
                "trace": _trace_as_json(found, misstep.state),
            }
            for misstep in found.missteps.values()
        ],
    }


def _trace_as_json(found: Exploration, number: int) -> list[dict[str, object]]:
    way = found.way_to(number)
    states = [found.states[before] for before, _ in way[1:]] + [found.states[number]]
    return [
        {
            "step": move.step.name,
            "actor": move.step.actor,
            "means": move.step.means,
            "changes": list(_changed(found, before, move, after)),
        }
        for (before, move), after in zip(way, states, strict=True)
    ]
