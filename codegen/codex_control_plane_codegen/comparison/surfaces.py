"""A contract as the elements that it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from codex_control_plane_codegen.comparison.codex_surface import codex_elements
from codex_control_plane_codegen.comparison.elements import Element, Path
from codex_control_plane_codegen.comparison.python_surface import python_elements
from codex_control_plane_codegen.comparison.row_surface import row_elements
from codex_control_plane_codegen.comparison.tool_surface import (
    setting_elements,
    tool_elements,
    word_elements,
)
from codex_control_plane_codegen.model import JsonObject

_SURFACES: Final = (
    tool_elements,
    word_elements,
    setting_elements,
    row_elements,
    codex_elements,
    python_elements,
)


def elements(document: JsonObject) -> Mapping[Path, Element]:
    """Every element of a contract document, by its path."""
    return {element.path: element for surface in _SURFACES for element in surface(document)}
