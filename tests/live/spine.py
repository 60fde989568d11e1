"""What the tests of the spine share: prompts that are all different, and the end of a life without doubt."""

from itertools import count

from codex_control_plane_mcp.testing.rig import ScriptedRig

_numbers = count(1)


def prompt(*steps: str) -> str:
    """Return a prompt with this script that no other test uses."""
    script = "\n".join(f"model: {step}" for step in steps)
    return f"{script}\n(prompt {next(_numbers)})"


def seen(rig: ScriptedRig, text: str) -> int:
    """Return how often a prompt has reached the model."""
    return rig.seen().get(text, 0)
