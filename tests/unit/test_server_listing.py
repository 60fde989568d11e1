"""What `tools/list` shows of the schemas: less than the contract has, and nothing else."""

import jsonschema_rs
import pytest

from codex_control_plane_contract.tools import TOOLS, Tool
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.server.listing import LISTED_RESULT, listed_arguments


def test_lengths_and_what_goes_without_saying_are_left_out() -> None:
    """An argument keeps its kind, its words, its default and the bounds of a number."""
    schema: JsonObject = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "text": {
                "type": "string",
                "minLength": 1,
                "maxLength": 9,
                "default": "a",
                "description": "Words.",
            },
            "limit": {"type": "integer", "minimum": 1, "maximum": 50},
            "floor": {"type": "integer", "minimum": 500, "maximum": 2**53 - 1},
            "parts": {"type": "array", "maxItems": 3, "items": {"type": "string", "maxLength": 5}},
            "free": {"type": "object", "additionalProperties": True},
            "maxLength": {"type": "object", "additionalProperties": {"type": "string", "maxLength": 5}},
        },
    }
    assert listed_arguments(schema) == {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "text": {"type": "string", "default": "a", "description": "Words."},
            "limit": {"type": "integer", "maximum": 50},
            "floor": {"type": "integer", "minimum": 500},
            "parts": {"type": "array", "items": {"type": "string"}},
            "free": {"type": "object"},
            "maxLength": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    }


def test_what_another_tool_says_in_the_same_words_is_not_said_again() -> None:
    """Other words, and an argument of the tool's own, stay."""

    def arguments(**described: str) -> JsonObject:
        return {
            "properties": {name: {"type": "string", "description": text} for name, text in described.items()}
        }

    told = arguments(model="Which model.", thread_id="Where to go on.")
    shown = listed_arguments(arguments(model="Which model.", thread_id="Where to review.", own="Mine."), told)
    assert shown == {
        "properties": {
            "model": {"type": "string"},
            "thread_id": {"type": "string", "description": "Where to review."},
            "own": {"type": "string", "description": "Mine."},
        }
    }


@pytest.mark.parametrize("tool", TOOLS.values(), ids=str)
def test_what_fits_the_contract_fits_the_list(tool: Tool) -> None:
    """A client that checks against what was listed holds no call back and refuses no result."""
    for example in tool.examples:
        jsonschema_rs.validate(listed_arguments(tool.input_schema), example["input"])
        if "output" in example:
            jsonschema_rs.validate(LISTED_RESULT, example["output"])
