"""Findings about the spec: what is wrong, where, and what cures it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from codex_control_plane_codegen.codes import CODES, Severity
from codex_control_plane_codegen.places import Place


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: a sentence with a place and a code.

    `code` is a key of `CODES`, which knows the severity, the rule and its cure in general. `hint` says what
    to do about this very case; `suggestion` is the name that was probably meant, empty if none is near.
    """

    code: str
    place: Place
    message: str
    hint: str = ""
    suggestion: str = ""

    @property
    def severity(self) -> Severity:
        """Whether it fails a build: ``error`` always, ``warning`` only when asked for."""
        return CODES[self.code].severity


def nearest(word: str, candidates: Iterable[str]) -> str:
    """The candidate that `word` is most likely a misspelling of, or an empty text."""
    folded = {candidate.casefold(): candidate for candidate in candidates}
    matches = get_close_matches(word.casefold(), sorted(folded), n=1, cutoff=0.6)
    return folded[matches[0]] if matches else ""


def in_order(diagnostics: Iterable[Diagnostic]) -> Sequence[Diagnostic]:
    """The same findings once each, sorted by place, so that two runs read alike."""
    return sorted(set(diagnostics), key=lambda found: (found.place, found.code, found.message))
