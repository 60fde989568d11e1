"""The elements that a running app-server meets: the part of Codex's protocol that is used."""

from __future__ import annotations

from collections.abc import Iterator

from codex_control_plane_codegen.comparison.elements import Element, Path, Spot, entries, mapping, words
from codex_control_plane_codegen.model import JsonObject


def codex_elements(contract: JsonObject) -> Iterator[Element]:
    """Methods, notifications, questions, overrides and prompts; nothing if the contract has none."""
    codex = mapping(contract["codex"])
    if not codex:
        return
    path, spot = ("codex",), Spot("codex")
    minimum = codex["minimumVersion"]
    yield Element("codex minimum", (*path, "minimum version"), spot.below("minimum_version"), minimum)
    for key, kind, block in (
        ("configuration", "codex override", "configuration"),
        ("prompts", "codex prompt", "prompts"),
    ):
        for name, value in mapping(codex[key]).items():
            yield Element(kind, (*path, key, name), spot.below(block, name), value)
    yield from _messages(codex, path, spot)
    yield from _questions(codex, path, spot)
    for name, fields in entries(codex["shapes"]).items():
        yield from _fields(fields, (*path, "shapes", name), spot.below("shapes", name))


def _messages(codex: JsonObject, path: Path, spot: Spot) -> Iterator[Element]:
    for key in ("methods", "notifications"):
        for name, message in entries(codex[key]).items():
            message_path, place = (*path, key, name), spot.below(key, name)
            yield Element("codex message", message_path, place)
            for part, fields in entries(dict(message)).items():
                yield from _fields(fields, (*message_path, part), place.below(part))


def _questions(codex: JsonObject, path: Path, spot: Spot) -> Iterator[Element]:
    for name, question in entries(codex["serverRequests"]).items():
        asked, place = (*path, "questions", name), spot.below("server_requests", name)
        yield Element("codex question", asked, place, question["kind"])
        yield from _fields(mapping(question["params"]), (*asked, "params"), place.below("params"))
    for name in words(codex["refusedRequests"]):
        place = spot.below("refused_requests", name)
        yield Element("codex question", (*path, "questions", name), place, "refused")


def _fields(fields: JsonObject, path: Path, spot: Spot) -> Iterator[Element]:
    for name, kind in fields.items():
        yield Element("codex field", (*path, name), spot.below(name), kind)
