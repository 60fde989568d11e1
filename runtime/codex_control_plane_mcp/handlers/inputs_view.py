"""What came with a prompt, and how it was let in (contract §4 …State)."""

from typing import cast

from codex_control_plane_contract.lifecycles import operation
from codex_control_plane_contract.types import DedupState, Operation, OutputSchemaState
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.handlers.output_schema import canonical, schema_hash
from codex_control_plane_mcp.images import Image


def add_inputs(view: Operation, row: operation.Operation) -> None:
    """Add what is there of images, schema and guard; call it after the final report is in the view."""
    if row.input_items:
        stored = cast("list[JsonObject]", row.input_items)
        view["inputItemState"] = {"items": [Image.read(item).shown() for item in stored]}
    if row.output_schema is not None:
        view["outputSchemaState"] = _schema_state(view, row, row.output_schema)
    if row.dedup_policy is not None:
        state: DedupState = {"policy": row.dedup_policy}
        if row.repeats_operation_id is not None:
            state["repeatsOperationId"] = row.repeats_operation_id
        view["dedupState"] = state


def _schema_state(view: Operation, row: operation.Operation, schema: JsonObject) -> OutputSchemaState:
    state: OutputSchemaState = {
        "provided": True,
        "applied": row.turn_id is not None or row.continues_turn_id is not None,
        "schemaHash": schema_hash(schema),
        "schemaChars": len(canonical(schema)),
    }
    report = view.get("finalReport")
    if report is not None:
        if "structuredParseStatus" in report:
            state["parseStatus"] = report["structuredParseStatus"]
        if "structuredStatus" in report:
            state["structuredStatus"] = report["structuredStatus"]
    return state
