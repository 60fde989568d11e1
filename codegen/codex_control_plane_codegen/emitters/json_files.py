"""Emits `schemas/`: what each tool takes and answers, as JSON files."""

from __future__ import annotations

import json
from collections.abc import Iterator

from codex_control_plane_codegen.emitters.tools import View
from codex_control_plane_codegen.facts import Facts
from codex_control_plane_codegen.model import JsonObject
from codex_control_plane_codegen.output import CONTRACT_PACKAGE, Output
from codex_control_plane_codegen.shapes import Shapes


def emit(facts: Facts) -> Iterator[Output]:
    """`schemas/<tool>.{input,output}.json`."""
    for tool in facts.tools:
        view = View(Shapes(facts), tool)
        yield json_output(f"schemas/{tool.name}.input.json", view.input)
        yield json_output(f"schemas/{tool.name}.output.json", view.output)


def json_output(name: str, value: JsonObject) -> Output:
    """The value as a file of the emitted package, as people read it."""
    return Output(CONTRACT_PACKAGE / name, json.dumps(value, indent=2, ensure_ascii=False) + "\n")
