"""The closed lists of words that types refer to and that other documents than `spec/types` define."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from codex_control_plane_codegen.facts import Facts
from codex_control_plane_codegen.python_source import camel_case


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A list of words: its name as a type, what it is, its words and the document that has them."""

    name: str
    means: str
    words: tuple[str, ...]
    source: str


def vocabularies(facts: Facts) -> Mapping[str, Vocabulary]:
    """Every derived vocabulary by its name; one whose document is missing is absent."""
    return {vocabulary.name: vocabulary for vocabulary in _derived(facts) if vocabulary.words}


def _derived(facts: Facts) -> Iterator[Vocabulary]:
    for name, lifecycle in facts.lifecycles.items():
        means = f"The state of a row of `{name}`, as clients see it."
        source = lifecycle.lifecycle.document.path
        yield Vocabulary(f"{camel_case(name)}Status", means, lifecycle.statuses, source)
    model = facts.model
    if contract := model.contract:
        path = contract.document.path
        actions = tuple(word.name for word in contract.next_actions)
        yield Vocabulary("NextAction", "What to do next.", actions, path)
        reasons = tuple(word.name for word in contract.queue_reasons)
        yield Vocabulary("QueueReason", "Why a queued task waits.", reasons, path)
    for error in model.errors[:1]:
        codes = tuple(each.code for each in model.errors)
        yield Vocabulary("ErrorCode", "The code of an error.", codes, error.document.path)
    for finding in model.findings[:1]:
        ids = tuple(each.id for each in model.findings)
        yield Vocabulary("FindingId", "A finding of the health summary.", ids, finding.document.path)
    for repair in model.repairs[:1]:
        actions = tuple(each.action for each in model.repairs)
        yield Vocabulary("RepairAction", "A repair.", actions, repair.document.path)
    names = tuple(tool.name for tool in facts.tools)
    yield Vocabulary("ToolName", "A tool of this server.", names, "spec/tools")
