"""What a server loads at its first call, several threads want at once."""

import subprocess
import sys
from typing import Final

import pytest

AT_ONCE: Final = """
import sys, threading
from pathlib import Path
from codex_control_plane_contract.settings import Settings
from codex_control_plane_contract.tools import TOOLS
from codex_control_plane_mcp.server.dispatch import bind
from codex_control_plane_mcp.server.state_file import StateFile

faults = []
threading.excepthook = lambda arguments: faults.append(arguments.exc_value)
state = StateFile(Settings(allowed_roots=(), state_db=Path(sys.argv[1])))
start = threading.Barrier(3)

def wanting(work):
    start.wait()
    work()

wants = (
    lambda: bind(TOOLS["codex_get_workflow_status"]),
    lambda: bind(TOOLS["codex_submit_task"]),
    state.store,
)
threads = [threading.Thread(target=wanting, args=(want,)) for want in wants]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
if faults:
    raise faults[0]
"""


@pytest.mark.parametrize("attempt", range(3))
def test_threads_that_load_at_once_get_whole_modules(
    tmp_path_factory: pytest.TempPathFactory, attempt: int
) -> None:
    """Package and module, from whichever end."""
    state = tmp_path_factory.mktemp(f"state-{attempt}") / "state.sqlite"
    done = subprocess.run(
        [sys.executable, "-c", AT_ONCE, str(state)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
