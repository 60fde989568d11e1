"""Near names, for messages that tell what the writer probably meant."""

import difflib
import re
from collections.abc import Iterable, Sequence

_CUTOFF = 0.6


def nearest(name: str, known: Iterable[str], *, limit: int = 3) -> Sequence[str]:
    """Return up to `limit` of the `known` names that resemble `name`, the closest first; empty if none does.

    Case and the difference between camelCase, kebab-case and snake_case do not count.
    """
    by_plain = {_plain(candidate): candidate for candidate in known}
    close = difflib.get_close_matches(_plain(name[:200]), by_plain, n=limit, cutoff=_CUTOFF)
    return [by_plain[plain] for plain in close]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the sentence ` Did you mean x?` with a leading blank, or an empty string if nothing is near."""
    close = nearest(name, known, limit=1)
    return f" Did you mean {close[0]}?" if close else ""


def _plain(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").lower()
