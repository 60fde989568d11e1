"""Prompts for the scripted model, no two alike, so that each can be counted where it arrives."""

from itertools import count

_numbers = count(1)


def prompt(*steps: str) -> str:
    """Return a prompt with this script (see `model_script`) that no other call in this process returns."""
    script = "\n".join(f"model: {step}" for step in steps)
    return f"{script}\n(prompt {next(_numbers)})"
