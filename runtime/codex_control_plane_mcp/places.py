"""Places in JSON values, in the one form in which errors name them (contract §6)."""

from collections.abc import Iterable
from typing import Final

_SHOWN_CHARS: Final = 60


def name_place(parts: Iterable[str | int], *, below: str = "") -> str:
    """Return a place as `answers.q1[0]`, blank for the whole value; of a name at most 60 characters."""
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part[:_SHOWN_CHARS]}" for part in parts)
    return f"{below}{path}" if below else path.removeprefix(".")
