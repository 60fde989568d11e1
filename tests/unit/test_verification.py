"""The model checker: what it explores, what it finds, and how it tells of it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from codex_control_plane_codegen.analysis import analyse
from codex_control_plane_codegen.cli import main
from codex_control_plane_codegen.facts import Facts
from codex_control_plane_codegen.model import Composition, Condition, Lifecycle, Model
from codex_control_plane_codegen.verification.choices import ChoiceError, chosen_limits, chosen_views
from codex_control_plane_codegen.verification.mutants import Mutant, try_mutant
from codex_control_plane_codegen.verification.report import as_text
from codex_control_plane_codegen.verification.verification import Verification, verify

REPOSITORY = Path(__file__).parents[2]


def rewrite(root: Path, old: str, new: str) -> None:
    """Replaces a text that the composition of the base spec holds once."""
    path = root / "spec" / "composition.yaml"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def explored(root: Path) -> Verification:
    """The verification of a spec that is sound."""
    analysis = analyse(root)
    assert analysis.diagnostics == []
    composition = analysis.model.composition
    assert composition is not None
    return verify(Facts(analysis.model), composition, composition.views, {})


def told(root: Path) -> str:
    """The report, without the line of figures that differs in time."""
    lines = as_text(explored(root)).splitlines()
    return "\n".join(line for line in lines if " states, " not in line)


def test_every_state_is_counted_once(spec_root: Path) -> None:
    """No state is visited twice, and in the base spec every promise holds."""
    (survey,) = explored(spec_root).surveys

    assert len(set(survey.found.states)) == len(survey.found.states)
    assert survey.sound


def test_a_broken_promise_is_told_by_the_shortest_way(spec_root: Path) -> None:
    """One line for each step, with who takes it, what it means, and what it changes."""
    rewrite(spec_root, "never: {job: running, order: absent}", "never: {job: running, order: asked}")

    assert told(spec_root).split("✗ ")[1].split("\n  ✓")[0] == (
        "nothing_runs_unordered         A job that runs has an order.\n"
        "      start   —\n"
        "        1. client   submit: A client wants it.\n"
        "           job.submit absent → queued\n"
        "        2. operator come: A worker comes.\n"
        "           worker gone → alive\n"
        "        3. worker   start: The worker begins.\n"
        "           job.start queued → running; order.ask absent → asked"
    )


def test_an_event_that_its_lifecycle_does_not_allow_is_found(spec_root: Path) -> None:
    """A step that raises what is no transition there is shown with the way to it."""
    rewrite(spec_root, "when: {worker: alive, job: running}, then", "when: {worker: alive, job: open}, then")

    assert "✗ finish                         The step raises job.finish in queued" in told(spec_root)


def test_an_end_that_only_the_client_or_a_fault_brings_about_is_none(spec_root: Path) -> None:
    """A promise that something is reached counts on nobody who may stay away."""
    rewrite(spec_root, "finish: {actor: worker", "finish: {actor: fault")

    assert "✗ every_job_ends" in told(spec_root)


def test_a_step_may_be_left_out_of_what_a_promise_counts_on(spec_root: Path) -> None:
    """`without` names a step that must not be needed."""
    rewrite(spec_root, "without: [rest]", "without: [come]")

    assert "✗ every_job_ends" in told(spec_root)


def test_a_bound_is_spent(spec_root: Path) -> None:
    """A step that spends a bound cannot be taken more often than the bound says."""
    analysis = analyse(spec_root)
    composition = analysis.model.composition
    assert composition is not None

    def states(limit: int) -> int:
        verification = verify(Facts(analysis.model), composition, composition.views, {"rests": limit})
        return len(verification.surveys[0].found.states)

    assert states(0) < states(1) < states(2)


def test_transitions_that_no_step_takes_are_named(spec_root: Path) -> None:
    """What the composition leaves out of a lifecycle is said, not silently passed over."""
    rewrite(
        spec_root,
        "      - {raise: order.complete, if: {order: asked}}",
        "      - {raise: order.complete, if: {order: absent}}",
    )

    assert explored(spec_root).idle == ("worker_command: complete from asked",)


def test_the_command_line_fails_on_a_broken_promise(
    spec_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1, and as JSON the trace as a list of steps."""
    rewrite(spec_root, "never: {job: running, order: absent}", "never: {job: running}")

    assert main(["verify", "--root", str(spec_root), "--format", "json"]) == 1
    view = json.loads(capsys.readouterr().out)["views"][0]
    broken = next(promise for promise in view["promises"] if not promise["holds"])
    assert [step["step"] for step in broken["trace"]] == ["submit", "come", "start"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--view", "al"], "there is no view al; did you mean all?"),
        (["--bound", "rest=1"], "there is no bound rest; did you mean rests?"),
        (["--bound", "rests"], "the limit is a number from 0 to 9, like --bound rests=1"),
    ],
)
def test_a_choice_that_does_not_exist_is_a_wrong_call(
    arguments: list[str], message: str, spec_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and what was probably meant."""
    assert main(["verify", "--root", str(spec_root), *arguments]) == 2
    assert message in capsys.readouterr().err


@pytest.fixture(scope="module")
def spec() -> Model:
    """The spec of this repository."""
    return analyse(REPOSITORY).model


def composition_of(model: Model) -> Composition:
    """Its composition."""
    assert model.composition is not None
    return model.composition


def test_every_promise_of_this_server_holds(spec: Model) -> None:
    """In every view that CI explores."""
    composition = composition_of(spec)

    assert verify(Facts(spec), composition, chosen_views(composition, []), {}).sound


def test_a_worker_that_stalled_must_be_ended_by_its_successor(spec: Model) -> None:
    """Else it goes on where it was stopped, and writes the prompt a second time."""
    composition = composition_of(spec)
    steps = tuple(
        replace(each, sets=tuple(one for one in each.sets if one.surrounding != "stalled"))
        if each.name == "start_worker"
        else each
        for each in composition.steps
    )
    lenient = replace(composition, steps=steps)

    (survey,) = verify(Facts(spec), lenient, chosen_views(lenient, ["stopping"]), {}).surveys
    broken = {verdict.promise.name for verdict in survey.verdicts if verdict.broken_by is not None}
    assert {"prompt_runs_once", "turn_is_never_steered"} <= broken


def test_limits_are_small_numbers(spec: Model) -> None:
    """A limit that would never end is refused."""
    with pytest.raises(ChoiceError, match="from 0 to 9"):
        chosen_limits(composition_of(spec), ["stalls=10"])


@pytest.mark.parametrize(
    ("step", "part", "evidence"),
    [
        ("miss_prompt", "codex_turn", "queue_holds_no_turn"),
        ("miss_prompt", "wire", "queue_holds_no_turn"),
        ("hear_completed", "codex_turn", "completed_is_true"),
        ("cancel", "continues", "cancelled_means_never_received"),
        ("carry_on", "question", "every_task_ends"),
    ],
)
def test_a_guard_that_is_dropped_is_missed(spec: Model, step: str, part: str, evidence: str) -> None:
    """A step of the real composition that no longer asks breaks the promise that it was there for."""
    composition = composition_of(spec)

    def without_guard(condition: Condition) -> Condition:
        return replace(condition, allowed={k: v for k, v in condition.allowed.items() if k != part})

    steps = tuple(
        replace(each, when=without_guard(each.when)) if each.name == step else each
        for each in composition.steps
    )
    broken = replace(spec, composition=replace(composition, steps=steps))

    trial = try_mutant(Mutant("guard dropped", step, broken), chosen_views(composition, []))
    assert (trial.found_by, trial.evidence) == ("verify", evidence)


def without_edge(lifecycle: Lifecycle, source: str, name: str) -> Lifecycle:
    """The lifecycle with one transition made illegal."""
    edges = [edge for edge in lifecycle.transitions if (edge.source, edge.event) != (source, name)]
    events = [
        replace(event, illegal=(*event.illegal, source)) if event.name == name else event
        for event in lifecycle.events
    ]
    return replace(lifecycle, transitions=tuple(edges), events=tuple(events))


def test_an_edge_that_is_removed_is_missed(spec: Model) -> None:
    """Without a way back to the queue from starting_turn a step raises what is no transition."""
    lifecycles = tuple(
        without_edge(each, "starting_turn", "requeue") if each.name == "operation" else each
        for each in spec.lifecycles
    )
    views = chosen_views(composition_of(spec), [])

    trial = try_mutant(Mutant("edge removed", "requeue", replace(spec, lifecycles=lifecycles)), views)
    assert trial.found_by == "verify"
    assert trial.evidence.startswith("step ")
