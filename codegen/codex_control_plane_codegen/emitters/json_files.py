"""Emits the JSON files: the schemas of each tool, and `contract.json` for readers that speak no Python."""

from __future__ import annotations

import json
from collections.abc import Iterator

from codex_control_plane_codegen.emitters.tools import View
from codex_control_plane_codegen.facts import Facts, LifecycleFacts
from codex_control_plane_codegen.model import JsonObject, JsonValue
from codex_control_plane_codegen.output import CONTRACT_PACKAGE, Output
from codex_control_plane_codegen.shapes import Shapes


def emit(facts: Facts) -> Iterator[Output]:
    """`schemas/<tool>.{input,output}.json` and, if there is a contract, `contract.json`."""
    views = [View(Shapes(facts), tool) for tool in facts.tools]
    for view in views:
        yield _output(f"schemas/{view.tool.name}.input.json", view.input)
        yield _output(f"schemas/{view.tool.name}.output.json", view.output)
    if facts.model.contract is not None:
        yield _output("contract.json", _contract(facts, views))


def _output(name: str, value: JsonObject) -> Output:
    return Output(CONTRACT_PACKAGE / name, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _contract(facts: Facts, views: list[View]) -> JsonObject:
    contract = facts.model.contract
    if contract is None:
        return {}
    return {
        "name": contract.name,
        "title": contract.title,
        "contractVersion": contract.version,
        "contractHash": facts.contract_hash,
        "instructions": contract.instructions,
        "tools": [_tool(view) for view in views],
        "errors": {
            error.code: {"retryable": error.retryable, "when": error.when, "next": error.next}
            for error in facts.model.errors
        },
        "nextActions": {word.name: word.means for word in contract.next_actions},
        "queueReasons": {word.name: word.means for word in contract.queue_reasons},
        "lifecycles": {name: _lifecycle(each) for name, each in facts.lifecycles.items()},
    }


def _tool(view: View) -> JsonValue:
    tool = view.tool
    return {
        **view.surface,
        "group": tool.group,
        "role": tool.role,
        "passive": tool.passive,
        "idempotency": tool.idempotency,
        "errors": list(tool.errors),
        "nextTools": list(tool.next_tools),
    }


def _lifecycle(facts: LifecycleFacts) -> JsonValue:
    states: JsonObject = {
        state.name: {
            "means": state.means,
            "status": facts.status(state.name),
            "terminal": state.final,
            "waitsFor": state.waits_for,
            "nextAction": state.next_action,
            "pollAfterSeconds": state.poll_after_seconds,
        }
        for state in facts.lifecycle.states
    }
    edges: list[JsonValue] = [
        {"source": source, "event": event, "target": target}
        for (source, event), target in facts.targets.items()
    ]
    creations: list[JsonValue] = [
        {"source": None, "event": name, "target": event.creates} for name, event in facts.creations.items()
    ]
    return {"means": facts.lifecycle.means, "states": states, "transitions": creations + edges}
