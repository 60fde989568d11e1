"""A tool and a few types, and the text that is emitted for them."""

# ruff: noqa: E501 - emitted lines and specs are quoted as they stand

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import pytest

Compile: TypeAlias = Callable[[Mapping[str, str]], Mapping[str, str]]

SPEC: Final[Mapping[str, str]] = {
    "errors.yaml": """\
errors:
  RAIN: {retryable: true, when: It rains., next: Wait.}
  INTERNAL_ERROR: {retryable: false, when: A fault., next: Report it.}
""",
    "types/garden.yaml": """\
types:
  Failure: {type: object, description: No., required: [ok, error], properties: {ok: {const: false}, error: {$ref: Error}}}
  Error: {type: object, description: What., required: [code], properties: {code: {$ref: ErrorCode}, hint: {type: string}}}
  Colour: {enum: [red, white]}
  Dated: {type: object, description: Has a date., required: [at], properties: {at: {type: string}}}
  Rose:
    type: object
    description: A rose.
    extends: Dated
    required: [colour]
    properties:
      colour: {$ref: Colour, description: Outside.}
      inner: {$ref: Colour}
      thorns: {type: array, items: {$ref: Thorn}}
      more: {type: object, additionalProperties: true}
  Thorn: {type: object, description: A thorn., required: [length], properties: {length: {type: number}}}
""",
    "tools/codex_plant_rose.yaml": """\
tool: codex_plant_rose
title: Plant
description: Plants a rose.
annotations: {readOnlyHint: false}
handler: garden.plant_rose
input:
  type: object
  required: [colour]
  properties:
    colour: {$ref: Colour, description: Which.}
    depth: {type: integer, minimum: 1, default: 20}
    labels: {type: object, additionalProperties: {type: string}}
output: {$ref: Rose}
errors: [RAIN]
""",
}


@pytest.fixture
def garden(compiled: Compile) -> Mapping[str, str]:
    """The outputs of the spec of a garden."""
    return compiled(SPEC)


def schema(garden: Mapping[str, str], name: str) -> Any:
    """The JSON of an emitted schema."""
    return json.loads(garden[f"schemas/{name}.json"])


def test_a_type_extends_another_by_inheritance(garden: Mapping[str, str]) -> None:
    """Required fields are plain, the others NotRequired, inherited ones stand in the parent."""
    assert (
        "class Rose(Dated):\n"
        '    """A rose."""\n'
        "\n"
        "    colour: Colour\n"
        '    """Outside."""\n'
        "    inner: NotRequired[Colour]\n"
        "    thorns: NotRequired[list[Thorn]]\n"
        "    more: NotRequired[JsonObject]\n"
    ) in garden["types.py"]


def test_error_codes_become_a_vocabulary(garden: Mapping[str, str]) -> None:
    """Types may refer to the words that other documents define."""
    assert 'ErrorCode: TypeAlias = Literal["RAIN", "INTERNAL_ERROR"]\n' in garden["types.py"]


def test_arguments_have_defaults_and_whole_numbers(garden: Mapping[str, str]) -> None:
    """An optional argument is None or has its default; integers are listed, for 5.0 is one in JSON."""
    start = garden["arguments.py"].index("class PlantRoseArguments")
    assert garden["arguments.py"][start:].startswith(
        "class PlantRoseArguments:\n"
        '    """The arguments of `codex_plant_rose`."""\n'
        "\n"
        '    WHOLE_NUMBERS: ClassVar[tuple[str, ...]] = ("depth",)\n'
        '    """The integers; JSON Schema takes 5.0 for one, and so may a client."""\n'
        "\n"
        "    colour: Colour\n"
        '    """Which."""\n'
        "    depth: int = 20\n"
        "    labels: dict[str, str] | None = None\n"
    )


def test_an_input_schema_holds_no_references(garden: Mapping[str, str]) -> None:
    """What a type says is written into the input, and an enumeration of words says that it is a string."""
    assert schema(garden, "codex_plant_rose.input") == {
        "type": "object",
        "properties": {
            "colour": {"type": "string", "enum": ["red", "white"], "description": "Which."},
            "depth": {"type": "integer", "minimum": 1, "default": 20},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        },
        "required": ["colour"],
        "additionalProperties": False,
    }


def test_an_output_schema_tells_success_from_failure(garden: Mapping[str, str]) -> None:
    """Types that occur once are written in place, the others under `$defs`; nothing is described."""
    assert schema(garden, "codex_plant_rose.output")["oneOf"] == [
        {
            "type": "object",
            "required": ["ok", "colour", "at"],
            "properties": {
                "ok": {"const": True},
                "colour": {"$ref": "#/$defs/Colour"},
                "inner": {"$ref": "#/$defs/Colour"},
                "thorns": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["length"],
                        "properties": {"length": {"type": "number"}},
                        "additionalProperties": False,
                    },
                },
                "more": {"type": "object"},
                "at": {"type": "string"},
            },
            "additionalProperties": False,
        },
        {"$ref": "#/$defs/Failure"},
    ]


def test_a_failure_has_only_the_errors_of_its_tool(garden: Mapping[str, str]) -> None:
    """A client sees which codes a tool may answer."""
    failure = schema(garden, "codex_plant_rose.output")["$defs"]["Failure"]
    assert failure["properties"]["error"]["properties"]["code"] == {"enum": ["RAIN"]}


def test_a_handler_takes_its_arguments_and_answers_its_type(garden: Mapping[str, str]) -> None:
    """The protocol of a handler names both."""
    assert (
        "    async def __call__(self, context: ContextT_contra, arguments: PlantRoseArguments, /) -> Rose:\n"
    ) in garden["handlers.py"]


def test_each_error_is_a_class_in_the_drawn_tree(garden: Mapping[str, str]) -> None:
    """The module of errors opens with the tree of them."""
    assert "\nControlPlaneError\n├── Rain\n└── InternalError\n" in garden["errors.py"]
    assert (
        "class Rain(ControlPlaneError):\n"
        '    """It rains.\n\n    Next: Wait.\n    """\n\n'
        '    code = "RAIN"\n    retryable = True\n'
    ) in garden["errors.py"]
