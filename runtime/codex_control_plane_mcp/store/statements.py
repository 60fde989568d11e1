"""Named SQL: the statements of a ``.sql`` file, by the name in the comment over each."""

from collections.abc import Mapping
from importlib.resources import files


def named_statements(resource: str) -> Mapping[str, str]:
    """Return the statements of the package's file ``resource``.

    A statement opens with a line ``-- name: claimable``; comment lines after it say what it returns.
    """
    text = files("codex_control_plane_mcp.store").joinpath(resource).read_text(encoding="utf-8")
    statements: dict[str, str] = {}
    for part in text.split("-- name: ")[1:]:
        name, _, body = part.partition("\n")
        lines = [line for line in body.splitlines() if not line.startswith("--")]
        statements[name.strip()] = "\n".join(lines).strip().removesuffix(";")
    return statements
