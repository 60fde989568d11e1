"""The schemas of answers: taken from the pinned protocol, self-contained, closed."""

from codex_control_plane_codegen.emitters.codex_answers import answer_schema
from codex_control_plane_codegen.model import JsonObject

PROTOCOL: JsonObject = {
    "definitions": {
        "Grant": {"type": "object", "properties": {"paths": {"$ref": "#/definitions/Paths"}}},
        "Paths": {"type": "array", "items": {"type": "string"}},
        "Unused": {"type": "string"},
    }
}


def test_what_it_refers_to_comes_along_and_nothing_else() -> None:
    """Through as many references as it takes."""
    result: JsonObject = {"type": "object", "properties": {"grant": {"$ref": "#/definitions/Grant"}}}
    assert answer_schema(result, PROTOCOL) == {
        "type": "object",
        "properties": {"grant": {"$ref": "#/definitions/Grant"}},
        "additionalProperties": False,
        "definitions": {
            "Grant": {
                "type": "object",
                "properties": {"paths": {"$ref": "#/definitions/Paths"}},
                "additionalProperties": False,
            },
            "Paths": {"type": "array", "items": {"type": "string"}},
        },
    }


def test_an_object_with_names_of_its_own_stays_open() -> None:
    """Its names are the caller's."""
    result: JsonObject = {"type": "object", "additionalProperties": {"type": "string"}}
    assert answer_schema(result, PROTOCOL) == result
