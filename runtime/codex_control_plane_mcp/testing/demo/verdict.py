"""What the demo has shown, and whether it held."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from codex_control_plane_contract.types import Operation


@dataclass(frozen=True, slots=True)
class Claim:
    """One promise: in words, whether it held, and the figures behind it."""

    text: str
    held: bool
    figures: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of the story; `error` is empty unless the story could not be told to its end."""

    scripted: bool = True
    seconds: float = 0.0
    operations: tuple[Operation, ...] = ()
    kills: int = 0
    claims: tuple[Claim, ...] = ()
    error: str = ""

    @classmethod
    def broken(cls, error: str) -> Self:
        """Return the verdict on a story that broke off."""
        return cls(error=error)

    @property
    def ok(self) -> bool:
        """Whether everything held."""
        return not self.error and bool(self.claims) and all(claim.held for claim in self.claims)

    @property
    def lost(self) -> int:
        """How many operations did not complete."""
        return sum(row["status"] != "completed" for row in self.operations)

    def cleared(self, directory: Path) -> Self:
        """Return the verdict with the claim that nothing is left of `directory`, its rig being closed."""
        gone = not directory.exists()
        claim = Claim("no process and no file is left behind", gone, "all gone" if gone else str(directory))
        return replace(self, claims=(*self.claims, claim))

    def as_json(self) -> dict[str, object]:
        """Return the verdict as one JSON object."""
        if self.error:
            return {"ok": False, "error": self.error}
        return {
            "ok": self.ok,
            "model": "scripted" if self.scripted else "your own",
            "seconds": round(self.seconds, 1),
            "operations": [_operation(row) for row in self.operations],
            "kills": self.kills,
            "lost": self.lost,
            "claims": [
                {"claim": claim.text, "held": claim.held, "figures": claim.figures} for claim in self.claims
            ],
        }


def report_of(row: Operation) -> str:
    """Return the text of the final report, or what stands in its place."""
    report = row.get("finalReport")
    if report is not None:
        return report["text"]
    error = row.get("lastError")
    return error["message"] if error is not None else ""


def _operation(row: Operation) -> dict[str, object]:
    return {
        "operationId": row["operationId"],
        "title": row["requestSummary"].get("title", ""),
        "status": row["status"],
        "attemptCount": row["attemptCount"],
        "finalReport": report_of(row),
    }
