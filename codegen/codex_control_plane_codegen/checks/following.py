"""A lifecycle that follows another one says what follows from every state of it, and can always follow."""

from collections.abc import Iterator

from codex_control_plane_codegen.checks.subject import Subject, key_place_of, listed, place_of, unknown
from codex_control_plane_codegen.diagnostics import Diagnostic
from codex_control_plane_codegen.facts import NOTHING, FollowFacts
from codex_control_plane_codegen.model import Column, Consequence, Role


def followed_parts_exist(subject: Subject) -> Iterator[Diagnostic]:
    """A follower names a lifecycle, columns, roles, states and events that there are."""
    if not subject.whole("lifecycle"):
        return
    for lifecycle in subject.model.lifecycles:
        follows = lifecycle.follows
        if follows:
            place = place_of(follows, "lifecycle")
            yield from unknown("SPEC-R007", "lifecycle", follows.lifecycle, subject.facts.lifecycles, place)
    for facts in subject.facts.followers:
        for key, name in (("named_by", facts.follows.named_by), ("role_in", facts.follows.role_in)):
            place = place_of(facts.follows, key)
            yield from unknown("SPEC-R008", "column", name, facts.followed.columns, place)
        for role in facts.follows.roles:
            yield from _parts_of_role(facts, role)


def _parts_of_role(facts: FollowFacts, role: Role) -> Iterator[Diagnostic]:
    column = _role_column(facts)
    if column:
        yield from unknown("SPEC-R020", "role", role.name, column.values, key_place_of(role))
    states = (*facts.followed.states, *facts.followed.groups)
    events = (*facts.follower.events, NOTHING)
    for consequence in role.consequences:
        yield from unknown(
            "SPEC-R002", "state or group", consequence.state, states, key_place_of(consequence)
        )
        for name in consequence.events:
            yield from unknown("SPEC-R021", "event", name, events, place_of(consequence))


def every_role_is_followed_once(subject: Subject) -> Iterator[Diagnostic]:
    """One lifecycle, and only one, follows the rows that play a part."""
    claims: dict[tuple[str, str], str] = {}
    for facts in subject.facts.followers:
        for role in facts.follows.roles:
            claim = facts.followed.lifecycle.name, role.name
            if claim in claims:
                message = f"`{role.name}` is followed by `{claims[claim]}` as well"
                yield Diagnostic("SPEC-L021", key_place_of(role), message, "Keep one of the two.")
            claims.setdefault(claim, facts.follower.lifecycle.name)
    for facts in _one_for_each_column(subject):
        column = _role_column(facts)
        for index, name in enumerate(column.values if column else ()):
            if column and (facts.followed.lifecycle.name, name) not in claims:
                message = f"No lifecycle follows the role `{name}`"
                hint = "Add it under `follows` of a lifecycle, or remove the value."
                yield Diagnostic("SPEC-L022", place_of(column, "values", index), message, hint)


def _one_for_each_column(subject: Subject) -> Iterator[FollowFacts]:
    seen: set[tuple[str, str]] = set()
    for facts in subject.facts.followers:
        key = facts.followed.lifecycle.name, facts.follows.role_in
        if key not in seen:
            seen.add(key)
            yield facts


def every_state_has_its_consequence(subject: Subject) -> Iterator[Diagnostic]:
    """For each role, what follows from a state of the followed row is said, and said once."""
    for facts in subject.facts.followers:
        for role in facts.follows.roles:
            yield from _open_and_repeated(facts, role)


def _open_and_repeated(facts: FollowFacts, role: Role) -> Iterator[Diagnostic]:
    said: set[str] = set()
    for consequence in role.consequences:
        states = facts.followed.flatten((consequence.state,))
        if again := [state for state in states if state in said]:
            message = f"What follows from {listed(again)} is said twice"
            yield Diagnostic("SPEC-L021", key_place_of(consequence), message, "Keep one of the two.")
        said.update(states)
    if left := [state for state in facts.followed.states if state not in said]:
        message = f"What follows once the {role.name} is {listed(left)} is not said"
        hint = "Name the event that it raises, or say `nothing`."
        yield Diagnostic("SPEC-L020", key_place_of(role), message, hint)


def followers_can_always_follow(subject: Subject) -> Iterator[Diagnostic]:
    """What a followed row raises is a transition or ignored in every state, and its actors may raise it."""
    for facts in subject.facts.followers:
        for role in facts.follows.roles:
            for consequence in role.consequences:
                yield from _refusals(facts, consequence)
                yield from _strangers(facts, consequence)


def _refusals(facts: FollowFacts, consequence: Consequence) -> Iterator[Diagnostic]:
    for name in consequence.events:
        refused = [
            state
            for (state, event), cell in facts.follower.cells.items()
            if event == name and cell in ("illegal", "conflict")
        ]
        if refused:
            message = f"`{name}` is refused in {listed(refused)}, and the followed row could not change then"
            yield Diagnostic("SPEC-L023", place_of(consequence), message, "List the states under `ignored`.")


def _strangers(facts: FollowFacts, consequence: Consequence) -> Iterator[Diagnostic]:
    actors = {
        actor for state in facts.followed.flatten((consequence.state,)) for actor in facts.actors(state)
    }
    for name in consequence.events:
        event = facts.follower.events.get(name)
        if event and (missing := sorted(actors.difference(event.by))):
            message = (
                f"{listed(missing)} may bring a followed row to `{consequence.state}`, and not raise `{name}`"
            )
            hint = f"Add to `by` of `{name}`: {', '.join(missing)}."
            yield Diagnostic("SPEC-L024", place_of(consequence), message, hint)


def _role_column(facts: FollowFacts) -> Column | None:
    return facts.followed.columns.get(facts.follows.role_in)
