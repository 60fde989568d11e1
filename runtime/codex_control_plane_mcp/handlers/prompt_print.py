"""What a prompt is known by, and how alike two of them are (contract §7, decision 0036).

A print is made once, when a task is submitted, and stored with it: two prompts are compared without being
read again. Up to `EXACT_CHARS` they are compared letter by letter. Longer ones are compared by their pieces:
the text is cut at certain letters, so that a change moves no cut but its own, and a fixed number of pieces,
drawn by their checksums, stands for all (a bottom-k sketch).
"""

import base64
import hashlib
import re
import struct
import unicodedata
import zlib
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Final, Self

from rapidfuzz.distance import Indel

from codex_control_plane_contract.values import JsonObject

SIMILAR: Final = 0.90
"""From here on two prompts are nearly the same."""

SHORTEST: Final = 40
"""Shorter prompts (in normalised characters) have no print: only the same counts."""

EXACT_CHARS: Final = 1000
"""Up to this length a print holds the normalised text."""

_CUTS: Final = re.compile(b"[" + re.escape(bytes(range(7, 256, 16))) + b"]")
"""Where a prompt is cut: at every 16th value of a byte; in English at g and w, every 25 letters or so."""

PIECES: Final = 128
"""How many pieces stand for a prompt; the similarity of longer ones is off by about 0.02."""


@dataclass(frozen=True)
class Print:
    """What a prompt of at least `SHORTEST` characters is known by.

    `text` is None for a long one; `pieces` are the smallest checksums of its pieces, in order.
    """

    chars: int
    text: str | None
    pieces: tuple[int, ...]

    @classmethod
    def of(cls, normalised: str) -> Self | None:
        """Return the print of a normalised prompt; None for one that is too short to be like another."""
        if len(normalised) < SHORTEST:
            return None
        text = normalised if len(normalised) <= EXACT_CHARS else None
        return cls(len(normalised), text, _drawn_pieces(normalised))

    @classmethod
    def read(cls, stored: JsonObject) -> Self:
        """Return the print that `as_json` wrote."""
        chars, text, pieces = stored["chars"], stored.get("text"), stored["pieces"]
        assert isinstance(chars, int)
        assert isinstance(pieces, str)
        packed = base64.b64decode(pieces)
        drawn = struct.unpack(f"<{len(packed) // 4}I", packed)
        return cls(chars, text if isinstance(text, str) else None, drawn)

    def as_json(self) -> JsonObject:
        """Return the print as it is stored; 0.7 KB of a long prompt, up to 5 KB of one with its text."""
        packed = struct.pack(f"<{len(self.pieces)}I", *self.pieces)
        stored: JsonObject = {"chars": self.chars, "pieces": base64.b64encode(packed).decode()}
        return stored if self.text is None else {**stored, "text": self.text}

    def similarity(self, other: "Print") -> float:
        """Return how alike the prompts are, from 0 to 1; 0 where that is less than `SIMILAR`."""
        # What the lengths alone rule out: all of the shorter one would have to be common.
        if 2 * min(self.chars, other.chars) < SIMILAR * (self.chars + other.chars):
            return 0.0
        if self.text is not None and other.text is not None:
            return Indel.normalized_similarity(self.text, other.text, score_cutoff=SIMILAR)
        share = self._common_share(other)
        return share if share >= SIMILAR else 0.0

    def _common_share(self, other: "Print") -> float:
        """Return twice the common pieces over all, of the checksums so small that both drew all of them."""
        end = min(self.complete_to, other.complete_to)
        drawn = bisect_right(self.pieces, end) + bisect_right(other.pieces, end)
        return 2 * len(self._set.intersection(other.pieces)) / drawn

    @cached_property
    def _set(self) -> frozenset[int]:
        return frozenset(self.pieces)

    @property
    def complete_to(self) -> float:
        """Up to which checksum the prompt's pieces are all here."""
        return self.pieces[-1] if len(self.pieces) == PIECES else inf


def normalise(message: str) -> str:
    """Return the prompt as it is compared: NFKC, white space collapsed, case folded."""
    return " ".join(unicodedata.normalize("NFKC", message).split()).casefold()


def prompt_hash(normalised: str) -> str:
    """Return the SHA-256 of a normalised prompt, in hexadecimal."""
    return hashlib.sha256(normalised.encode()).hexdigest()


def _drawn_pieces(normalised: str) -> tuple[int, ...]:
    checksums = set(map(zlib.crc32, _CUTS.split(normalised.encode())))
    return tuple(sorted(checksums)[:PIECES])
