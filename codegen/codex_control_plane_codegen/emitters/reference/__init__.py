"""Emits `docs/reference/`: the pages that callers of the tools and operators of the server read."""

from collections.abc import Iterator

from codex_control_plane_codegen.emitters.reference import lifecycles, tools, words
from codex_control_plane_codegen.facts import Facts
from codex_control_plane_codegen.output import REFERENCE, Output
from codex_control_plane_codegen.templating import render


def emit(facts: Facts) -> Iterator[Output]:
    """Every page and the index of them; none without a contract, which says what they are about."""
    contract = facts.model.contract
    if contract is None:
        return
    sources = [contract.document.path, "spec/lifecycles", "spec/tools"]
    index = render("reference/index.md", contract=contract, facts=facts, sources=sources)
    yield Output(REFERENCE / "README.md", index)
    yield from tools.emit(facts)
    yield from lifecycles.emit(facts)
    yield from words.emit(facts)
