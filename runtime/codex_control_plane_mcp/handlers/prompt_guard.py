"""The guard against the same work twice at once (contract §7, decision 0036)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from codex_control_plane_contract.errors import CodexDuplicatePromptActive
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.handlers.prompt_print import Print, normalise, prompt_hash
from codex_control_plane_mcp.scheduling.paths import ancestors, lock_paths
from codex_control_plane_mcp.store.prompts import KnownPrompt
from codex_control_plane_mcp.store.reading import Reader

COMPARED: Final = 200
"""With how many active prompts of the project a new one is compared: the same ones, then the newest."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as it is compared; `inputs_hash` stands for its images and its schema."""

    prompt_hash: str
    inputs_hash: str | None
    print: Print | None

    @classmethod
    def of(cls, message: str, inputs_hash: str | None) -> Self:
        """Return what `message` is known by; milliseconds for a long one, so call it on a thread."""
        normalised = normalise(message)
        return cls(prompt_hash(normalised), inputs_hash, Print.of(normalised))

    def print_as_json(self) -> JsonObject | None:
        """Return the print as it is stored; None where only the same prompt counts."""
        return None if self.print is None else self.print.as_json()

    def similarity(self, known: KnownPrompt) -> float:
        """Return 1 for the same prompt, less for one that is nearly the same, and 0 for another."""
        if known.prompt_hash == self.prompt_hash:
            return 1.0
        if self.print is None or known.prompt_print is None:
            return 0.0
        return self.print.similarity(Print.read(known.prompt_print))


def refuse_duplicate(reader: Reader, prompt: Prompt, project_id: str, resource_keys: Sequence[str]) -> None:
    """Raise CODEX_DUPLICATE_PROMPT_ACTIVE if the prompt, or nearly the same, is active in the project.

    A task that may change other paths only is none: both name resource keys, and none is in another's way.
    """
    known = reader.active_prompts(
        project_id, prompt_hash=prompt.prompt_hash, inputs_hash=prompt.inputs_hash, limit=COMPARED
    )
    found = _first_similar(prompt, (task for task in known if not _apart(task.resource_keys, resource_keys)))
    if found is None:
        return
    task, similarity = found
    details: JsonObject = {
        "existingOperationId": task.operation_id,
        "status": task.status,
        "similarity": round(similarity, 2),
    }
    if task.thread_id is not None:
        details["threadId"] = task.thread_id
    if task.turn_id is not None:
        details["turnId"] = task.turn_id
    likeness = "The same prompt" if similarity == 1 else "Nearly the same prompt"
    raise CodexDuplicatePromptActive(
        f"{likeness} is active in this project as {task.operation_id}; poll that one. "
        "If both are meant, codex_submit_task takes force: true and dedup_policy: idempotency_only.",
        **details,
    )


def _apart(some: Sequence[str], others: Sequence[str]) -> bool:
    """Return whether two tasks name paths, and none of them lies in, or holds, one of the other's."""
    if not some or not others:
        return False
    locked, wanted = ({*lock_paths("/", keys)} for keys in (some, others))
    return not any(
        path in theirs or not theirs.isdisjoint(ancestors(path))
        for own, theirs in ((locked, wanted), (wanted, locked))
        for path in own
    )


def _first_similar(prompt: Prompt, known: Iterable[KnownPrompt]) -> tuple[KnownPrompt, float] | None:
    for task in known:
        if (similarity := prompt.similarity(task)) > 0:
            return task, similarity
    return None
