"""What is said of Codex's protocol does not contradict itself, nor what Codex says of it."""

from collections.abc import Iterator, Mapping
from typing import Final

from codex_control_plane_codegen.checks.subject import Subject, key_place_of, place_of, unknown
from codex_control_plane_codegen.diagnostics import Diagnostic, nearest
from codex_control_plane_codegen.model import CodexShape
from codex_control_plane_codegen.protocol.fitting import (
    Message,
    Misfit,
    Part,
    Problem,
    Protocol,
    misfits_of,
    sections,
)
from codex_control_plane_codegen.protocol.pins import version_order

_NOUNS: Final[Mapping[str, str]] = {
    "methods": "method of Codex",
    "notifications": "notification of Codex",
    "serverRequests": "request of Codex",
}
_CODES: Final[Mapping[Problem, str]] = {
    "missing": "SPEC-X005",
    "type": "SPEC-X006",
    "presence": "SPEC-X007",
}
_HINTS: Final[Mapping[Problem, str]] = {
    "missing": "",
    "type": "Write Codex's type; `object` stands for every structure.",
    "presence": "`!` stands for: always there.",
}


def messages_are_wanted_or_not(subject: Subject) -> Iterator[Diagnostic]:
    """No message is both listened to and declined, nor both asked of people and refused."""
    codex = subject.model.codex
    if not codex:
        return
    listened = {notification.name for notification in codex.notifications}
    for index, name in enumerate(codex.opt_out):
        if name in listened:
            message = f"`{name}` is listened to and declined"
            yield Diagnostic("SPEC-X001", place_of(codex, "opt_out", index), message, "Keep one of the two.")
    asked = {request.name for request in codex.server_requests}
    for refused in codex.refused_requests:
        if refused.name in asked:
            message = f"`{refused.name}` is asked of people and refused"
            yield Diagnostic("SPEC-X001", key_place_of(refused), message, "Keep one of the two.")


def tested_version_will_do(subject: Subject) -> Iterator[Diagnostic]:
    """The Codex that the tests run is not older than the oldest one that will do."""
    codex = subject.model.codex
    if codex and version_order(codex.tested_version) < version_order(codex.minimum_version):
        message = f"The tests run {codex.tested_version}, which is older than {codex.minimum_version}"
        hint = "Test a version that is allowed."
        yield Diagnostic("SPEC-X002", place_of(codex, "tested_version"), message, hint)


def versions_are_pinned(subject: Subject) -> Iterator[Diagnostic]:
    """The versions that are called pinned are the pinned ones, the oldest and the tested one among them."""
    codex = subject.model.codex
    if not codex or not subject.pins:
        return
    for index, version in enumerate(codex.pinned_versions):
        if version not in subject.pins:
            place = place_of(codex, "pinned_versions", index)
            yield Diagnostic(
                "SPEC-X003", place, f"There is no schemas/codex/{version}", "Pin it, or drop it."
            )
    for key, version in (
        ("minimum_version", codex.minimum_version),
        ("tested_version", codex.tested_version),
    ):
        if version not in codex.pinned_versions:
            message = f"`{version}` is none of the pinned versions"
            yield Diagnostic("SPEC-X003", place_of(codex, key), message, "Pin it, and name it there.")
    for version in subject.pins:
        if version not in codex.pinned_versions:
            message = f"schemas/codex/{version} is pinned and not named here"
            yield Diagnostic("SPEC-X003", place_of(codex, "pinned_versions"), message, f"Add {version}.")


def codex_messages_exist(subject: Subject) -> Iterator[Diagnostic]:
    """Codex has every message that is called, listened to, declined, asked or refused."""
    codex, protocol = subject.model.codex, _tested(subject)
    if not codex or not protocol:
        return
    for section, messages in sections(codex).items():
        known = protocol.names(section)
        for message in messages:
            yield from unknown("SPEC-X004", _NOUNS[section], message.name, known, key_place_of(message))
            if message.name in known and not protocol.parts(section, message):
                sentence = f"`{message.name}` is pinned by its name alone"
                hint = "Pin the protocols anew: `make codex-pins`."
                yield Diagnostic("SPEC-X003", key_place_of(message), sentence, hint)
    for index, name in enumerate(codex.opt_out):
        place, known = place_of(codex, "opt_out", index), protocol.names("notifications")
        yield from unknown("SPEC-X004", _NOUNS["notifications"], name, known, place)
    for refused in codex.refused_requests:
        known = protocol.names("serverRequests")
        yield from unknown("SPEC-X004", _NOUNS["serverRequests"], refused.name, known, key_place_of(refused))


