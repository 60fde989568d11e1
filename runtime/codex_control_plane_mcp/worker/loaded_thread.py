"""A thread as the reply that loaded it tells: what its next turn runs with unless it says otherwise."""

from dataclasses import dataclass
from typing import Self

from codex_control_plane_contract import codex
from codex_control_plane_contract.values import JsonObject


@dataclass(frozen=True, slots=True)
class LoadedThread:
    """A thread that Codex has in memory, with its model, its reasoning effort and its collaboration mode.

    ``effort`` is None for the model's own; ``mode`` is None where Codex does not say.
    """

    thread_id: str
    model: str
    effort: str | None
    mode: str | None

    @classmethod
    def made(cls, reply: codex.ThreadStartResult | codex.ThreadForkResult) -> Self:
        """Return a new thread, or a copy; both are in mode default, whatever the source of a copy is in."""
        return cls(reply["thread"]["id"], reply["model"], reply.get("reasoningEffort"), "default")

    @classmethod
    def resumed(cls, reply: codex.ThreadResumeResult) -> Self:
        """Return a thread that existed before; its mode is that of its last turn, whoever began it."""
        mode = (reply.get("collaborationMode") or {}).get("mode")
        return cls(
            reply["thread"]["id"],
            reply["model"],
            reply.get("reasoningEffort"),
            mode if isinstance(mode, str) else None,
        )

    def in_mode(self, mode: str, *, model: str | None, effort: str | None) -> JsonObject:
        """Return ``turn/start``'s collaborationMode.

        It takes the place of the call's own model and effort and stays on the thread, so that what is not
        asked for must be said as it is.
        """
        return {
            "mode": mode,
            "settings": {
                "model": model or self.model,
                "reasoning_effort": effort or self.effort,
                # Codex's own for the mode.
                "developer_instructions": None,
            },
        }
