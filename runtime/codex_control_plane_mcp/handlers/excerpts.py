"""Long texts as clients see them: free of keys and tokens, no longer than asked for (contract §12, §19.8)."""

from dataclasses import dataclass
from typing import Final

from codex_control_plane_mcp.redaction import redact

_MARGIN: Final = 4096


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The beginning of a text, and whether that is all of it."""

    text: str
    truncated: bool


def excerpt(text: str, limit: int) -> Excerpt:
    """Return the first `limit` characters of `text`, redacted.

    Only what may be shown is read, with a margin, so that a key is recognised that the cut would halve.
    """
    window = text[: limit + _MARGIN]
    shown = redact(window)
    return Excerpt(shown[:limit], len(text) > len(window) or len(shown) > limit)
