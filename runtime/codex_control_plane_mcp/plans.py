"""Plans in Codex's words: found among the items of a turn, normalised, hashed, and judged (contract §9).

The judgement is one of form, by the rules of ``_RULES`` in their order; nobody reads what the plan means:

- ``unknown``: nothing but white space.
- ``partial``: it breaks off: the block or a code fence is not closed, or the last line ends in ``…``, ``...``
  or ``:``.
- ``blocker``: a section named Blocker(s), Blocked or Blocking issue(s) says something, or the first line says
  that the work is blocked or cannot proceed.
- ``question``: a section of questions (Questions, Open questions, …) asks one, or the last line asks.
- ``valid_plan``: it has a step: an item of a list, or a heading with text beneath it.
- ``needs_review``: anything else, such as one sentence of prose.

A section that holds only "none" says nothing. Lines within code fences are neither headings nor questions.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from codex_control_plane_contract.records import TurnPlanQuality, TurnPlanSource
from codex_control_plane_contract.values import JsonObject

_OPEN_MARK: Final = re.compile(r"^[ \t]*<proposed_plan>[ \t]*$", re.MULTILINE)
_CLOSE_MARK: Final = re.compile(r"^[ \t]*</proposed_plan>[ \t]*$", re.MULTILINE)
_LINE_END: Final = re.compile(r"\r\n?|\n")
_FENCE: Final = re.compile(r"^\s*(```|~~~)")
_HEADING: Final = re.compile(r"^#{1,6}\s+(?P<hashed>.+?)\s*#*$|^\*\*(?P<bold>[^*]+?):?\*\*:?$")
_STEP: Final = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+\S")
_BULLET: Final = re.compile(r"^\s*(?:[-*+]|\d+[.)])?\s*")
_NOTHING: Final = frozenset({"", "none", "no", "nothing", "n/a", "-"})
_BLOCKERS: Final = re.compile(r"blockers?|blocked|blocking issues?", re.IGNORECASE)
_QUESTIONS: Final = re.compile(r"(?:open |remaining |unresolved |clarifying )?questions?", re.IGNORECASE)
_STUCK: Final = re.compile(
    r"\b(?:(?:am|is|are|work is) blocked|(?:cannot|can't|can not|unable to) (?:proceed|continue|plan))\b",
    re.IGNORECASE,
)
_BREAKS_OFF: Final = ("…", "...", ":")
_ASKS: Final = ("?", "\uff1f")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan as Codex gave it; ``whole`` says that the block it stood in was closed."""

    markdown: str
    source: TurnPlanSource
    whole: bool = True

    @property
    def plan_hash(self) -> str:
        """The SHA-256 of the whole normalised plan, in hexadecimal."""
        return hashlib.sha256(normalised(self.markdown).encode()).hexdigest()

    @property
    def quality(self) -> TurnPlanQuality:
        """What the plan is taken for, by the first rule that holds."""
        plan = _Plan.read(normalised(self.markdown), whole=self.whole)
        return next(word for word, holds in _RULES if holds(plan))


def normalised(markdown: str) -> str:
    """Return a plan without what no reader sees: line ends of other systems, blanks at line ends, outer blank
    lines, and other compositions of the same characters (NFC).
    """
    lines = _LINE_END.split(unicodedata.normalize("NFC", markdown))
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def proposals(items: Iterable[JsonObject]) -> list[Proposal]:
    """Return the plans among the items of a turn, in order.

    A plan is an item of type ``plan``, or what an agent message holds between ``<proposed_plan>`` and
    ``</proposed_plan>``, each on a line of its own; of several in one message the last one counts.
    """
    found = (_proposal(item) for item in items)
    return [proposal for proposal in found if proposal is not None]


def _proposal(item: JsonObject) -> Proposal | None:
    text = item.get("text")
    if not isinstance(text, str):
        return None
    if item.get("type") == "plan":
        return Proposal(text, "plan_item")
    opened = [*_OPEN_MARK.finditer(text)] if item.get("type") == "agentMessage" else []
    if not opened:
        return None
    rest = text[opened[-1].end() :]
    closed = _CLOSE_MARK.search(rest)
    return Proposal(
        rest[: closed.start()] if closed else rest, "proposed_plan_block", whole=closed is not None
    )


@dataclass(frozen=True, slots=True)
class _Section:
    """What stands beneath one heading, or before the first one; without blank lines and code."""

    heading: str
    lines: tuple[str, ...]

    @property
    def says_something(self) -> bool:
        return any(_BULLET.sub("", line).rstrip(".").lower() not in _NOTHING for line in self.lines)

    @property
    def asks(self) -> bool:
        return any(mark in line for line in self.lines for mark in _ASKS)


@dataclass(frozen=True, slots=True)
class _Plan:
    """The form of a plan; ``first`` and ``last`` are its outer lines."""

    whole: bool
    first: str
    last: str
    sections: tuple[_Section, ...]

    @classmethod
    def read(cls, text: str, *, whole: bool) -> "_Plan":
        lines = text.split("\n")
        sections, fenced = _sections(lines)
        return cls(whole and not fenced, lines[0], lines[-1], sections)

    def named(self, name: re.Pattern[str]) -> Iterator[_Section]:
        """Yield the sections with such a name."""
        return (section for section in self.sections if name.fullmatch(section.heading))


def _sections(lines: Iterable[str]) -> tuple[tuple[_Section, ...], bool]:
    """Return the sections, and whether a code fence is still open at the end."""
    sections: list[tuple[str, list[str]]] = [("", [])]
    fenced = False
    for line in lines:
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced and (heading := _HEADING.match(line.strip())):
            sections.append(((heading["hashed"] or heading["bold"]).rstrip(": "), []))
        elif not fenced and line.strip():
            sections[-1][1].append(line)
    return tuple(_Section(heading, tuple(body)) for heading, body in sections), fenced


def _is_empty(plan: _Plan) -> bool:
    return not plan.last


def _breaks_off(plan: _Plan) -> bool:
    return not plan.whole or plan.last.endswith(_BREAKS_OFF)


def _is_blocked(plan: _Plan) -> bool:
    blocked = any(section.says_something for section in plan.named(_BLOCKERS))
    return blocked or _STUCK.search(plan.first) is not None


def _asks(plan: _Plan) -> bool:
    return any(section.asks for section in plan.named(_QUESTIONS)) or plan.last.endswith(_ASKS)


def _has_a_step(plan: _Plan) -> bool:
    return any(
        (section.heading and section.lines) or any(map(_STEP.match, section.lines))
        for section in plan.sections
    )


_Rule: TypeAlias = Callable[[_Plan], bool]
_RULES: Final[tuple[tuple[TurnPlanQuality, _Rule], ...]] = (
    ("unknown", _is_empty),
    ("partial", _breaks_off),
    ("blocker", _is_blocked),
    ("question", _asks),
    ("valid_plan", _has_a_step),
    ("needs_review", lambda _: True),
)
