"""What is said of Codex's protocol does not contradict itself."""

from collections.abc import Iterator

from codex_control_plane_codegen.checks.subject import Subject, key_place_of, place_of
from codex_control_plane_codegen.diagnostics import Diagnostic


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
    if codex and _numbers(codex.tested_version) < _numbers(codex.minimum_version):
        message = f"The tests run {codex.tested_version}, which is older than {codex.minimum_version}"
        hint = "Test a version that is allowed."
        yield Diagnostic("SPEC-X002", place_of(codex, "tested_version"), message, hint)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
