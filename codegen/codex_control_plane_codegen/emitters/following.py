"""Emits `following.py`: which lifecycle follows which, and the decisions that the runtime makes for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from codex_control_plane_codegen.facts import NOTHING, Facts, FollowFacts
from codex_control_plane_codegen.output import CONTRACT_PACKAGE, Output
from codex_control_plane_codegen.python_source import Call, Expression, camel_case, signature
from codex_control_plane_codegen.templating import render


def emit(facts: Facts) -> Iterator[Output]:
    """`following.py`, if any lifecycle follows another."""
    views = [View(each) for each in facts.followers]
    if not views:
        return
    sources = [each.follower.lifecycle.document.path for each in facts.followers]
    names = {name for each in views for name in each.imported}
    text = render("following.py", views=views, sources=sources, lifecycles=sorted(names))
    yield Output(CONTRACT_PACKAGE / "following.py", text)


@dataclass(frozen=True)
class Decision:
    """A function that the runtime provides: what follows for one role and one state."""

    name: str
    signature: str
    means: str


@dataclass(frozen=True)
class View:
    """A follower as the template shows it."""

    facts: FollowFacts

    @property
    def name(self) -> str:
        """The lifecycle that follows."""
        return self.facts.follower.lifecycle.name

    @property
    def protocol(self) -> str:
        """The class of its decisions."""
        return f"{camel_case(self.name)}Decisions"

    @property
    def imported(self) -> list[str]:
        """The modules of `lifecycles` that its decisions speak of."""
        return [self.name, self.facts.followed.lifecycle.name] if self.decisions else []

    @property
    def table(self) -> Expression:
        """Its entry in the table."""
        return Call(
            "Follower",
            (),
            {
                "lifecycle": self.name,
                "followed": self.facts.followed.lifecycle.name,
                "named_by": self.facts.follows.named_by,
                "role_in": self.facts.follows.role_in,
                "roles": self.facts.roles,
                "decided": tuple((role, state) for role, state, _ in self._decided()),
            },
        )

    @property
    def decisions(self) -> list[Decision]:
        """What the runtime decides for it."""
        return [self._decision(*decided) for decided in self._decided()]

    def _decided(self) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        for role in self.facts.roles:
            for state, events in self.facts.decided(role).items():
                yield role, state, events

    def _decision(self, role: str, state: str, events: tuple[str, ...]) -> Decision:
        follower, followed = self.name, self.facts.followed.lifecycle.name
        name = f"when_{role}_{state}"
        parameters = [
            "self",
            f"row: {follower}.{camel_case(follower)}",
            f"followed: {followed}.{camel_case(state)}",
            "reads: ReadsT_contra",
        ]
        return Decision(
            name,
            signature(f"def {name}", parameters, self._changes(events), 4),
            f"Choose what follows once the {role} is {state}: {' or '.join(events)}.",
        )

    def _changes(self, events: tuple[str, ...]) -> str:
        """The type of what is chosen: a change to one of the states that the events lead to."""
        targets = dict.fromkeys(
            target
            for event in events
            for (_, name), target in self.facts.follower.targets.items()
            if name == event
        )
        changes = [f"Change[{self.name}.{camel_case(target)}]" for target in targets]
        return " | ".join([*changes, *(["None"] if NOTHING in events else [])])
