"""Opening: a file that is ours is made private and ready; any other is refused and left as it is."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from codex_control_plane_contract.errors import CodexStateBusy, CodexStateUnusable
from codex_control_plane_mcp.store import Store
from codex_control_plane_mcp.store.database import connect, file_system, prepare
from codex_control_plane_mcp.store.migrations import migrate
from codex_control_plane_mcp.testing.python_child import PythonChild

OPEN = """
import sys
from pathlib import Path
from codex_control_plane_contract.errors import ControlPlaneError
from codex_control_plane_mcp.store import Store

print("ready")
sys.stdin.readline()
try:
    with Store.open(Path(sys.argv[1])) as store, store.transaction("child"):
        print("opened")
except ControlPlaneError as error:
    print(error.code)
"""

WITHOUT_PRIVILEGES = (
    ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--"] if os.geteuid() == 0 else []
)
"""Makes file modes count for the superuser too."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A state file that is not there yet."""
    return tmp_path / "state" / "state.sqlite"


@pytest.fixture
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    """A umask for the test, given by its parameter."""
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    """Return the permission bits."""
    return path.stat().st_mode & 0o777


def opened_by_child(path: Path, within: list[str]) -> str:
    """Return what another process says of opening the file."""
    if within and (
        shutil.which(within[0]) is None or subprocess.run([*within, "true"], check=False).returncode
    ):
        pytest.skip(f"{within[0]} is not allowed here")
    with PythonChild(OPEN, path, within=within) as child:
        child.hear()
        child.say("open")
        answer = child.hear()
        assert child.end() == 0
        return answer


def refused(path: Path) -> CodexStateUnusable:
    """Return the error of opening a file, whose bytes and neighbours must stay as they are."""
    before = {each: each.read_bytes() for each in path.parent.iterdir()}
    with pytest.raises(CodexStateUnusable) as caught:
        Store.open(path)
    assert {each: each.read_bytes() for each in path.parent.iterdir()} == before
    return caught.value


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077], indirect=True, ids=oct)
@pytest.mark.usefixtures("umask")
def test_a_new_store_is_private(path: Path) -> None:
    """Whatever the umask, nobody else can read the directory, the file, its log or its shared memory."""
    with Store.open(path) as store, store.transaction("test"):
        assert mode(path.parent) == 0o700
        names = ("state.sqlite", "state.sqlite-wal", "state.sqlite-shm")
        assert [mode(path.with_name(name)) for name in names] == [0o600] * 3


def test_an_old_store_is_made_private(path: Path) -> None:
    """A directory and a file of ours that others can read are closed to them."""
    Store.open(path).close()
    path.parent.chmod(0o755)
    path.chmod(0o644)
    Store.open(path).close()
    assert (mode(path.parent), mode(path)) == (0o700, 0o600)


def test_a_directory_that_all_users_share_is_refused(path: Path) -> None:
    """A place such as /tmp is not taken away from everybody else."""
    path.parent.mkdir()
    path.parent.chmod(0o1777)
    assert "shared by all users" in refused(path).message
    assert path.parent.stat().st_mode & 0o7777 == 0o1777


def test_opening_twice_is_opening_once(path: Path) -> None:
    """A second store on the same file, in the same process, sees what the first commits."""
    with Store.open(path) as one, one.transaction("test"), Store.open(path) as two, two.read() as reader:
        assert reader.journal(limit=1) == []


def test_a_second_opening_keeps_the_locks_of_the_first(path: Path) -> None:
    """Opening again gives up no lock: another process still finds the file in use and keeps its log."""
    with Store.open(path) as one, one.read() as reader:
        assert reader.journal(limit=1) == []
        Store.open(path).close()
        assert opened_by_child(path, []) == "opened"
        assert path.with_name("state.sqlite-wal").exists()


def test_many_open_a_new_file_at_once(path: Path) -> None:
    """Whoever is first makes the tables; all others find them."""
    with contextlib.ExitStack() as stack:
        children = [stack.enter_context(PythonChild(OPEN, path)) for _ in range(4)]
        assert [child.hear() for child in children] == ["ready"] * 4
        for child in children:
            child.say("open")
        assert [child.hear() for child in children] == ["opened"] * 4


def test_a_new_file_that_another_is_switching_over_is_waited_for(tmp_path: Path) -> None:
    """SQLite refuses the second one at once, however long it may wait."""
    path = tmp_path / "new.sqlite"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        def give_way(statement: str) -> None:
            if statement == "BEGIN IMMEDIATE" and other.in_transaction:
                other.execute("ROLLBACK")

        with contextlib.closing(connect(path, busy_seconds=60)) as connection:
            connection.set_trace_callback(give_way)
            assert migrate(connection, path) > 0


def write_text(path: Path) -> None:
    """Write a file that is no database."""
    path.write_text("A shopping list, long enough to be taken for a header. " * 20, encoding="utf-8")


def corrupt(path: Path) -> None:
    """Overwrite a page of our own file."""
    Store.open(path).close()
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 3000)


def cut(path: Path) -> None:
    """Cut our own file off in its first page."""
    Store.open(path).close()
    os.truncate(path, 1000)


