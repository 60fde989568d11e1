"""The whole reading half: from files to a model, or to everything that is wrong with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from codex_control_plane_codegen.checks import CHECKS, COMPOSITION_CHECKS, USAGE_CHECKS
from codex_control_plane_codegen.checks.subject import Subject
from codex_control_plane_codegen.diagnostics import Diagnostic, in_order
from codex_control_plane_codegen.facts import Facts
from codex_control_plane_codegen.loader import load
from codex_control_plane_codegen.model import JsonObject, Model
from codex_control_plane_codegen.places import Place
from codex_control_plane_codegen.protocol.fitting import Protocol
from codex_control_plane_codegen.protocol.pins import PinsUnreadableError, read_pins
from codex_control_plane_codegen.reading import read_model
from codex_control_plane_codegen.rendering import PROGRAM
from codex_control_plane_codegen.schemas import Schemas


@dataclass(frozen=True, slots=True)
class Analysis:
    """A model of what could be read, and the findings, sorted by place."""

    model: Model
    diagnostics: Sequence[Diagnostic]

    @property
    def errors(self) -> Sequence[Diagnostic]:
        """The findings that keep the spec from being compiled."""
        return [diagnostic for diagnostic in self.diagnostics if diagnostic.severity == "error"]


def analyse(root: Path) -> Analysis:
    """Reads and checks the spec below `root`; raises SchemaMissingError if ``schemas/spec`` is not there.

    A document that fails its schema is left out of the model and of every further check, and nothing that may
    be declared in it is reported as unknown: one mistake is one finding.
    """
    schemas = Schemas.read(root / "schemas" / "spec")
    loaded = load(root)
    found = [*loaded.diagnostics]
    for document in loaded.documents:
        found.extend(schemas.check(document))
    broken = frozenset(finding.place.file for finding in found if finding.severity == "error")
    model = read_model([document for document in loaded.documents if document.path not in broken])
    pins: Mapping[str, JsonObject] = {}
    try:
        pins = read_pins(root)
    except PinsUnreadableError as error:
        hint = f"Write it anew: `{PROGRAM} codex-pin`."
        found.append(Diagnostic("SPEC-X003", Place(error.path), str(error), hint))
    if model.codex is not None:
        model = replace(model, tested_protocol=pins.get(model.codex.tested_version, {}))
    protocols = {version: Protocol(pin) for version, pin in pins.items()}
    subject = Subject(Facts(model), broken, protocols)
    for check in CHECKS:
        found.extend(check(subject))
    if not any(finding.severity == "error" for finding in found):
        for check in (*COMPOSITION_CHECKS, *USAGE_CHECKS):
            found.extend(check(subject))
    return Analysis(model, in_order(found))
