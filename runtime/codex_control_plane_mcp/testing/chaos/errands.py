"""Errands: what the persons of a chaos run want done, drawn from a seed."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal[
    "say",
    "run",
    "approve",
    "decline",
    "change",
    "widen",
    "question",
    "long",
    "stop",
    "steer",
    "follow",
    "fork",
    "branch",
]
"""What is special about an errand.

`change` and `widen` ask for leave to change a file and to write in a directory. `steer` has words for
the turn that runs, `follow` a second message on the thread of the first, `fork` a copy of the thread and
a message on the copy, `branch` a copy that begins with a message.
"""

OperationType: TypeAlias = Literal["start_chat", "send_message", "fork_thread"]

RecoveryPolicy: TypeAlias = Literal["report", "continue"]

_WEIGHTS: Final[dict[Kind, int]] = {
    "say": 2,
    "run": 2,
    "approve": 2,
    "decline": 1,
    "change": 1,
    "widen": 1,
    "question": 2,
    "long": 3,
    "stop": 2,
    "steer": 3,
    "follow": 2,
    "fork": 1,
    "branch": 1,
}

_KINDS: Final[tuple[Kind, ...]] = tuple(_WEIGHTS)


@dataclass(frozen=True, slots=True)
class Part:
    """One operation of an errand; a copy of a thread may have no message."""

    operation_type: OperationType
    message: str = ""


@dataclass(frozen=True, slots=True)
class Errand:
    """One task, or several, each on the thread of the one before.

    `words` are for the turn while it runs; `seconds` is how long the model works at a long one.
    """

    number: int
    kind: Kind
    recovery_policy: RecoveryPolicy
    seconds: float
    parts: tuple[Part, ...]
    words: str = ""

    @property
    def gate(self) -> str:
        """The gate at which the model works until it is opened."""
        return f"errand-{self.number}"

    @property
    def copies(self) -> bool:
        """Whether a thread is copied."""
        return self.kind in ("fork", "branch")


def draw(count: int, seed: int) -> Iterator[Errand]:
    """Return so many errands, always the same for a seed."""
    random = Random(seed)  # noqa: S311 -- a seed is the point: the same errands again
    for number in range(count):
        kind: Kind = random.choices(_KINDS, weights=[_WEIGHTS[one] for one in _KINDS])[0]
        yield Errand(
            number=number,
            kind=kind,
            recovery_policy=random.choice(("report", "continue")),
            seconds=random.uniform(0.1, 1.5),
            parts=_parts(kind, number),
            words=_script(f"say Steered. ({number})") if kind == "steer" else "",
        )


def _parts(kind: Kind, number: int) -> tuple[Part, ...]:
    first = Part("start_chat", _script(*_steps(kind, number), f"say Ended. ({number})"))
    second = _script("run echo second", f"say Second. ({number})")
    match kind:
        case "follow":
            return first, Part("send_message", second)
        case "fork":
            return first, Part("fork_thread"), Part("send_message", second)
        case "branch":
            return first, Part("fork_thread", second)
        case _:
            return (first,)


def _steps(kind: Kind, number: int) -> tuple[str, ...]:
    """Return what the model does before it comes to its end."""
    match kind:
        case "run":
            return ("run echo busy",)
        case "approve" | "decline":
            return (f"ask echo {number}",)
        case "change":
            return (f"patch ../made-{number} changed",)
        case "widen":
            return ("widen /srv",)
        case "question":
            return ("question Shall I?",)
        case "long" | "stop" | "steer":
            return (f"wait errand-{number}",)
        case "say" | "follow" | "fork" | "branch":
            return ()


def _script(*steps: str) -> str:
    """Return a script whose task, carried on after a death, just comes to its end."""
    return "\n".join([*(f"model: {step}" for step in steps), "next: say Carried on."])