@pytest.mark.spoils_state
@pytest.mark.parametrize("spoil", [write_text, corrupt, cut])
def test_a_file_that_is_no_database_is_refused(path: Path, spoil: Callable[[Path], None]) -> None:
    """A file that SQLite cannot read is refused with what to do."""
    path.parent.mkdir()
    spoil(path)
    assert "state.sqlite is" in refused(path).message


@pytest.mark.spoils_state
@pytest.mark.parametrize(
    "script",
    [
        "CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1);",
        "CREATE TABLE theirs (x); PRAGMA user_version = 1;",
        "CREATE TABLE theirs (x); PRAGMA user_version = 57;",
        "CREATE TABLE journal (x); PRAGMA application_id = 7;",
        "PRAGMA user_version = 1;",
    ],
)
def test_the_database_of_another_program_is_refused(path: Path, script: str) -> None:
    """It is not taken for ours by its version, and not changed, not even in its mode."""
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.close()
    path.chmod(0o644)
    assert "another program" in refused(path).message
    assert mode(path) == 0o644


@pytest.mark.spoils_state
def test_a_newer_file_is_refused(path: Path) -> None:
    """A file of a later version is left to that version; the error says which."""
    Store.open(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 9999")
    connection.close()
    error = refused(path)
    assert "newer version" in error.message
    assert error.details["schemaVersion"] == 9999


@pytest.mark.spoils_state
def test_a_directory_in_its_place_is_refused(path: Path) -> None:
    """A path that is no regular file is refused."""
    path.mkdir(parents=True)
    with pytest.raises(CodexStateUnusable, match="no regular file"):
        Store.open(path)


def test_a_file_in_the_place_of_the_directory_is_refused(path: Path) -> None:
    """A directory that cannot be made is refused."""
    path.parent.write_text("in the way", encoding="utf-8")
    with pytest.raises(CodexStateUnusable, match="cannot be made private"):
        Store.open(path)


def test_a_read_only_file_is_refused(path: Path) -> None:
    """It is refused when it is opened, not when the first task is submitted, and stays read-only."""
    Store.open(path).close()
    path.chmod(0o400)
    before = path.read_bytes()
    assert opened_by_child(path, WITHOUT_PRIVILEGES) == "CODEX_STATE_UNUSABLE"
    assert (mode(path), path.read_bytes()) == (0o400, before)


@pytest.mark.parametrize("there", [True, False])
def test_a_read_only_directory_is_refused(path: Path, there: bool) -> None:
    """Neither a new file nor the log of an old one can be made in it."""
    Store.open(path).close()
    if not there:
        path.unlink()
    path.parent.chmod(0o500)
    try:
        assert opened_by_child(path, WITHOUT_PRIVILEGES) == "CODEX_STATE_UNUSABLE"
        assert [each.name for each in path.parent.iterdir()] == ["state.sqlite"] * there
    finally:
        path.parent.chmod(0o700)


def test_a_network_file_system_is_refused(path: Path, tmp_path: Path) -> None:
    """Where locks cannot be trusted nothing is made, not even the directory."""
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/vda / ext4 rw 0 0\nhost:/home {tmp_path} nfs4 rw 0 0\n", encoding="utf-8")
    with pytest.raises(CodexStateUnusable, match="network file system"):
        prepare(path, busy_seconds=0, mounts=mounts)
    assert not path.parent.exists()


@pytest.mark.parametrize(
    ("directory", "kind"),
    [
        ("/srv/local/state", "ext4"),
        ("/srv/remote/state", "nfs"),
        ("/srv/remoteness", "ext4"),
        ("/srv/with space/state", "cifs"),
        ("/srv/Übung/state", "fuse.sshfs"),
        ("/srv/remote/again/state", "xfs"),
    ],
)
def test_the_nearest_mount_point_counts(tmp_path: Path, directory: str, kind: str) -> None:
    """The file system is that of the deepest mount point, whatever its name is written like."""
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "/dev/vda / ext4 rw 0 0\n"
        "host:/a /srv/remote nfs rw 0 0\n"
        "//host/b /srv/with\\040space cifs rw 0 0\n"
        "host:/c /srv/Übung fuse.sshfs rw 0 0\n"
        "/dev/vdb /srv/remote/again xfs rw 0 0\n",
        encoding="utf-8",
    )
    assert file_system(Path(directory), mounts) == kind


def test_where_no_mounts_are_listed_nothing_is_known(tmp_path: Path) -> None:
    """A system that does not list its mounts is trusted."""
    assert file_system(tmp_path, tmp_path / "none") == ""


def test_a_locked_file_is_busy(path: Path) -> None:
    """Nobody waits for longer than the busy seconds, and afterwards all is well."""
    Store.open(path).close()
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(CodexStateBusy):
        Store.open(path, busy_seconds=0.05)
    holder.close()
    Store.open(path, busy_seconds=0.05).close()


def test_a_locked_store_is_busy(path: Path) -> None:
    """A writer that waits in vain is told to call again; reads go on meanwhile."""
    with Store.open(path, busy_seconds=0.05) as store:
        with store.transaction("first"):
            with pytest.raises(CodexStateBusy), store.transaction("second"):
                pytest.fail("two writers at once")
            with store.read() as reader:
                assert reader.journal(limit=1) == []
        with store.transaction("second"):
            pass
