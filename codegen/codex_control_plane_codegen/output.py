"""A file that the compiler writes."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

CONTRACT_PACKAGE: Final = PurePosixPath("generated/codex_control_plane_contract")
"""The emitted package, relative to the root."""

REFERENCE: Final = PurePosixPath("docs/reference")
"""The emitted pages, relative to the root."""


@dataclass(frozen=True, slots=True)
class Output:
    """One emitted file: its path relative to the root, and its text with LF line ends."""

    path: PurePosixPath
    text: str
