"""One module per output. `EMITTERS` is the table of them; each turns the facts of a spec into files."""

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from codex_control_plane_codegen.emitters import (
    codex,
    codex_answers,
    contract,
    errors,
    fail_points,
    following,
    json_files,
    kernel,
    lifecycles,
    machines,
    properties,
    records,
    reference,
    schema,
    settings,
    tools,
    types,
)
from codex_control_plane_codegen.facts import Facts
from codex_control_plane_codegen.output import Output

Emitter: TypeAlias = Callable[[Facts], Iterator[Output]]

EMITTERS: Final[tuple[Emitter, ...]] = (
    kernel.emit,
    types.emit,
    lifecycles.emit,
    following.emit,
    records.emit,
    schema.emit,
    errors.emit,
    settings.emit,
    contract.emit,
    tools.emit,
    codex.emit,
    codex_answers.emit,
    fail_points.emit,
    machines.emit,
    properties.emit,
    json_files.emit,
    reference.emit,
)
"""Every output, in the order in which the emitted modules rest on each other."""
