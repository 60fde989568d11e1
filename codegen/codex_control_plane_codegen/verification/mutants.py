"""Mutants: the spec with one defect each, to see which defects the checks and the exploration find.

A mutant that survives is either equivalent (nothing observable follows from it), or a gap: a promise that
nobody has written down, or an edge that no step takes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal, TypeAlias

from codex_control_plane_codegen.checks import CHECKS, COMPOSITION_CHECKS
from codex_control_plane_codegen.checks.subject import Subject
from codex_control_plane_codegen.facts import Facts
from codex_control_plane_codegen.model import Composition, Decide, Lifecycle, Model, Step, View
from codex_control_plane_codegen.verification.exploration import explore
from codex_control_plane_codegen.verification.verdicts import judge
from codex_control_plane_codegen.verification.verification import prepare

Finder: TypeAlias = Literal["check", "verify", "nobody"]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A spec with one defect."""

    kind: str
    defect: str
    model: Model


@dataclass(frozen=True, slots=True)
class Trial:
    """Who found the defect of a mutant, and by which code, promise or step."""

    kind: str
    defect: str
    found_by: Finder
    evidence: str

    @property
    def killed(self) -> bool:
        """Whether anybody did."""
        return self.found_by != "nobody"


def try_mutants(facts: Facts, views: Sequence[View], every: int) -> Iterator[Trial]:
    """Checks and verifies the first of each `every` mutants of the spec in these views."""
    for mutant in islice(mutants(facts.model), 0, None, every):
        yield try_mutant(mutant, views)


def try_mutant(mutant: Mutant, views: Sequence[View]) -> Trial:
    """Checks the mutant and, if that finds nothing, explores it."""
    facts = Facts(mutant.model)
    subject = Subject(facts, frozenset())
    for check in (*CHECKS, *COMPOSITION_CHECKS):
        for finding in check(subject):
            return Trial(mutant.kind, mutant.defect, "check", finding.code)
    composition = mutant.model.composition
    assert composition is not None, "there are no mutants without a composition"
    for view in views:
        evidence = _evidence(facts, composition, view)
        if evidence is not None:
            return Trial(mutant.kind, mutant.defect, "verify", evidence)
    return Trial(mutant.kind, mutant.defect, "nobody", "")


def _evidence(facts: Facts, composition: Composition, view: View) -> str | None:
    """The first misstep or broken promise of a view, or None; what must never be is looked for on the way."""
    layout, moves = prepare(facts, composition, view, {})
    breaches = [layout.guards(each.never) for each in composition.promises if each.never is not None]
    found = explore(layout, moves, breaches)
    for misstep in found.missteps.values():
        return f"step {misstep.move.step.name}"
    verdicts = judge(found, composition.promises)
    return next((verdict.promise.name for verdict in verdicts if verdict.broken_by is not None), None)


def mutants(model: Model) -> Iterator[Mutant]:
    """Every mutant: edges, cells and unique rules of the followed lifecycles, then the steps."""
    composition = model.composition
    if composition is None:
        return
    followed = {row.lifecycle for row in composition.rows}
    for lifecycle in model.lifecycles:
        if lifecycle.name in followed:
            for kind, defect, other in _of_lifecycle(lifecycle):
                lifecycles = tuple(other if each is lifecycle else each for each in model.lifecycles)
                yield Mutant(kind, f"{lifecycle.name}: {defect}", replace(model, lifecycles=lifecycles))
    for step in composition.steps:
        for kind, defect, changed in _of_step(step):
            steps = tuple(changed if each is step else each for each in composition.steps)
            mutated = replace(composition, steps=steps)
            yield Mutant(kind, f"{step.name}: {defect}", replace(model, composition=mutated))


def _of_lifecycle(lifecycle: Lifecycle) -> Iterator[tuple[str, str, Lifecycle]]:
    for index, edge in enumerate(lifecycle.transitions):
        rest = (*lifecycle.transitions[:index], *lifecycle.transitions[index + 1 :])
        illegal = tuple(
            replace(event, illegal=(*event.illegal, edge.source)) if event.name == edge.event else event
            for event in lifecycle.events
        )
        removed = replace(lifecycle, transitions=rest, events=illegal)
        yield "edge removed", f"{edge.event} from {edge.source} is illegal", removed
        others = [state.name for state in lifecycle.states if state.name not in (edge.source, edge.target)]
        elsewhere = replace(edge, target=others[index % len(others)])
        edges = (*lifecycle.transitions[:index], elsewhere, *lifecycle.transitions[index + 1 :])
        retargeted = replace(lifecycle, transitions=edges)
        yield "edge retargeted", f"{edge.event} from {edge.source} leads to {elsewhere.target}", retargeted
    for index, rule in enumerate(lifecycle.unique):
        for state in rule.states:
            narrower = replace(rule, states=tuple(each for each in rule.states if each != state))
            rules = (*lifecycle.unique[:index], narrower, *lifecycle.unique[index + 1 :])
            defect = f"{', '.join(rule.columns)} may occur twice while {state}"
            yield "rule narrowed", defect, replace(lifecycle, unique=rules)
    for event in lifecycle.events:
        for order in event.emits:
            silent = tuple(replace(each, emits=()) if each is event else each for each in lifecycle.events)
            yield "order dropped", f"{event.name} does not emit {order}", replace(lifecycle, events=silent)


def _of_step(step: Step) -> Iterator[tuple[str, str, Step]]:
    for name in step.when.allowed:
        allowed = {each: words for each, words in step.when.allowed.items() if each != name}
        loose = replace(step, when=replace(step.when, allowed=allowed))
        yield "guard dropped", f"whatever {name} is", loose
    for index, part in enumerate(step.then):
        rest = (*step.then[:index], *step.then[index + 1 :])
        name = part.decision if isinstance(part, Decide) else f"{part.row}.{part.event}"
        yield "event dropped", f"without {name}", replace(step, then=rest)
    for index, rewrite in enumerate(step.sets):
        kept = (*step.sets[:index], *step.sets[index + 1 :])
        yield "effect dropped", f"leaves {rewrite.surrounding} as it is", replace(step, sets=kept)


def trials_as_text(trials: Sequence[Trial]) -> str:
    """The rate of each kind, and the mutants that survive."""
    lines = [_rate("all", trials)]
    lines += [
        _rate(kind, [trial for trial in trials if trial.kind == kind])
        for kind in dict.fromkeys(trial.kind for trial in trials)
    ]
    survivors = [trial for trial in trials if not trial.killed]
    lines += ["", f"{len(survivors)} survive:"] if survivors else []
    lines += [f"  {trial.kind:16} {trial.defect}" for trial in survivors]
    return "\n".join([*lines, ""])


def _rate(name: str, trials: Sequence[Trial]) -> str:
    killed = sum(trial.killed for trial in trials)
    by_check = sum(trial.found_by == "check" for trial in trials)
    share = f"{killed / len(trials):.0%}"
    return f"{name:16} {killed:4} of {len(trials):4} found ({share}), {by_check} by check alone"


def trials_as_json(trials: Sequence[Trial]) -> dict[str, object]:
    """The trials as values for JSON."""
    return {
        "mutants": len(trials),
        "killed": sum(trial.killed for trial in trials),
        "trials": [
            {"kind": each.kind, "defect": each.defect, "foundBy": each.found_by, "evidence": each.evidence}
            for each in trials
        ],
    }
