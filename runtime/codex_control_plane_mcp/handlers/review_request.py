"""A review, as it was asked for, checked and in one form (contract §3, §9)."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Final, Literal, Self

from codex_control_plane_contract.arguments import StartReviewWorkflowArguments
from codex_control_plane_contract.errors import InvalidArgument
from codex_control_plane_contract.lifecycles import operation, review_workflow
from codex_control_plane_contract.values import JsonObject
from codex_control_plane_mcp.handlers.review_view import CODEX_WORDS, TargetType
from codex_control_plane_mcp.handlers.task_request import refuse_unstorable

_OF_TARGET: Final[Mapping[TargetType, str | None]] = {
    "uncommitted_changes": None,
    "base_branch": "base_branch",
    "commit": "commit_sha",
    "custom": "instructions",
}
"""The argument that says what is meant, by target."""

_NO_APPROVALS: Final = "approval_policy has no effect: a reviewer never asks."


@dataclass(frozen=True, slots=True)
class ReviewRequest:
    """What a caller wants reviewed, and where."""

    arguments: StartReviewWorkflowArguments

    @classmethod
    def of(cls, arguments: StartReviewWorkflowArguments) -> Self:
        """Return the request. Raises INVALID_ARGUMENT for arguments that do not fit each other."""
        refuse_unstorable(asdict(arguments))
        _refuse_other_targets(arguments)
        if arguments.thread_id is None and arguments.project_id is None and arguments.cwd is None:
            raise InvalidArgument("Give thread_id, project_id or cwd.", path="cwd")
        if arguments.model is not None and not cls(arguments).has_own_thread:
            raise InvalidArgument(
                "model does not fit a review in a thread that exists: it runs with that thread's. "
                "Give delivery detached for another one.",
                path="model",
            )
        return cls(arguments)

    @property
    def has_own_thread(self) -> bool:
        """Whether the review is held in a thread that is made for it."""
        return self.arguments.thread_id is None or self.arguments.delivery == "detached"

    @property
    def sandbox(self) -> Literal["read-only", "respect_existing"]:
        """What the reviewer may touch: Codex is told no sandbox, and a thread of ours begins read-only."""
        return "read-only" if self.has_own_thread else "respect_existing"

    @property
    def requested_sandbox(self) -> review_workflow.RequestedSandbox | None:
        """What the caller asked for, None without a wish."""
        return self.arguments.sandbox

    @property
    def delivery(self) -> operation.ReviewDelivery:
        """In the thread that is named, or in one of its own."""
        return self.arguments.delivery

    @property
    def target(self) -> JsonObject:
        """What is reviewed, as `review/start` takes it."""
        given = self.arguments
        match given.target_type:
            case "base_branch":
                words: JsonObject = {"branch": given.base_branch}
            case "commit":
                words = {"sha": given.commit_sha, "title": given.commit_title}
            case "custom":
                words = {"instructions": given.instructions}
            case _:
                words = {}
        return {"type": CODEX_WORDS[given.target_type], **words}

    @property
    def revision(self) -> tuple[str, str] | None:
        """The name that git must know, and the argument that holds it; None where none is named."""
        name = _OF_TARGET[self.arguments.target_type]
        if name is None or name == "instructions":
            return None
        return str(getattr(self.arguments, name)), name

    @property
    def payload_hash(self) -> str:
        """The SHA-256, in hexadecimal, that tells whether a key names the same request again (contract §7).

        It covers the canonical JSON of what the caller sent but for the key and `timeout_seconds`.
        """
        told = asdict(self.arguments).items()
        left_out = ("client_request_id", "timeout_seconds")
        given = {name: value for name, value in told if value is not None and name not in left_out}
        canonical = json.dumps(given, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode("ascii")).hexdigest()

    @property
    def warnings(self) -> list[str]:
        """What is understood otherwise than it is written."""
        return [] if self.arguments.approval_policy is None else [_NO_APPROVALS]


def _refuse_other_targets(arguments: StartReviewWorkflowArguments) -> None:
    needed = _OF_TARGET[arguments.target_type]
    if needed is not None and getattr(arguments, needed) is None:
        raise InvalidArgument(f"target_type {arguments.target_type} needs {needed}.", path=needed)
    for target, name in _arguments_of_targets():
        if target != arguments.target_type and getattr(arguments, name) is not None:
            raise InvalidArgument(f"{name} fits target_type {target} only.", path=name)
    if needed == "instructions" and not (arguments.instructions or "").strip():
        raise InvalidArgument("instructions hold nothing but blanks.", path="instructions")


def _arguments_of_targets() -> Iterator[tuple[TargetType, str]]:
    for target, name in _OF_TARGET.items():
        if name is not None:
            yield target, name
    yield "commit", "commit_title"
