"""The three tasks of the demo, as scripts for the scripted model and in plain words for a real one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

HEARTBEAT: Final = "heartbeat.txt"
"""The file to which the second task adds a line now and then."""

_ENOUGH: Final = "enough"
_SCRIPT: Final = f"""\
# Adds a line to {HEARTBEAT} now and then, until a file named {_ENOUGH} appears.
beats=0
while [ ! -e {_ENOUGH} ] && [ "$beats" -lt 600 ]; do
  date +%T >> {HEARTBEAT}
  beats=$((beats + 1))
  sleep 0.2
done
echo "$beats beats"
"""


@dataclass(frozen=True, slots=True)
class Task:
    """A task to submit: what it is called, what it may touch, and the prompt."""

    title: str
    sandbox: str
    prompt: str


@dataclass(frozen=True, slots=True)
class Tasks:
    """The task that asks, the one that works through the crash, the one that waits through it."""

    asking: Task
    working: Task
    waiting: Task
    scripted: bool


SCRIPTED: Final = Tasks(
    asking=Task(
        "Write a greeting",
        "read-only",
        "Look around, then write a greeting.\n"
        "model: think Looking at what is here.\n"
        "model: run ls\n"
        "model: ask echo hello > greeting.txt\n"
        "model: say I looked around and wrote greeting.txt.",
    ),
    working=Task(
        "Keep a heartbeat",
        "workspace-write",
        "Run the heartbeat until it ends.\n"
        "model: run sh heartbeat.sh\n"
        "model: say The heartbeat did not miss a beat.",
    ),
    waiting=Task(
        "Wait for leave",
        "read-only",
        "Write a note, with leave.\n"
        "model: ask echo approved > note.txt\n"
        "model: say The note is written; the answer came from another server than the question.",
    ),
    scripted=True,
)

PLAIN: Final = Tasks(
    asking=Task(
        "Write a greeting",
        "read-only",
        "Run `ls`. Then run `echo hello > greeting.txt`. The sandbox is read-only, so run the second command "
        "with escalated permissions: ask for approval and do not work around it. Report in one sentence.",
    ),
    working=Task(
        "Keep a heartbeat",
        "workspace-write",
        "Run `sh heartbeat.sh` in this directory and wait until it ends, however long that takes. "
        "It ends by itself; do not stop it. Then report in one sentence what it printed.",
    ),
    waiting=Task(
        "Wait for leave",
        "read-only",
        "Run `echo approved > note.txt`. The sandbox is read-only, so run it with escalated permissions: ask "
        "for approval and do not work around it. Report in one sentence.",
    ),
    scripted=False,
)


class Heartbeat:
    """What the second task leaves in the project, so that anybody can see whether it goes on."""

    def __init__(self, project: Path) -> None:
        self._project = project
        (project / "heartbeat.sh").write_text(_SCRIPT, encoding="utf-8")

    @property
    def beats(self) -> int:
        """How many lines there are so far."""
        try:
            return len((self._project / HEARTBEAT).read_text(encoding="utf-8").splitlines())
        except FileNotFoundError:
            return 0

    def end(self) -> None:
        """Let the task come to its end."""
        (self._project / _ENOUGH).touch()
