"""Computes every output of a spec, writes them, and tells which ones on disk are stale."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from codex_control_plane_codegen.emitters import EMITTERS
from codex_control_plane_codegen.emitters.contract_document import contract_document, emit_contract
from codex_control_plane_codegen.facts import Facts
from codex_control_plane_codegen.model import JsonObject, Model
from codex_control_plane_codegen.output import Output

Outputs: TypeAlias = Mapping[Path, bytes]


def compile_model(root: Path, model: Model) -> Outputs:
    """Every output of the model, by its absolute path.

    The spec must be free of faults; the checks come before.
    """
    facts = Facts(model)
    outputs = _emitted(facts)
    outputs.extend(emit_contract(facts, outputs))
    return {root.joinpath(output.path): output.text.encode() for output in outputs}


def contract(model: Model) -> JsonObject:
    """The contract document of the model, as `contract.json` holds it."""
    facts = Facts(model)
    return contract_document(facts, _emitted(facts))


def _emitted(facts: Facts) -> list[Output]:
    return [output for emit in EMITTERS for output in emit(facts)]


def write(outputs: Outputs) -> tuple[Path, ...]:
    """Writes what differs, removes what is left over, and returns the paths of both.

    A file that is equal already keeps its time stamp.
    """
    changed = [path for path, text in outputs.items() if _stored(path) != text]
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(outputs[path])
    left_over = _left_over(outputs)
    for path in left_over:
        path.unlink()
    return (*changed, *left_over)


def stale(outputs: Outputs) -> list[str]:
    """A unified diff, from what is stored to what should be, for each file that is not up to date."""
    wanted: dict[Path, bytes | None] = {**outputs, **dict.fromkeys(_left_over(outputs))}
    return [_diff(path, text) for path, text in wanted.items() if _stored(path) != text]


def _left_over(outputs: Outputs) -> list[Path]:
    """The files beside the outputs that an earlier spec led to."""
    directories = {path.parent for path in outputs if path.parent.is_dir()}
    kinds = {path.suffix for path in outputs}
    present = {path for directory in directories for path in directory.iterdir() if path.suffix in kinds}
    return sorted(path for path in present - outputs.keys() if path.is_file())


def _stored(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _diff(path: Path, wanted: bytes | None) -> str:
    stored = (_stored(path) or b"").decode(errors="replace").splitlines(keepends=True)
    compiled = (wanted or b"").decode().splitlines(keepends=True)
    return "".join(difflib.unified_diff(stored, compiled, f"{path} (stored)", f"{path} (compiled)"))
