"""What `tools/list` shows of an output schema: less than the contract has, and nothing else."""

import json

import jsonschema_rs
import pytest

from codex_control_plane_contract.tools import TOOLS, Tool
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.server.listing import listed


def test_words_and_insides_are_left_out() -> None:
    """A field keeps its name and its kind."""
    schema: JsonObject = {
        "type": "object",
        "required": ["status"],
        "properties": {
            "status": {"enum": ["a", "b", "c", "d", "e"], "description": "One of many words."},
            "mode": {"enum": ["a", "b"]},
            "description": {"type": "string"},
            "inner": {"type": "object", "properties": {"deep": {"type": "integer"}}},
        },
        "$defs": {"Used": {"type": "integer"}, "Unused": {"type": "integer"}},
        "oneOf": [{"$ref": "#/$defs/Used"}],
    }
    assert listed(schema) == {
        "type": "object",
        "required": ["status"],
        "properties": {
            "status": {"type": "string"},
            "mode": {"enum": ["a", "b"]},
            "description": {"type": "string"},
            "inner": {"type": "object"},
        },
        "$defs": {"Used": {"type": "integer"}},
        "oneOf": [{"$ref": "#/$defs/Used"}],
    }


@pytest.mark.parametrize("tool", TOOLS.values(), ids=str)
def test_what_fits_the_contract_fits_the_list(tool: Tool) -> None:
    """A client that checks against what was listed refuses no result."""
    validator = jsonschema_rs.validator_for(json.loads(json.dumps(listed(dict(tool.output_schema)))))
    for example in tool.examples:
        if "output" in example:
            validator.validate(example["output"])
