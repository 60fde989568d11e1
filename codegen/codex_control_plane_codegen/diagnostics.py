"""Findings about the spec: what is wrong, where, and what cures it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from codex_control_plane_codegen.codes import CODES, UNKNOWN_NAMES, Severity
from codex_control_plane_codegen.places import Place


@dataclass(frozen=True, slots=True)
class Edit:
    """A cure that is certain: `text` stands in the place of the token at `place`."""

    place: Place
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: a sentence with a place and a code.

    `code` is a key of `CODES`, which knows the severity, the rule and its cure in general. `hint` says what
    to do about this very case; `suggestion` is the name that was probably meant, empty if none is near.
    `fix` is there where the cure is certain. `also` are further places of the same mistake.
    """

    code: str
    place: Place
    message: str
    hint: str = ""
    suggestion: str = ""
    fix: Edit | None = None
    also: tuple[Place, ...] = ()

    @property
    def severity(self) -> Severity:
        """Whether it fails a build: ``error`` always, ``warning`` only when asked for."""
        return CODES[self.code].severity


def nearest(word: str, candidates: Iterable[str]) -> str:
    """The candidate that `word` is most likely a misspelling of, or an empty text."""
    folded = {candidate.casefold(): candidate for candidate in candidates}
    matches = get_close_matches(word.casefold(), sorted(folded), n=1, cutoff=0.6)
    return folded[matches[0]] if matches else ""


def is_slip(word: str, meant: str) -> bool:
    """Whether one slip of the finger makes `word` of `meant`: a letter lost, added, wrong, or two swapped.

    Short words and digits never count: there, one letter may be the whole difference.
    """
    if min(len(word), len(meant)) < 4 or not f"{word}{meant}".replace("_", "").isalpha():
        return False
    pairs = zip(word, meant, strict=False)
    start = next(
        (index for index, (one, other) in enumerate(pairs) if one != other), min(len(word), len(meant))
    )
    left, right = word[start:], meant[start:]
    return word != meant and (
        left[1:] == right[1:] or left[1:] == right or left == right[1:] or left == right[1::-1] + right[2:]
    )


def slip_of(word: str, candidates: Iterable[str]) -> str:
    """The one candidate that `word` is a slip of, or an empty text if there is none or more than one."""
    meant = [candidate for candidate in candidates if is_slip(word, candidate)]
    return meant[0] if len(meant) == 1 else ""


def in_order(diagnostics: Iterable[Diagnostic]) -> Sequence[Diagnostic]:
    """The same findings once each, sorted by place, so that two runs read alike.

    A name that leads nowhere is one mistake of its file, however often it is written: the finding stands at
    the first place and tells of the others.
    """
    found = sorted(set(diagnostics), key=lambda each: (each.place, each.code, each.message))
    alike: defaultdict[object, list[Diagnostic]] = defaultdict(list)
    for number, each in enumerate(found):
        one_name = (each.place.file, each.code, each.message)
        alike[one_name if each.code in UNKNOWN_NAMES else number].append(each)
    return [replace(first, also=tuple(one.place for one in more)) for first, *more in alike.values()]
