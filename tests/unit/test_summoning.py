"""A worker is started when none runs, and only then; how it ended is known."""

import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from codex_control_plane_contract.errors import CodexStateUnusable
from codex_control_plane_contract.records import ExecutorLeaseRow
from codex_control_plane_mcp.process_identity import identify
from codex_control_plane_mcp.server.summoning import Summoner
from codex_control_plane_mcp.worker_starts import WorkerStart, WorkerStarts

WAITS = "import sys; sys.stdin.read(); import signal; signal.pause()"
TELLS_AND_WAITS = "import os, signal, sys; open(sys.argv[1], 'w').write(f'{os.getpid()}\\n'); signal.pause()"
FAILS = "import sys; sys.exit('no such thing: sk-' + 'abcDEF0123456789abcDEF0123456789')"


NOBODY = ExecutorLeaseRow(holder=None, fence=0, expires_at=0, pid=None, process_started=None, hostname=None)


@dataclass
class Scene:
    """A state directory, a clock that stands still, a lease, and the worker processes that were started."""

    directory: Path
    at: int = 1_000_000
    held: ExecutorLeaseRow = NOBODY
    pids: list[int] = field(default_factory=list[int])

    @property
    def starts(self) -> WorkerStarts:
        """The record of starts."""
        return WorkerStarts(self.directory)

    def now(self) -> int:
        """The time."""
        return self.at

    def start(self, program: str = WAITS) -> int | None:
        """Ask for a worker, as another server each time; return the exit code of a failing one, or None."""
        summoner = Summoner(
            self.starts,
            lambda: self.held,
            {"PATH": os.environ["PATH"]},
            command=[sys.executable, "-c", program],
            clock=self,
        )
        worker = summoner.start_if_absent()
        if worker is None:
            return None
        self.pids.append(worker.pid)
        if program is not FAILS:
            threading.Thread(target=worker.wait, daemon=True).start()
            return None
        return worker.wait()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A scene whose workers are ended afterwards."""
    scene = Scene(tmp_path)
    yield scene
    for pid in scene.pids:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def test_a_worker_is_started_in_its_own_session(scene: Scene) -> None:
    """So that it outlives the server and its terminal."""
    scene.start()
    assert os.getsid(scene.pids[0]) == scene.pids[0]
    last = scene.starts.last()
    assert last is not None
    assert (last.pid, last.at, last.attempt, last.alive) == (scene.pids[0], scene.at, 0, True)


def test_no_second_one_is_started_while_the_first_is_on_its_way(scene: Scene) -> None:
    """Whichever server asks; after ten seconds without the lease one is allowed to help."""
    scene.start()
    for later in (0, 1_000, 8_000):
        scene.at += later
        scene.start()
    assert len(scene.pids) == 1
    scene.at += 1_000
    scene.start()
    assert len(scene.pids) == 2


def test_none_is_started_while_a_live_one_holds_the_lease(scene: Scene) -> None:
    """Live means: not due, and its process runs; on another host only the first can be known."""
    me = identify(os.getpid())
    assert me is not None
    held = replace(NOBODY, holder="wrk_1", expires_at=scene.at + 1)
    scene.held = replace(held, hostname=socket.gethostname(), pid=me.pid, process_started=me.started)
    scene.start()
    scene.held = replace(held, hostname="elsewhere", pid=1, process_started="x")
    scene.start()
    assert scene.pids == []


@pytest.mark.parametrize("reason", ["due", "dead", "released"])
def test_a_lease_without_a_live_holder_does_not_count(scene: Scene, reason: str) -> None:
    """A crashed worker is replaced at once, before its lease runs out."""
    me = identify(os.getpid())
    assert me is not None
    scene.held = replace(
        NOBODY,
        holder=None if reason == "released" else "wrk_1",
        expires_at=scene.at + (0 if reason == "due" else 10_000),
        hostname=socket.gethostname(),
        pid=me.pid,
        process_started="another" if reason == "dead" else me.started,
    )
    scene.start()
    assert len(scene.pids) == 1


def test_one_that_ends_at_once_is_started_again_ever_more_rarely(scene: Scene) -> None:
    """After 1, 2, 4 seconds and so on, a minute at most."""
    assert scene.start(FAILS) == 1
    for wait in (1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000):
        scene.at += wait - 1
        assert scene.start(FAILS) is None
        scene.at += 1
        assert scene.start(FAILS) == 1


def test_a_clock_that_was_set_back_does_not_forbid_a_start(scene: Scene) -> None:
    """Otherwise nothing would run until the old time is reached again."""
    scene.start()
    scene.at -= 3_600_000
    scene.start()
    assert len(scene.pids) == 2


def test_why_a_worker_ended_is_remembered_until_one_holds_the_lease(scene: Scene) -> None:
    """Exit code and the end of its output, without keys and tokens."""
    assert scene.start(FAILS) == 1
    scene.starts.record_failure(scene.pids[0], 1, scene.at)
    failure = scene.starts.failure()
    assert failure is not None
    assert (failure.exit_code, failure.output) == (1, "no such thing: [redacted: OpenAI key]")
    scene.held = replace(NOBODY, holder="wrk_1", expires_at=scene.at + 1)
    scene.start()
    assert scene.starts.failure() is None
    assert scene.starts.last() is None


def test_summon_reaps_the_worker_and_records_its_failure(scene: Scene) -> None:
    """It returns at once and raises nothing, even where the store cannot be used."""
    recorded = threading.Event()

    class Recorder(WorkerStarts):
        def record_failure(self, pid: int, exit_code: int, at: int) -> None:
            super().record_failure(pid, exit_code, at)
            recorded.set()

    command = [sys.executable, "-c", FAILS]
    Summoner(Recorder(scene.directory), lambda: scene.held, {}, command=command, clock=scene).summon()
    assert recorded.wait(60)
    failure = scene.starts.failure()
    assert failure is not None
    assert identify(failure.pid) is None

    asked = threading.Event()

    def unusable() -> ExecutorLeaseRow:
        asked.set()
        raise CodexStateUnusable("unusable")

    Summoner(scene.starts, unusable, {}, command=command, clock=scene).summon()
    assert asked.wait(60)


def test_a_worker_that_is_not_wanted_is_not_started(scene: Scene) -> None:
    """A server that finds no work left behind starts none."""
    asked = threading.Event()

    def wanted() -> bool:
        asked.set()
        return False

    summoner = Summoner(scene.starts, lambda: scene.held, {}, command=["/no/such"], clock=scene)
    summoner.watch(wanted, seconds=3600)
    assert asked.wait(60)
    assert scene.starts.last() is None


def test_a_watch_looks_again_and_survives_a_fault(scene: Scene) -> None:
    """A worker of another server can die without a sound, at any time."""
    looks: list[str] = []
    over = threading.Event()

    def wanted() -> bool:
        looks.append("look")
        if len(looks) == 3:
            over.set()
        return True

    def faulty() -> ExecutorLeaseRow:
        raise CodexStateUnusable("unusable")

    Summoner(scene.starts, faulty, {}, clock=scene).watch(wanted, seconds=0.001, over=over)
    assert over.wait(60)


def test_a_watch_replaces_a_worker_that_hangs(scene: Scene) -> None:
    """Also one that it has started itself, whose end it would await in vain."""
    begun = scene.directory / "begun"
    os.mkfifo(begun)
    over = threading.Event()
    summoner = Summoner(
        scene.starts,
        lambda: scene.held,
        {"PATH": os.environ["PATH"]},
        command=[sys.executable, "-c", TELLS_AND_WAITS, str(begun)],
        clock=scene,
    )
    with begun.open("r+b", buffering=0) as pipe:
        summoner.watch(lambda: True, seconds=0.05, over=over)
        scene.pids.append(int(pipe.readline()))
        assert len(scene.pids) == 1
        scene.at += 10_000
        scene.pids.append(int(pipe.readline()))
    over.set()
    assert all(identify(pid) is not None for pid in scene.pids)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x"}', "\x00"])
def test_a_damaged_record_counts_as_none(scene: Scene, content: str) -> None:
    """The next start writes it anew."""
    (scene.directory / "worker-start.json").write_text(content)
    (scene.directory / "worker-failure.json").write_text(content)
    assert scene.starts.last() is None
    assert scene.starts.failure() is None
    scene.starts.record(WorkerStart(1, "x", 2, 3))
    assert scene.starts.last() == WorkerStart(1, "x", 2, 3)


def test_two_servers_do_not_start_one_each(scene: Scene) -> None:
    """While one holds the right to start, the other leaves it to it."""
    with scene.starts.exclusively() as alone:
        assert alone
        scene.start()
    assert scene.pids == []


def test_the_records_are_private(scene: Scene) -> None:
    """They tell about the user's processes."""
    scene.start(FAILS)
    scene.starts.record_failure(1, 1, 1)
    for path in scene.directory.iterdir():
        assert path.stat().st_mode & 0o077 == 0
