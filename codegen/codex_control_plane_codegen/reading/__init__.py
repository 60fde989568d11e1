"""Documents of the spec → the typed model.

The documents have passed the JSON Schemas in ``schemas/spec`` before they come here, so reading
trusts their form. It trusts no name: what a name refers to is for the checks.
"""

from collections.abc import Sequence

from codex_control_plane_codegen.documents import Document
from codex_control_plane_codegen.model import Model
from codex_control_plane_codegen.reading.codex import read_codex
from codex_control_plane_codegen.reading.composition import read_composition
from codex_control_plane_codegen.reading.contract import (
    read_approvals,
    read_configuration,
    read_contract,
    read_errors,
    read_findings,
    read_repairs,
)
from codex_control_plane_codegen.reading.lifecycles import read_lifecycle, read_record
from codex_control_plane_codegen.reading.nodes import Node
from codex_control_plane_codegen.reading.tools import read_tool, read_types

__all__ = ["read_model"]


def read_model(documents: Sequence[Document]) -> Model:
    """The model of these documents; elements of one kind stand in the order of their paths."""
    ordered = tuple(sorted(documents, key=lambda document: document.path))
    roots: dict[str, list[Node]] = {}
    for document in ordered:
        roots.setdefault(document.kind, []).append(Node.root(document))
    return Model(
        documents=tuple(document for document in ordered if document.kind != "approvals"),
        contract=next((read_contract(root) for root in roots.get("contract", ())), None),
        configuration=next((read_configuration(root) for root in roots.get("config", ())), None),
        codex=next((read_codex(root) for root in roots.get("codex", ())), None),
        composition=next((read_composition(root) for root in roots.get("composition", ())), None),
        lifecycles=tuple(read_lifecycle(root) for root in roots.get("lifecycle", ())),
        records=tuple(read_record(root) for root in roots.get("record", ())),
        types=tuple(
            definition
            for root in (*roots.get("types", ()), *roots.get("tool", ()))
            for definition in read_types(root)
        ),
        tools=tuple(read_tool(root) for root in roots.get("tool", ())),
        errors=tuple(error for root in roots.get("errors", ()) for error in read_errors(root)),
        findings=tuple(finding for root in roots.get("findings", ()) for finding in read_findings(root)),
        repairs=tuple(repair for root in roots.get("repairs", ()) for repair in read_repairs(root)),
        approvals=tuple(each for root in roots.get("approvals", ()) for each in read_approvals(root)),
    )
