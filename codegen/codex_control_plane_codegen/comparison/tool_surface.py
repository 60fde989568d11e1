"""The elements that callers meet: tools, errors, findings and settings."""

from __future__ import annotations

from collections.abc import Iterator

from codex_control_plane_codegen.comparison.elements import (
    Element,
    Path,
    Spot,
    entries,
    items,
    mapping,
    words,
)
from codex_control_plane_codegen.comparison.schema_surface import Direction, SchemaPart
from codex_control_plane_codegen.model import JsonObject


def tool_elements(contract: JsonObject) -> Iterator[Element]:
    """The tools, with what they take and answer, and what the server says of itself."""
    for key in ("title", "instructions"):
        yield Element("text", (key,), Spot("contract", keys=(key,)), contract[key])
    for tool in items(contract["tools"]):
        yield from _tool(tool)


def _tool(tool: JsonObject) -> Iterator[Element]:
    name = str(tool["name"])
    path, spot = ("tools", name), Spot("tool", name)
    yield Element("tool", path, spot)
    for key in ("title", "description"):
        yield Element("text", (*path, key), spot.below(key), tool[key])
    yield from _promises(tool, path, spot)
    for following in words(tool["nextTools"]):
        yield Element("next tool", (*path, "next", following), spot.below("next_tools"))
    yield from _schema("input", mapping(tool["inputSchema"]), (*path, "input"), spot.below("input"))
    yield from _schema("result", mapping(tool["outputSchema"]), (*path, "result"), spot.below("output"))


def _promises(tool: JsonObject, path: Path, spot: Spot) -> Iterator[Element]:
    hints = {
        "readOnlyHint": True,
        "destructiveHint": False,
        "idempotentHint": True,
        "openWorldHint": False,
    }
    annotations = mapping(tool["annotations"])
    for hint, harmless in hints.items():
        restricted = annotations.get(hint) is harmless
        yield Element("hint", (*path, hint), spot.below("annotations", hint), restricted)
    yield Element("hint", (*path, "passive"), spot.below("passive"), tool["passive"])
    yield Element("idempotency", (*path, "idempotency"), spot.below("idempotency"), tool["idempotency"])
    yield Element("tool group", (*path, "group"), spot.below("group"), tool["group"])


def _schema(direction: Direction, schema: JsonObject, path: Path, spot: Spot) -> Iterator[Element]:
    return SchemaPart(direction, path, spot, schema, entries(schema.get("$defs"))).elements()


def word_elements(contract: JsonObject) -> Iterator[Element]:
    """The errors and the findings of health. Next actions and queue reasons are words of results."""
    for code, error in entries(contract["errors"]).items():
        path, spot = ("errors", code), Spot("errors", keys=("errors", code))
        yield Element("error", path, spot)
        yield Element("error retryability", (*path, "retryable"), spot.below("retryable"), error["retryable"])
        for key in ("when", "next"):
            yield Element("text", (*path, key), spot.below(key), error[key])
    for name, finding in entries(contract["findings"]).items():
        path, spot = ("findings", name), Spot("findings", keys=("findings", name))
        yield Element("finding", path, spot, finding["severity"])
        for key in ("means", "recommendedAction"):
            yield Element("text", (*path, key), spot, finding[key])


def setting_elements(contract: JsonObject) -> Iterator[Element]:
    """The settings of the program."""
    settings = mapping(contract["settings"])
    for variable in words(settings["fileVariables"]):
        yield Element(
            "settings file variable", ("settings", "file", variable), Spot("config", keys=("file_variables",))
        )
    for variable, setting in entries(settings["variables"]).items():
        yield from _setting(variable, setting)


def _setting(variable: str, setting: JsonObject) -> Iterator[Element]:
    path, spot = ("settings", variable), Spot("config", keys=("settings", variable))
    yield Element("setting", path, spot)
    yield Element("setting type", (*path, "type"), spot.below("type"), setting["type"])
    for word in words(setting["values"]):
        yield Element("setting word", (*path, "words", word), spot.below("values"))
    for bound in ("minimum", "maximum"):
        if setting[bound] is not None:
            yield Element("setting bound", (*path, bound), spot.below(bound), setting[bound])
    if setting["default"] is not None:
        yield Element("setting default", (*path, "default"), spot.below("default"), setting["default"])
