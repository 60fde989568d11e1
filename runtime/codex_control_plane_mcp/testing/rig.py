"""A rig: everything of ours between a client and Codex, real, in one private directory.

MCP server, worker and app-server are the processes that a user has; in a `ScriptedRig` only the model behind
them is ours. Each of them can be killed, and at the end the rig checks that no process and no file is left::

    async with scripted_rig() as rig, rig.open_client() as client:
        task = await client.submit("model: say hello")
        await client.wait_until(task["operationId"], "completed")
"""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Final

from codex_control_plane_mcp.codex.app_server import adopt
from codex_control_plane_mcp.codex.app_server_record import RunningAppServer
from codex_control_plane_mcp.codex.binary import find_binary
from codex_control_plane_mcp.codex.errors import BinaryMissing
from codex_control_plane_mcp.process_identity import ProcessIdentity, is_alive
from codex_control_plane_mcp.store import Store
from codex_control_plane_mcp.store.conformance import first_violation
from codex_control_plane_mcp.testing import residue
from codex_control_plane_mcp.testing.process_end import ends
from codex_control_plane_mcp.testing.scripted_model import ScriptedModel, codex_home
from codex_control_plane_mcp.testing.sdk_client import COMMAND, Mode, connect
from codex_control_plane_mcp.testing.task_client import TaskClient

_WORKER: Final = (sys.executable, "-P", "-m", "codex_control_plane_mcp.worker")
_PASSED_ON: Final = ("PATH", "LANG", "LC_ALL", "TZ")
_PREFIX: Final = "codex-control-plane-"


class Rig:
    """The directory and the environment in which server and worker run; nothing runs until it is asked for.

    `environment` may be changed between the starts of two processes. Every process that is killed has ended
    when the call returns; `kills` counts them.
    """

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        self.directory = directory
        self.project = directory / "project"
        self.state_directory = directory / "state"
        self.environment = {
            # One project serves every task of a rig; a test of the limits sets its own.
            "CODEX_MCP_MAX_ACTIVE_TURNS_PER_PROJECT": "64",
            "CODEX_MCP_MAX_ACTIVE_WRITE_TURNS_PER_PROJECT": "64",
            **environment,
            "CODEX_ALLOWED_ROOTS": str(self.project),
            "CODEX_MCP_STATE_DB": str(self.state_directory / "state.sqlite"),
        }
        self.kills = 0
        self._workers: list[asyncio.subprocess.Process] = []
        self._servers = count(1)
        self.project.mkdir()

    @cached_property
    def store(self) -> Store:
        """The store, for a look behind the scenes."""
        return Store.open(self.state_directory / "state.sqlite")

    @asynccontextmanager
    async def open_client(
        self, mode: Mode = "auto", *, command: Sequence[str] = COMMAND, **settings: str
    ) -> AsyncGenerator[TaskClient]:
        """Start a server and give a client of it; `settings` are added to the environment of the server."""
        pid_file = self.directory / f"server-{next(self._servers)}.pid"
        async with connect(
            self.environment | settings, mode=mode, pid_file=pid_file, command=command
        ) as call:
            yield TaskClient(call, cwd=str(self.project), server_pid=int(pid_file.read_text()))

    async def start_worker(
        self, *arguments: str, command: Sequence[str] = _WORKER, **settings: str
    ) -> asyncio.subprocess.Process:
        """Start a worker by hand; `settings` are added to its environment."""
        worker = await asyncio.create_subprocess_exec(
            *command, *arguments, env=self.environment | settings, cwd=self.directory, start_new_session=True
        )
        self._workers.append(worker)
        return worker

    async def kill_server(self, client: TaskClient) -> None:
        """Kill the server of a client with SIGKILL."""
        assert client.server_pid is not None
        await self._kill(client.server_pid)

    async def kill_worker(self) -> int:
        """Kill the worker that executes with SIGKILL; return its pid."""
        pid = self.executing_worker()
        assert pid is not None, "no worker holds the lease"
        await self._kill(pid)
        return pid

    async def kill_app_server(self) -> int:
        """Kill the app-server with SIGKILL; return its pid."""
        running = await self.app_server()
        assert running is not None, "no app-server listens"
        await self._kill(running.identity.pid)
        return running.identity.pid

    def executing_worker(self) -> int | None:
        """Return the pid of the worker that holds the lease, or None."""
        with self.store.read() as reader:
            lease = reader.lease()
        return lease.pid if lease.holder is not None else None

    async def app_server(self) -> RunningAppServer | None:
        """Return the app-server that listens in the state directory, or None."""
        return await adopt(self.state_directory)

    async def close(self) -> None:
        """End what runs and remove the directory.

        Raises AssertionError if a process or a file is left, or the journal is not what the spec allows.
        """
        complaints = [*await self._end_workers(), *await residue.end_app_server(self.state_directory)]
        left = await residue.staying(self.directory)
        residue.kill(left)
        complaints += [f"left running: {one}" for one in left]
        if violation := await asyncio.to_thread(first_violation, self.store.path):
            complaints.append(f"the spec does not allow what is in the store: {violation}")
        self.store.close()
        await asyncio.to_thread(shutil.rmtree, self.directory)
        if complaints:
            raise AssertionError("; ".join(complaints))

    async def _kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        self.kills += 1
        assert await asyncio.to_thread(ends, pid)

    async def _end_workers(self) -> list[str]:
        """End every live worker by SIGTERM; return what is wrong with that."""
        with self.store.read() as reader:
            rows = reader.live_workers()
        alive = {row.pid for row in rows if is_alive(ProcessIdentity(row.pid, row.process_started))}
        alive |= {worker.pid for worker in self._workers if worker.returncode is None}
        for pid in alive:
            os.kill(pid, signal.SIGTERM)
        stayed = [pid for pid in alive if not await asyncio.to_thread(ends, pid)]
        return [f"worker {pid} did not end on SIGTERM" for pid in stayed]


