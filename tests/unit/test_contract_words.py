"""The emitted arguments, errors and tables of tools, as the runtime uses them."""

import jsonschema_rs
import pytest

from codex_control_plane_contract.arguments import GetOperationStatusArguments, SubmitTaskArguments
from codex_control_plane_contract.errors import ERRORS, CodexStateBusy
from codex_control_plane_contract.tools import TOOLS


def test_what_is_left_out_gets_its_default() -> None:
    """Arguments without a default are None."""
    arguments = SubmitTaskArguments.parse({"operation_type": "start_chat", "message": "Do it."})
    assert (arguments.timeout_seconds, arguments.cwd) == (300, None)


def test_a_whole_number_may_be_written_with_a_point() -> None:
    """JSON Schema takes 30.0 for an integer."""
    arguments = GetOperationStatusArguments.parse({"operation_id": "op_1", "wait_seconds": 30.0})
    assert isinstance(arguments.wait_seconds, int)


def test_an_error_answers_its_code_and_details() -> None:
    """What is raised in a handler is what the client reads."""
    error = CodexStateBusy("The store is busy.", waitedSeconds=10)
    assert error.as_error() == {
        "code": "CODEX_STATE_BUSY",
        "message": "The store is busy.",
        "details": {"waitedSeconds": 10},
        "retryable": True,
    }
    assert ERRORS["CODEX_STATE_BUSY"] is CodexStateBusy


@pytest.mark.parametrize("name", TOOLS)
def test_the_schemas_of_a_tool_are_sound(name: str) -> None:
    """Both are JSON Schemas with an object at the root, and the examples fit them."""
    tool = TOOLS[name]
    for schema in (tool.input_schema, tool.output_schema):
        jsonschema_rs.meta.validate(schema)
        assert schema["type"] == "object"
    assert not {"oneOf", "anyOf", "allOf", "$ref"} & tool.input_schema.keys()
    for example in tool.examples:
        jsonschema_rs.validate(tool.input_schema, example["input"])
        if "output" in example:
            jsonschema_rs.validate(tool.output_schema, example["output"])


@pytest.mark.parametrize("name", TOOLS)
def test_a_failure_fits_the_output_schema(name: str) -> None:
    """Every error that a tool may answer is an answer."""
    tool = TOOLS[name]
    for code in tool.errors:
        answer = {"ok": False, "error": ERRORS[code]("It failed.", path="x").as_error()}
        jsonschema_rs.validate(tool.output_schema, answer)
