"""Draws a lifecycle: as Mermaid text, which forges render by themselves, and as SVG, laid out by Graphviz."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from codex_control_plane_codegen.diagrams import Diagram
from codex_control_plane_codegen.templating import render

_GRAPHVIZ: Final = "graphviz-pure"
"""Graphviz's `dot` as one program on PyPI; it writes the same bytes on every system (decision 0025)."""


class GraphvizMissingError(Exception):
    """The program that lays out an SVG is not installed; the message says how to get it."""


def mermaid(diagram: Diagram) -> str:
    """The state diagram in Mermaid's language."""
    return render("diagram.mmd", diagram=diagram)


def dot(diagram: Diagram) -> str:
    """The state diagram in Graphviz's language."""
    return render("diagram.dot", diagram=diagram, links=list(_links(diagram)))


def svg(diagram: Diagram) -> str:
    """The state diagram as an SVG document; raises GraphvizMissingError where nothing can lay it out."""
    places = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    program = shutil.which(_GRAPHVIZ, path=places)
    if program is None:
        raise GraphvizMissingError(
            f"SVG needs {_GRAPHVIZ}: pip install 'codex-control-plane-mcp[diagrams]'; Mermaid needs nothing"
        )
    laid_out = subprocess.run(
        [program, "-Tsvg"], input=dot(diagram).encode(), capture_output=True, check=True
    )
    return laid_out.stdout.decode()


FORMATS: Final[Mapping[str, Callable[[Diagram], str]]] = {"mermaid": mermaid, "svg": svg}
"""What a lifecycle can be drawn as, the default first."""

SUFFIXES: Final[Mapping[str, str]] = {"mermaid": ".mmd", "svg": ".svg"}
"""How a file of each format is called."""


@dataclass(frozen=True, slots=True)
class _Link:
    """An arrow between two nodes, as Graphviz wants it: a box is meant by one of its states."""

    tail: str
    head: str
    events: tuple[str, ...]
    attributes: str


def _links(diagram: Diagram) -> Iterator[_Link]:
    order = {name: at for at, name in enumerate(diagram.facts.states)}
    for arrow in diagram.arrows:
        source = _node(diagram, arrow.source)
        boxed = arrow.source in diagram.groups
        if order.get(source, -1) <= order[arrow.target]:
            clip = f", ltail=cluster_{arrow.source}" if boxed else ""
            yield _Link(source, arrow.target, arrow.events, clip)
        else:
            # Written the other way round, so that the chart runs downwards and only the arrowhead points up.
            clip = f", lhead=cluster_{arrow.source}" if boxed else ""
            yield _Link(arrow.target, source, arrow.events, f", dir=back{clip}")


def _node(diagram: Diagram, source: str | None) -> str:
    """The node that an arrow begins at; of a box, the last state in it."""
    members = [state for state in diagram.facts.states if state in diagram.groups.get(source or "", ())]
    return members[-1] if members else source or "[*]"