class ScriptedRig(Rig):
    """A rig whose Codex talks to a scripted model and knows nothing of the user's own Codex."""

    def __init__(
        self, directory: Path, model: ScriptedModel, *, binary: Path, codex_settings: str = ""
    ) -> None:
        self.model = model
        self.home = codex_home(directory / "home", model.port, extra=codex_settings)
        scratch = directory / "scratch"
        scratch.mkdir()
        passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        super().__init__(
            directory,
            {
                **passed_on,
                "HOME": str(self.home),
                "TMPDIR": str(scratch),
                "CODEX_HOME": str(self.home),
                "CODEX_BINARY_PATH": str(binary),
            },
        )

    def seen(self) -> Mapping[str, int]:
        """Return the prompts that reached the model, and how often each did."""
        return Counter(self.model.prompts())

    def times_seen(self, prompt: str) -> int:
        """Return how often a prompt has reached the model."""
        return self.seen().get(prompt, 0)


def _codex() -> Path:
    """Return the Codex of the package, which we pin, else that on PATH. Raises BinaryMissing."""
    with suppress(BinaryMissing):
        return find_binary(None, search_path="").path
    return find_binary(None, search_path=None).path


@asynccontextmanager
async def scripted_rig(
    binary: Path | None = None, /, *, codex_settings: str = "", **settings: str
) -> AsyncGenerator[ScriptedRig]:
    """Give a rig with a scripted model; `codex_settings` is TOML for Codex, `settings` is environment.

    `binary` is the Codex to use; else it is that of the package, which we pin, or the one on PATH.
    Raises BinaryMissing without a Codex, and AssertionError at the end if a process or a file is left.
    """
    binary = binary or _codex()
    directory = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=_PREFIX))
    async with ScriptedModel() as model:
        rig = ScriptedRig(directory, model, binary=binary, codex_settings=codex_settings)
        rig.environment |= settings
        try:
            yield rig
        finally:
            await model.gates.open_all()
            await rig.close()


@asynccontextmanager
async def live_rig(*, without: Collection[str] = ()) -> AsyncGenerator[Rig]:
    """Give a rig on the user's own Codex: program, login and model; `without` names variables to leave out.

    Raises AssertionError at the end if a process or a file is left.
    """
    directory = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=_PREFIX))
    rig = Rig(directory, {name: value for name, value in os.environ.items() if name not in without})
    try:
        yield rig
    finally:
        await rig.close()
