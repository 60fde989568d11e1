"""Bells: whoever listens hears every ring, and nobody is harmed by who is gone."""

import contextlib
import os
import select
import signal
from pathlib import Path

import pytest

from codex_control_plane_mcp.store import Bells, Listener
from codex_control_plane_mcp.testing.python_child import PythonChild

LISTEN = """
import select, sys
from pathlib import Path
from codex_control_plane_mcp.store import Bells

with Bells(Path(sys.argv[1])).listen() as listener:
    print("listening")
    for number in range(int(sys.argv[2])):
        select.select([listener], [], [])
        listener.drain()
        print("heard", number)
"""

RING = """
import sys
from pathlib import Path
from codex_control_plane_mcp.store import Bells

bells = Bells(Path(sys.argv[1]))
print("ready")
for line in sys.stdin:
    bells.ring()
    print("rung")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the bells."""
    return tmp_path / "bells"


def heard(listener: Listener) -> bool:
    """Return whether the listener's descriptor is readable now."""
    return bool(select.select([listener], [], [], 0)[0])


def descriptors() -> int:
    """Return how many descriptors this process has open."""
    return len(list(Path("/dev/fd").iterdir()))


def test_a_ring_is_heard_once(folder: Path) -> None:
    """A listener hears what rings after it began, until it has drained it."""
    bells = Bells(folder)
    bells.ring()
    with bells.listen() as listener:
        assert not heard(listener)
        bells.ring()
        bells.ring()
        assert heard(listener)
        assert listener.drain()
        assert not heard(listener)
        assert not listener.drain()


def test_everybody_hears(folder: Path) -> None:
    """One ring wakes every listener of the folder."""
    bells = Bells(folder)
    with bells.listen() as one, bells.listen() as two:
        bells.ring()
        assert heard(one)
        assert heard(two)


def test_the_bells_are_private(folder: Path) -> None:
    """Folder and pipes are for their owner alone, and a pipe goes with its listener."""
    with Bells(folder).listen():
        (pipe,) = folder.iterdir()
        assert folder.stat().st_mode & 0o777 == 0o700
        assert pipe.stat().st_mode & 0o777 == 0o600
    assert list(folder.iterdir()) == []


def test_a_full_pipe_does_no_harm(folder: Path) -> None:
    """A listener that does not drain for long neither blocks nor fails the ringer, and still hears."""
    bells = Bells(folder)
    with bells.listen() as listener:
        (pipe,) = folder.iterdir()
        filler = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        with contextlib.suppress(BlockingIOError):
            while os.write(filler, bytes(4096)):
                pass
        os.close(filler)
        bells.ring()
        assert listener.drain()
        bells.ring()
        assert heard(listener)


def test_the_dead_are_swept(folder: Path) -> None:
    """The pipe of a listener that was killed is removed by the next ring, and is not listening before."""
    bells = Bells(folder)
    with PythonChild(LISTEN, folder, 1) as child:
        assert child.hear() == "listening"
        assert bells.listening() == {child.pid}
        child.kill()
    assert list(folder.iterdir())
    bells.ring()
    assert list(folder.iterdir()) == []
    assert bells.listening() == set()


def test_one_that_is_about_to_listen_is_not_swept(folder: Path) -> None:
    """A pipe whose owner lives and has not opened it yet stays, but nobody listens there."""
    folder.mkdir()
    pipe = folder / f"{os.getpid()}-00000000"
    os.mkfifo(pipe)
    bells = Bells(folder)
    bells.ring()
    assert bells.listening() == set()
    assert pipe.exists()


def test_other_files_are_left_alone(folder: Path) -> None:
    """What is no pipe of ours is neither rung nor swept."""
    folder.mkdir()
    note = folder / "note.txt"
    note.write_text("kept", encoding="utf-8")
    os.mkfifo(folder / "pipe")
    bells = Bells(folder)
    bells.ring()
    assert bells.listening() == set()
    assert note.read_text(encoding="utf-8") == "kept"
    assert (folder / "pipe").exists()


def test_without_a_folder_nothing_happens(folder: Path) -> None:
    """Ringing before anybody ever listened is quiet, and makes nothing."""
    Bells(folder).ring()
    assert Bells(folder).listening() == set()
    assert not folder.exists()


def test_no_descriptor_leaks(folder: Path) -> None:
    """However often is rung and listened, to the living and the dead, no descriptor stays open."""
    bells = Bells(folder)
    before = descriptors()
    with PythonChild(LISTEN, folder, 1) as child:
        child.hear()
        child.kill()
    for _ in range(50):
        with bells.listen():
            bells.ring()
            bells.listening()
    assert descriptors() == before


def test_many_processes(folder: Path) -> None:
    """Every listening process hears every ring, whoever rings."""
    rounds = 5
    listeners = [PythonChild(LISTEN, folder, 2 * rounds) for _ in range(2)]
    ringers = [PythonChild(RING, folder) for _ in range(2)]
    try:
        assert {child.hear() for child in listeners} == {"listening"}
        assert {child.hear() for child in ringers} == {"ready"}
        number = 0
        for _ in range(rounds):
            for ringer in ringers:
                ringer.say("ring")
                assert {child.hear() for child in listeners} == {f"heard {number}"}
                assert ringer.hear() == "rung"
                number += 1
        assert [child.end() for child in listeners] == [0, 0]
    finally:
        for child in (*listeners, *ringers):
            child.__exit__(None, None, None)
    assert list(folder.iterdir()) == []


def test_a_stopped_listener_hears_when_it_goes_on(folder: Path) -> None:
    """A ring waits for a process that cannot look just now."""
    with PythonChild(LISTEN, folder, 1) as child:
        child.hear()
        child.send_signal(signal.SIGSTOP)
        Bells(folder).ring()
        child.send_signal(signal.SIGCONT)
        assert child.hear() == "heard 0"
