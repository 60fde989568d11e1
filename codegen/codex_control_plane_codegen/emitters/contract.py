"""Emits `contract.py`: what the server calls itself and the words of the contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from codex_control_plane_codegen.facts import Facts
from codex_control_plane_codegen.model import Finding, Meaning, Repair
from codex_control_plane_codegen.output import CONTRACT_PACKAGE, Output
from codex_control_plane_codegen.python_source import Call, Expression
from codex_control_plane_codegen.templating import render


def emit(facts: Facts) -> Iterator[Output]:
    """`contract.py`, if the spec has a contract."""
    contract = facts.model.contract
    if contract is None:
        return
    text = render(
        "contract.py",
        sources=[document.path for document in facts.compiled],
        contract=contract,
        contract_hash=facts.contract_hash,
        next_actions=_meanings(contract.next_actions),
        queue_reasons=_meanings(contract.queue_reasons),
        findings={finding.id: _finding(finding) for finding in facts.model.findings},
        repairs={repair.action: _repair(repair) for repair in facts.model.repairs},
    )
    yield Output(CONTRACT_PACKAGE / "contract.py", text)


def _meanings(words: Sequence[Meaning]) -> Expression:
    return {word.name: word.means for word in words}


def _finding(finding: Finding) -> Call:
    named = {
        "severity": finding.severity,
        "means": finding.means,
        "recommended_action": finding.recommended_action,
    }
    return Call("Finding", (), named)


def _repair(repair: Repair) -> Call:
    named: Mapping[str, Expression] = {
        "means": repair.means,
        "scope": repair.scope,
        "attempts": repair.attempts,
        "window_seconds": repair.window_seconds,
    }
    return Call("Repair", (), named)
