"""What the persons of a chaos run were promised."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Promises:
    """What was acknowledged, by id.

    The message of each operation, empty for a copy of a thread without one; which to stop; the operation to
    whose turn the words of each steer were said; and the workflows.
    """

    messages: dict[str, str] = field(default_factory=dict[str, str])
    to_be_stopped: set[str] = field(default_factory=set[str])
    steered: dict[str, str] = field(default_factory=dict[str, str])
    workflows: set[str] = field(default_factory=set[str])
