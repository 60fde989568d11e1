"""What can go wrong with one message between a worker and Codex, and the script that says when it does."""

import json
import random
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, get_args

Direction: TypeAlias = Literal["to_codex", "from_codex"]
"""Which way a message goes."""

Kind: TypeAlias = Literal["request", "reply", "notification", "question", "answer"]
"""A call of ours and what Codex replies, what Codex tells, what it asks and what we answer."""

Action: TypeAlias = Literal["drop", "delay", "duplicate", "reorder", "truncate", "cut_before", "cut_after"]
"""What happens to a message:

- ``drop``: it is lost, and the connection lives;
- ``delay``: it is held for LATE_SECONDS, and what comes after it in this direction waits behind it;
- ``duplicate``: it comes twice;
- ``reorder``: the next one in this direction overtakes it (where none follows, it is only late);
- ``truncate``: its second half is lost, and the connection lives;
- ``cut_before``, ``cut_after``: the connection breaks, both ways, before or after it has arrived.
"""

ACTIONS: Final[tuple[Action, ...]] = get_args(Action)
"""Every action."""

LATE_SECONDS: Final = 1.3
"""How long a late message is held; a task that is submitted for it does not wait so long for a reply."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Messages of one kind about one method; of a reply or an answer, the method that it is to."""

    kind: Kind
    method: str

    def __str__(self) -> str:
        return f"{self.kind} {self.method}"


@dataclass(frozen=True, slots=True)
class Fault:
    """An action on the messages of a subject: on ``times`` of them, the first of which is the ``nth``."""

    subject: Subject
    action: Action
    nth: int = 1
    times: int = 1

    def strikes(self, subject: Subject, occurrence: int) -> bool:
        """Return whether it strikes the message of this subject that comes as the so-manieth."""
        return subject == self.subject and self.nth <= occurrence < self.nth + self.times


def unheard(*methods: str) -> tuple[Fault, ...]:
    """Return the loss of every notification of these methods."""
    return tuple(Fault(Subject("notification", method), "drop", times=sys.maxsize) for method in methods)


@dataclass(frozen=True, slots=True)
class Weather:
    """Faults by chance: of all messages a share of ``rate`` meets one of the actions.

    What a message meets follows from the seed, its subject and how many of the subject came before, and not
    from the order in which messages of different subjects come; so the same run meets the same faults.
    """

    seed: int
    rate: float
    actions: Sequence[Action] = ACTIONS

    def strike(self, subject: Subject, occurrence: int) -> Action | None:
        """Return what the message of this subject that comes as the so-manieth meets, or None."""
        chance = random.Random(f"{self.seed} {subject} {occurrence}")  # noqa: S311 -- repeatable, no secret
        return chance.choice(self.actions) if chance.random() < self.rate else None


@dataclass(frozen=True, slots=True)
class Script:
    """What goes wrong from when it is put in place until another one is.

    ``wire`` is a named pipe that is told of each fault. A fault that is scripted goes before the weather.
    """

    faults: Sequence[Fault] = ()
    weather: Weather | None = None
    wire: Path | None = None

    def strike(self, subject: Subject, occurrence: int) -> Action | None:
        """Return what the message of this subject that comes as the so-manieth meets, or None."""
        for fault in self.faults:
            if fault.strikes(subject, occurrence):
                return fault.action
        return None if self.weather is None else self.weather.strike(subject, occurrence)

    def as_text(self) -> str:
        """Return the script as JSON."""
        return json.dumps(asdict(self), default=str)


def read_script(text: str) -> Script:
    """Return the script that :meth:`Script.as_text` wrote."""
    written: Any = json.loads(text)
    weather: Any = written["weather"]
    return Script(
        faults=tuple(_read_fault(fault) for fault in written["faults"]),
        weather=None if weather is None else _read_weather(weather),
        wire=None if written["wire"] is None else Path(written["wire"]),
    )


def _read_weather(written: Any) -> Weather:
    return Weather(written["seed"], written["rate"], tuple(written["actions"]))


def _read_fault(written: Any) -> Fault:
    subject: Any = written["subject"]
    return Fault(
        Subject(subject["kind"], subject["method"]), written["action"], written["nth"], written["times"]
    )
