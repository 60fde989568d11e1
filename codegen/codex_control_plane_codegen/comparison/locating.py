"""Finds where the spec says an element."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from codex_control_plane_codegen.comparison.changes import Changed
from codex_control_plane_codegen.comparison.elements import Spot, entries
from codex_control_plane_codegen.documents import DIRECTORIES, Document
from codex_control_plane_codegen.model import JsonObject, Model, TypeDefinition
from codex_control_plane_codegen.output import CONTRACT_PACKAGE
from codex_control_plane_codegen.places import Place

_DIRECTORIES: Final[Mapping[str, str]] = {kind: directory for directory, kind in DIRECTORIES.items()}


@dataclass(frozen=True)
class Locator:
    """The places of a spec and, for names that are emitted, of the files below `root`."""

    model: Model
    root: Path

    def place(self, changed: Changed) -> Place:
        """Where the element stands; of one that is gone, where it would stand."""
        spot = changed.element.spot
        if spot.kind == "python":
            return self._emitted(spot)
        if spot.kind == "type":
            return self._field(spot.name, spot) or Place(f"spec/{_DIRECTORIES['types']}")
        document = self._documents.get((spot.kind, spot.name))
        if document is None:
            return Place(f"spec/{_DIRECTORIES[spot.kind]}/{spot.name}.yaml")
        if spot.fields:
            output = next(tool.output for tool in self.model.tools if tool.name == spot.name)
            return self._field(output, spot) or document.place(*spot.keys)
        return document.key_place(*spot.keys) if changed.new else document.key_place(*spot.keys[:-1])

    @cached_property
    def _documents(self) -> Mapping[tuple[str, str], Document]:
        """By kind and name; the documents that occur once have none."""
        model = self.model
        once = {(each.kind, ""): each for each in model.documents if each.kind not in _DIRECTORIES}
        tools = {("tool", each.name): each.document for each in model.tools}
        lifecycles = {("lifecycle", each.name): each.document for each in model.lifecycles}
        records = {("record", each.name): each.document for each in model.records}
        return {**once, **tools, **lifecycles, **records}

    @cached_property
    def _types(self) -> Mapping[str, TypeDefinition]:
        return {each.name: each for each in self.model.types}

    def _field(self, name: str, spot: Spot) -> Place | None:
        """The deepest field that `spot.fields` lead to, through references and what types extend."""
        place = self._place_of_type(name)
        for field in spot.fields:
            found = self._declaring(name, field)
            if found is None:
                break
            definition, schema = found
            place = definition.document.key_place(*definition.keys, "properties", field)
            name = str(schema.get("$ref", entries(schema).get("items", {}).get("$ref", "")))
        return place

    def _place_of_type(self, name: str) -> Place | None:
        definition = self._types.get(name)
        return definition.document.key_place(*definition.keys) if definition else None

    def _declaring(self, name: str | None, field: str) -> tuple[TypeDefinition, JsonObject] | None:
        while name is not None and (definition := self._types.get(name)):
            properties = entries(definition.schema.get("properties"))
            if field in properties:
                return definition, properties[field]
            name = definition.extends
        return None

    def _emitted(self, spot: Spot) -> Place:
        """The line of an emitted module that declares the name, as far as it can be told by its form."""
        file = f"{CONTRACT_PACKAGE}/{spot.name.replace('.', '/')}.py"
        path = self.root / file
        name = str(spot.keys[0]).partition(".")[0] if spot.keys else ""
        lines = path.read_text("utf-8").splitlines() if name and path.is_file() else []
        declaration = re.compile(rf"(?:class|def|async def)? *\b{re.escape(name)}\b(?=[(:=]| =)")
        at = next((at for at, line in enumerate(lines) if declaration.match(line)), None)
        return Place(file) if at is None else Place(file, at + 1, 1, 1, "")
