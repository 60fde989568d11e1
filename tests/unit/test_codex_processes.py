"""Who a process is, and what becomes of a detached child."""

import asyncio
import os
import stat
import subprocess
from pathlib import Path

import pytest

from codex_control_plane_mcp.codex import detached_child
from codex_control_plane_mcp.codex.app_server_record import RunningAppServer, read_record, write_record
from codex_control_plane_mcp.codex.detached_child import DetachedChild
from codex_control_plane_mcp.process_identity import ProcessIdentity, identify, is_alive
from codex_control_plane_mcp.testing.process_end import ends


def test_this_process_is_alive() -> None:
    """The identity of a running process is stable."""
    identity = identify(os.getpid())
    assert identity is not None
    assert is_alive(identity)
    assert identify(os.getpid()) == identity


def test_another_process_with_the_same_id_is_not_the_same() -> None:
    """A recorded process whose id was given away is dead."""
    assert not is_alive(ProcessIdentity(os.getpid(), "another time"))


def test_a_zombie_is_dead() -> None:
    """It has ended, only nobody has asked how."""
    child = subprocess.Popen(["/bin/sh", "-c", "exit 0"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert identify(child.pid) is None
    child.wait()
    assert identify(child.pid) is None


def test_a_child_is_reaped_and_its_exit_code_known(tmp_path: Path) -> None:
    """It leaves no zombie while its starter lives on."""
    child = DetachedChild.spawn(["/bin/sh", "-c", "echo out; exit 3"], {}, tmp_path, tmp_path / "log")
    assert asyncio.run(child.wait_reaped(20)) == 3
    assert child.log_tail() == "out"
    with pytest.raises(ChildProcessError):
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)


def test_a_child_has_its_own_session_and_nothing_of_ours(tmp_path: Path) -> None:
    """Neither our terminal's signals nor our descriptors and environment reach it."""
    script = 'echo $$ $(cut -d" " -f6 /proc/$$/stat); ls /proc/$$/fd | tr "\\n" " "; echo "${HOME-none}"; pwd'
    child = DetachedChild.spawn(
        ["/bin/sh", "-c", script], {"PATH": "/bin:/usr/bin"}, tmp_path, tmp_path / "log"
    )
    asyncio.run(child.wait_reaped(20))
    assert child.log_tail() == f"{child.pid} {child.pid}\n0 1 2 none\n{tmp_path}"


def test_killing_ends_the_whole_group(tmp_path: Path) -> None:
    """Nothing that the child started stays."""
    started = tmp_path / "started"
    os.mkfifo(started)
    script = f"sleep 1000 & echo $! > {started}; wait"
    child = DetachedChild.spawn(["/bin/sh", "-c", script], os.environ, tmp_path, tmp_path / "log")
    grandchild = int(started.read_text())
    asyncio.run(child.kill())
    assert child.exit_code == -9
    assert ends(grandchild)


def test_a_log_is_private_kept_and_emptied_when_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tail of a child's log holds its own lines alone."""
    monkeypatch.setattr(detached_child, "LOG_LIMIT", 10)
    log = tmp_path / "log"
    for word, content in (("first", "first\n"), ("second", "first\nsecond\n"), ("third", "third\n")):
        child = DetachedChild.spawn(["/bin/sh", "-c", f"echo {word}"], {}, tmp_path, log)
        asyncio.run(child.wait_reaped(20))
        assert child.log_tail() == word
        assert log.read_text() == content
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_record_survives_the_file(tmp_path: Path) -> None:
    """What is written is what is read."""
    running = RunningAppServer(ProcessIdentity(7, "then"), "1.2.3", None, tmp_path / "s", 4, 99)
    write_record(tmp_path, running)
    assert read_record(tmp_path) == running
    assert [path.name for path in tmp_path.iterdir()] == ["app-server.json"]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"pid":"x"}'])
def test_an_unreadable_record_is_no_record(tmp_path: Path, content: str) -> None:
    """The listener itself tells who it is."""
    (tmp_path / "app-server.json").write_text(content)
    assert read_record(tmp_path) is None
