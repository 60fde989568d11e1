"""output_schema: what is refused before Codex is called, and what becomes of a report (contract §3, §4)."""

from typing import Any

import pytest

from codex_control_plane_contract.errors import InvalidArgument
from codex_control_plane_contract.types import FinalReport
from codex_control_plane_contract.values import JsonObject, JsonValue
from codex_control_plane_mcp.handlers.output_schema import MOST_CHARS, add_structure, refuse_unusable


def closed(**properties: JsonValue) -> JsonObject:
    """Return a closed object schema with these properties, all required."""
    return {
        "type": "object",
        "properties": properties,
        "required": [*properties],
        "additionalProperties": False,
    }


OPEN: JsonObject = {"type": "object", "properties": {}, "required": []}
NUMBER: JsonObject = {"type": "number"}


@pytest.mark.parametrize(
    "schema",
    [
        closed(done={"type": "boolean"}),
        closed(items={"type": "array", "items": closed(name={"type": ["string", "null"]})}),
        {**closed(one={"$ref": "#/$defs/thing"}), "$defs": {"thing": closed(size=NUMBER)}},
        closed(choice={"anyOf": [closed(a=NUMBER), {"type": "null"}]}),
        # A property may have the name of a keyword.
        closed(properties=closed(required=NUMBER), required=NUMBER),
    ],
)
def test_a_closed_schema_is_taken(schema: JsonObject) -> None:
    """Whatever the model can be held to."""
    refuse_unusable(schema)


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({}, "output_schema"),
        (OPEN, "output_schema.additionalProperties"),
        ({"properties": {"a": NUMBER}}, "output_schema.additionalProperties"),
        ({"type": ["object", "null"]}, "output_schema.additionalProperties"),
        ({**closed(a=NUMBER), "required": []}, "output_schema.required"),
        (closed(a=OPEN), "output_schema.properties.a.additionalProperties"),
        (closed(a={"type": "array", "items": OPEN}), "output_schema.properties.a.items.additionalProperties"),
        ({**closed(), "$defs": {"x": OPEN}}, "output_schema.$defs.x.additionalProperties"),
        ({"allOf": [closed(), OPEN]}, "output_schema.allOf[1].additionalProperties"),
        ({"anyOf": [OPEN]}, "output_schema.anyOf[0].additionalProperties"),
        ({"oneOf": [NUMBER, {"anyOf": [OPEN]}]}, "output_schema.oneOf[1].anyOf[0].additionalProperties"),
        (closed(a={"$ref": "https://example.org/schema"}), "output_schema.properties.a.$ref"),
        (closed(a={"$ref": "file:///etc/passwd"}), "output_schema.properties.a.$ref"),
        (closed(a={"$ref": "#/$defs/nowhere"}), "output_schema"),
        (closed(a={"type": "word"}), "output_schema"),
        (closed(a={"type": "string", "pattern": "("}), "output_schema"),
        (closed(a={"type": "string", "description": "x" * MOST_CHARS}), "output_schema"),
    ],
)
def test_any_other_schema_is_refused_by_its_place(schema: JsonObject, path: str) -> None:
    """The error names the schema that must change."""
    with pytest.raises(InvalidArgument) as refused:
        refuse_unusable(schema)
    assert refused.value.details["path"] == path


def test_a_schema_without_end_is_refused() -> None:
    """No depth brings a fault of ours about."""
    deep: JsonObject = {"type": "string"}
    for _ in range(200):
        deep = {"type": "array", "items": deep}
    with pytest.raises(InvalidArgument, match="deep"):
        refuse_unusable(closed(a=deep))


def structured(text: str, schema: JsonObject) -> dict[str, Any]:
    """Return what a report says of a text."""
    report: FinalReport = {"text": text, "truncated": False, "originalChars": 0, "returnedChars": 0}
    add_structure(report, text, schema)
    return {name: value for name, value in report.items() if name.startswith("structured")}


@pytest.mark.parametrize(
    "text",
    [
        '{"size": 3}',
        ' \n{"size": 3}\n',
        'All done.\n```json\n{"size": 3}\n```\nBye.',
        'First\n```json\n{"size": "no"}\n```\nthen\n```JSON\n{"size": 3}\n```',
    ],
)
def test_a_report_is_the_json_object_of_the_message(text: str) -> None:
    """Raw, or in a fenced json block, the last one."""
    assert structured(text, closed(size=NUMBER)) == {
        "structured": {"size": 3},
        "structuredStatus": "parsed",
        "structuredParseStatus": "valid_json",
    }


@pytest.mark.parametrize(
    ("text", "status"),
    [("", "empty"), (" \n", "empty"), ("Done.", "plain_text"), ("[3]", "plain_text"), ("{", "plain_text")],
)
def test_what_is_no_json_object_is_said(text: str, status: str) -> None:
    """The text is there all the same."""
    assert structured(text, closed(size=NUMBER)) == {
        "structuredStatus": "not_available",
        "structuredParseStatus": status,
    }


def test_a_misfit_is_said_with_its_place() -> None:
    """What does not fit is not handed out as the structured report."""
    found = structured('{"size": "big", "more": 1}', closed(size=NUMBER))
    assert (found["structuredStatus"], found["structuredParseStatus"]) == ("not_available", "valid_json")
    assert "structured" not in found
    assert any(fault.startswith("/size: ") for fault in found["structuredFaults"])


def test_a_pattern_that_backtracks_without_end_gives_up() -> None:
    """A caller's schema cannot hold up a thread."""
    schema = closed(a={"type": "string", "pattern": "^(a+)+\\1$"})
    found = structured('{"a": "' + "a" * 5000 + '!"}', schema)
    assert found["structuredStatus"] == "not_available"
