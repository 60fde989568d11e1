"""What is said in Codex's name has evidence (docs/architecture.md, One way to call Codex)."""

from collections.abc import Iterator

from codex_control_plane_codegen.checks.subject import Subject, place_of
from codex_control_plane_codegen.diagnostics import Diagnostic


def codex_is_quoted(subject: Subject) -> Iterator[Diagnostic]:
    """An event that Codex raises says which of Codex's own words show it."""
    for facts in subject.facts.lifecycles.values():
        for event in facts.lifecycle.events:
            if "codex" in event.by and not event.evidence:
                message = f"`{event.name}` is raised by codex, and nothing says what shows it"
                hint = "Add `evidence`: the reply, the notification or the part of the history that shows it."
                yield Diagnostic("SPEC-L019", place_of(event, "by", event.by.index("codex")), message, hint)
