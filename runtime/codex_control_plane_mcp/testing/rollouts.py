"""The files in which Codex keeps its threads, one a thread."""

from pathlib import Path


def rollout(home: Path, thread_id: str) -> Path:
    """Return the file of a thread that is not in the archive."""
    [found] = (home / "sessions").rglob(f"*{thread_id}.jsonl")
    return found
