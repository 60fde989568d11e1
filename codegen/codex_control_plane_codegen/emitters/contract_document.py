"""Emits `contract.json`: everything that somebody may rely on, for readers that speak no Python.

`codegen diff` compares two of these documents. A key keeps its meaning; `formatVersion` grows if not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from codex_control_plane_codegen.emitters.json_files import json_output
from codex_control_plane_codegen.emitters.stored_rows import lifecycle_of, record_of, shapes_of
from codex_control_plane_codegen.emitters.tools import View
from codex_control_plane_codegen.facts import Facts, digest
from codex_control_plane_codegen.model import (
    Codex,
    CodexField,
    Configuration,
    Contract,
    JsonObject,
    JsonValue,
)
from codex_control_plane_codegen.output import CONTRACT_PACKAGE, Output
from codex_control_plane_codegen.python_names import public_names
from codex_control_plane_codegen.shapes import Shapes

FORMAT_VERSION: Final = 1
"""Which keys `contract.json` has and what they mean."""

CONTRACT_DOCUMENT: Final = CONTRACT_PACKAGE / "contract.json"
"""The file, relative to the root."""


def emit_contract(facts: Facts, outputs: Sequence[Output]) -> Iterator[Output]:
    """`contract.json`, if the spec has a contract; `outputs` are the emitted files, whose names it lists."""
    if facts.model.contract is not None:
        yield json_output(CONTRACT_DOCUMENT.name, contract_document(facts, outputs))


def contract_document(facts: Facts, outputs: Sequence[Output]) -> JsonObject:
    """The whole document; empty without a contract."""
    contract = facts.model.contract
    if contract is None:
        return {}
    return {
        **_head(facts, contract, outputs),
        **_words(facts, contract),
        "lifecycles": {
            name: lifecycle_of(each, facts.follows(name)) for name, each in facts.lifecycles.items()
        },
        "records": {record.name: record_of(record) for record in facts.model.records},
        "storedShapes": shapes_of(facts),
        "settings": _settings(facts.model.configuration),
        "codex": _codex(facts.model.codex),
        "python": public_names(outputs),
    }


def _head(facts: Facts, contract: Contract, outputs: Sequence[Output]) -> JsonObject:
    schema = next((output.text for output in outputs if output.path.name == "schema.sql"), "")
    return {
        "formatVersion": FORMAT_VERSION,
        "name": contract.name,
        "title": contract.title,
        "contractVersion": contract.version,
        "contractHash": facts.contract_hash,
        "schemaHash": digest(schema),
        "instructions": contract.instructions,
        "tools": [_tool(View(Shapes(facts), tool)) for tool in facts.tools],
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


def _words(facts: Facts, contract: Contract) -> JsonObject:
    return {
        "errors": {
            error.code: {"retryable": error.retryable, "when": error.when, "next": error.next}
            for error in facts.model.errors
        },
        "findings": {
            finding.id: {
                "severity": finding.severity,
                "means": finding.means,
                "recommendedAction": finding.recommended_action,
            }
            for finding in facts.model.findings
        },
        "nextActions": {word.name: word.means for word in contract.next_actions},
        "queueReasons": {word.name: word.means for word in contract.queue_reasons},
    }


def _settings(configuration: Configuration | None) -> JsonObject:
    if configuration is None:
        return {"fileVariables": [], "variables": {}}
    return {
        "fileVariables": list(configuration.file_variables),
        "variables": {
            setting.variable: {
                "name": setting.name,
                "type": setting.type,
                "optional": setting.optional,
                "values": list(setting.values),
                "minimum": setting.minimum,
                "maximum": setting.maximum,
                "default": list(setting.default) if isinstance(setting.default, tuple) else setting.default,
            }
            for setting in configuration.settings
        },
    }


def _codex(codex: Codex | None) -> JsonObject:
    if codex is None:
        return {}
    return {
        "minimumVersion": codex.minimum_version,
        "testedVersion": codex.tested_version,
        "configuration": {override.name: override.value for override in codex.configuration},
        "prompts": {prompt.name: prompt.text for prompt in codex.prompts},
        "methods": {
            method.name: {"params": _fields(method.params), "result": _fields(method.result)}
            for method in codex.methods
        },
        "notifications": {each.name: {"params": _fields(each.params)} for each in codex.notifications},
        "serverRequests": {
            each.name: {"kind": each.kind, "params": _fields(each.params)} for each in codex.server_requests
        },
        "refusedRequests": [word.name for word in codex.refused_requests],
        "shapes": {shape.name: _fields(shape.fields) for shape in codex.shapes},
    }


def _fields(fields: Sequence[CodexField]) -> JsonObject:
    """Field → type as the spec writes it: ``[]`` a list, ``!`` required."""
    return {
        field.name: f"{field.type}{'[]' if field.many else ''}{'!' if field.required else ''}"
        for field in fields
    }
