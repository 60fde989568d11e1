"""The matrix as a page of the documentation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from codex_control_plane_codegen.comparison.matrix import MATRIX
from codex_control_plane_codegen.comparison.verdicts import Kind

BEGIN: Final = "<!-- The matrix, as `codex-control-plane-mcp-codegen diff --matrix` prints it. -->\n"
"""What stands over the table in docs/compatibility.md, up to the end of the file."""


def matrix_page() -> str:
    """The whole matrix in Markdown, one table a kind of element."""
    return BEGIN + "\n".join(line for name, kind in MATRIX.items() for line in _section(name, kind))


def _section(name: str, kind: Kind) -> Iterator[str]:
    yield f"\n### {name}\n\n{kind.means}{' A change needs a migration.' if kind.in_tables else ''}\n"
    yield f"| change | {' | '.join(kind.readers)} |"
    yield f"|---{'|---' * len(kind.readers)}|"
    for change, verdicts in kind.changes.items():
        cells = [f"**{verdicts[each].severity}** {verdicts[each].sentence}" for each in kind.readers]
        yield f"| {change} | {' | '.join(cells)} |"
    yield ""
