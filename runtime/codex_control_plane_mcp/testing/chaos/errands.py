"""Errands: what the persons of a chaos run want done, drawn from a seed."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha512
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
    "plan",
    "review",
    "shelve",
    "compact",
]
"""What is special about an errand.

`change` and `widen` ask for leave to change a file and to write in a directory. `steer` has words for
the turn that runs, `follow` a second message on the thread of the first, `fork` a copy of the thread and
a message on the copy, `branch` a copy that begins with a message. `plan` and `review` are workflows; the plan
is approved twice. `shelve` archives a thread, takes it back and goes on in it, `compact` goes on in
one that was compacted.
"""

TaskType: TypeAlias = Literal["start_chat", "send_message", "fork_thread"]

ThreadAction: TypeAlias = Literal["archive", "unarchive", "compact"]

WorkflowType: TypeAlias = Literal["plan_workflow", "review_workflow"]

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
    "plan": 3,
    "review": 2,
    "shelve": 1,
    "compact": 1,
}

_KINDS: Final[tuple[Kind, ...]] = tuple(_WEIGHTS)


@dataclass(frozen=True, slots=True)
class Part:
    """One step of an errand; a copy of a thread may have no message, and an action on one has none."""

    does: TaskType | ThreadAction | WorkflowType
    message: str = ""


@dataclass(frozen=True, slots=True)
class Errand:
    """One task, or several steps, each on the thread of the one before.

    `words` are for the turn while it runs, or carry a plan out; `seconds` is how long the model works at
    a long one.
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
            words=_words(kind, number),
        )


def _parts(kind: Kind, number: int) -> tuple[Part, ...]:
    first = Part("start_chat", _script(*_steps(kind, number), f"say Ended. ({number})"))
    second = _second(number)
    match kind:
        case "follow":
            return first, Part("send_message", second)
        case "fork":
            return first, Part("fork_thread"), Part("send_message", second)
        case "branch":
            return first, Part("fork_thread", second)
        case "shelve":
            return first, Part("archive"), Part("unarchive"), Part("send_message", second)
        case "compact":
            return first, Part("compact"), Part("send_message", second)
        case "plan":
            plan = f"plan # Errand {number}\\n\\n1. Read it.\\n2. Do it."
            return (Part("plan_workflow", _script(plan, after=plan, about=number)),)
        case "review":
            return (Part("review_workflow", _script(f"say Reviewed. ({number})")),)
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
        case _:
            return ()


def _words(kind: Kind, number: int) -> str:
    match kind:
        case "steer":
            return _script(f"say Steered. ({number})")
        case "plan":
            return _second(number)
        case _:
            return ""


def _second(number: int) -> str:
    return _script("run echo second", f"say Second. ({number})")


def _script(*steps: str, after: str = "say Carried on.", about: int | None = None) -> str:
    """Return a script whose task, carried on after a death, comes to its end by the step `after`.

    Where scripts that are nearly alike would be taken for one, each is `about` something of its own.
    """
    subject = [] if about is None else [sha512(str(about).encode()).hexdigest()]
    return "\n".join([*subject, *(f"model: {step}" for step in steps), f"next: {after}"])