def codex_has_what_is_used(subject: Subject) -> Iterator[Diagnostic]:
    """Every field that is named is in Codex's protocol, of that type and as surely there."""
    codex, protocol = subject.model.codex, _tested(subject)
    if not codex or not protocol:
        return
    for section, messages in sections(codex).items():
        for message in messages:
            for part in protocol.parts(section, message):
                yield from _misfits(part, protocol, message)
    for shape in codex.shapes:
        if whole := protocol.shape(shape):
            yield from _misfits(whole, protocol, shape)


def _misfits(part: Part, protocol: Protocol, element: Message | CodexShape) -> Iterator[Diagnostic]:
    known = protocol.reader.properties(part.schema)
    for misfit in misfits_of(part, protocol.reader, element):
        suggestion = nearest(misfit.element.name, known) if misfit.problem == "missing" else ""
        yield _diagnostic(misfit, suggestion)


def _diagnostic(misfit: Misfit, suggestion: str) -> Diagnostic:
    place = key_place_of(misfit.element) if misfit.problem == "missing" else place_of(misfit.element)
    return Diagnostic(_CODES[misfit.problem], place, misfit.sentence, _HINTS[misfit.problem], suggestion)


def losses_are_ruled(subject: Subject) -> Iterator[Diagnostic]:
    """Of every call that changes something, and of answers, it is said what follows a lost reply."""
    codex = subject.model.codex
    if not codex:
        return
    hint = "Add `if_lost`: the evidence, where it is looked up, and what its absence means."
    for method in codex.methods:
        if method.changes and method.if_lost is None:
            message = f"`{method.name}` changes something, and nothing says what follows a lost reply"
            yield Diagnostic("SPEC-X009", key_place_of(method), message, hint)
    if codex.server_requests and codex.answers is None:
        message = "Codex is answered, and nothing says what follows a lost confirmation"
        yield Diagnostic("SPEC-X009", place_of(codex, "server_requests"), message, "Add `answers`.")


def losses_are_looked_up(subject: Subject) -> Iterator[Diagnostic]:
    """What a lost reply is looked up in is a method that recovery relies on, and its choices exist."""
    codex = subject.model.codex
    if not codex:
        return
    sources = [method.name for method in codex.methods if method.evidence]
    rules = [method.if_lost for method in codex.methods]
    rules += [notification.if_lost for notification in codex.notifications]
    rules += [codex.answers.if_lost] if codex.answers else []
    for rule in rules:
        if rule is None:
            continue
        if rule.looked_up_in is not None:
            place = place_of(rule, "looked_up_in")
            yield from unknown("SPEC-X010", "method with `evidence: true`", rule.looked_up_in, sources, place)
        for index, choice in enumerate(rule.choices):
            known = [each.name for each in codex.choices]
            yield from unknown("SPEC-X010", "choice", choice, known, place_of(rule, "choices", index))


def experimental_is_said(subject: Subject) -> Iterator[Diagnostic]:
    """A method is called experimental if, and only if, Codex calls it so."""
    codex, protocol = subject.model.codex, _tested(subject)
    if not codex or not protocol:
        return
    known = protocol.names("methods")
    for method in codex.methods:
        if method.name in known and method.experimental != (known[method.name] == "experimental"):
            message = f"Codex calls `{method.name}` {known[method.name]}"
            hint = "Drop `experimental`." if method.experimental else "Add `experimental: true`."
            yield Diagnostic("SPEC-X008", key_place_of(method), message, hint)


def _tested(subject: Subject) -> Protocol | None:
    """The protocol of the version that the tests run, if it is pinned."""
    codex = subject.model.codex
    return subject.pins.get(codex.tested_version) if codex else None
