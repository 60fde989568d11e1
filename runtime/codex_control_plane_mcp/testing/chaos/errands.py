"""Errands: what the persons of a chaos run want done, drawn from a seed."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal["say", "run", "approve", "decline", "question", "long", "stop", "follow"]
"""What is special about an errand; `follow` sends a second message on the thread of the first."""

RecoveryPolicy: TypeAlias = Literal["report", "continue"]

_WEIGHTS: Final[dict[Kind, int]] = {
    "say": 2,
    "run": 2,
    "approve": 3,
    "decline": 1,
    "question": 2,
    "long": 4,
    "stop": 2,
    "follow": 2,
}

_KINDS: Final[tuple[Kind, ...]] = tuple(_WEIGHTS)


@dataclass(frozen=True, slots=True)
class Errand:
    """One task, or two on one thread; `seconds` is how long the model works at a long one."""

    number: int
    kind: Kind
    recovery_policy: RecoveryPolicy
    seconds: float
    messages: tuple[str, ...]

    @property
    def gate(self) -> str:
        """The gate at which the model works until it is opened."""
        return f"errand-{self.number}"


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
            messages=tuple(_message(text, number) for text in _scripts(kind, number)),
        )


def _scripts(kind: Kind, number: int) -> tuple[str, ...]:
    gate = f"wait errand-{number}"
    match kind:
        case "say":
            return (_script("say Said."),)
        case "run":
            return (_script("run echo busy", "say Ran it."),)
        case "approve" | "decline":
            return (_script(f"ask echo {number}", "say Asked for leave."),)
        case "question":
            return (_script("question Shall I?", "say Asked."),)
        case "long" | "stop":
            return (_script(gate, "say Took its time."),)
        case "follow":
            return _script("say First."), _script("run echo second", "say Second.")


def _script(*steps: str) -> str:
    """Return a script whose task, carried on after a death, just comes to its end."""
    return "\n".join([*(f"model: {step}" for step in steps), "next: say Carried on."])


def _message(script: str, number: int) -> str:
    part = script.count("Second.")
    return f"{script}\n(errand {number}.{part})"
