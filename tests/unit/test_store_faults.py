"""Faults while the store is open: the caller is told what to do, and nothing is half done."""

import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from codex_control_plane_contract.errors import CodexStateBusy, CodexStateUnusable
from codex_control_plane_mcp.store import Fence, Store
from codex_control_plane_mcp.store.faults import explained
from codex_control_plane_mcp.testing.python_child import PythonChild
from codex_control_plane_mcp.testing.sample_rows import SampleRows

NOBODY = Fence("nobody", 0)
OWN_MOUNTS = ("unshare", "--user", "--map-root-user", "--mount", "--")
"""Runs a command that may mount what nobody else sees, and that is gone with it."""

FILL_THE_DISK = """
import subprocess, sys
from pathlib import Path
from codex_control_plane_contract.errors import CodexStateUnusable
from codex_control_plane_mcp.store import Fence, Store
from codex_control_plane_mcp.store.conformance import first_violation
from codex_control_plane_mcp.testing.sample_rows import SampleRows

directory = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", directory], check=True)
path = directory / "state" / "state.sqlite"
with Store.open(path) as store:
    samples = SampleRows(store, Fence("nobody", 0))
    known = [samples.row("operation", "cancelled")]
    filler = directory / "filler"
    try:
        filler.write_bytes(bytes(1 << 20))
    except OSError:
        print("disk full")
    try:
        for _ in range(1000):
            known.append(samples.row("operation", "cancelled"))
    except CodexStateUnusable as error:
        print(error.message)
    with store.read() as reader:
        assert all(reader.operation(row.row_id) == row for row in known)
    filler.unlink()
    samples.row("operation", "cancelled")
    print("works again", first_violation(path))
"""


def test_a_full_disk_is_told_and_outlived(tmp_path: Path) -> None:
    """On a file system without room a change fails as a whole, and works as soon as there is room again."""
    if shutil.which("unshare") is None or subprocess.run([*OWN_MOUNTS, "true"], check=False).returncode:
        pytest.skip("this user may not have mounts of its own")
    with PythonChild(FILL_THE_DISK, tmp_path, within=OWN_MOUNTS) as child:
        assert child.hear() == "disk full"
        assert "free some space" in child.hear()
        assert child.hear() == "works again None"


def test_a_file_that_may_not_grow_is_told(store: Store, samples: SampleRows) -> None:
    """A change that finds no page for its rows is undone, and the next one has a fresh connection."""
    row = samples.row("operation", "queued")
    creations = [samples.creation("operation", "submit") for _ in range(100)]

    def submit_until_full() -> None:
        with store.transaction("srv") as (transaction, _):
            transaction.connection.execute("PRAGMA max_page_count = 1")
            for creation in creations:
                transaction.apply(creation)

    with store.read() as reader:
        before = reader.journal(limit=1000)
    with pytest.raises(CodexStateUnusable, match="disk is full"):
        submit_until_full()
    with store.read() as reader:
        assert reader.journal(limit=1000) == before
    samples.apply(samples.change(row, "cancel"))


@pytest.mark.spoils_state
def test_damage_under_an_open_store_is_told(tmp_path: Path) -> None:
    """A read that meets a damaged page says that the file is corrupt, and raises nothing else."""
    path = tmp_path / "damaged" / "state.sqlite"
    with Store.open(path) as store:
        SampleRows(store, NOBODY).row("operation", "queued")
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    with (
        Store(path, clock=store.clock, busy_seconds=1.0) as damaged,
        pytest.raises(CodexStateUnusable, match="is corrupt"),
        damaged.read() as reader,
    ):
        reader.journal(limit=1)


def fault(code: int) -> sqlite3.Error:
    """Return a fault of SQLite with this code."""
    error = sqlite3.OperationalError("as SQLite says it")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    "code",
    [sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY_SNAPSHOT, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL],
)
def test_what_passes_is_busy(tmp_path: Path, code: int) -> None:
    """A fault that another try may not meet is retryable."""
    with pytest.raises(CodexStateBusy), explained(tmp_path / "state.sqlite"):
        raise fault(code)


@pytest.mark.parametrize(
    "code",
    [
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_READONLY_DIRECTORY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR_FSYNC,
    ],
)
def test_what_stays_is_unusable(tmp_path: Path, code: int) -> None:
    """A fault that a person must see to names the file, but not where it is."""
    with (
        pytest.raises(CodexStateUnusable, match=r"state\.sqlite") as caught,
        explained(tmp_path / "state.sqlite"),
    ):
        raise fault(code)
    assert str(tmp_path) not in caught.value.message


def test_our_own_mistakes_stay_what_they_are(tmp_path: Path) -> None:
    """A wrong statement is neither busy nor unusable."""
    with pytest.raises(sqlite3.OperationalError, match="as SQLite"), explained(tmp_path / "state.sqlite"):
        raise fault(sqlite3.SQLITE_ERROR)
