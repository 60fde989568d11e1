"""A write-ahead log torn at any byte reopens to a prefix of the journal, with all that was acknowledged.

A crash leaves the log cut off, or with what was in its blocks before: nothing at all, or frames of the time
before the log was started again. Only bytes behind the last `fsync` can be torn, so a commit whose `COMMIT`
has returned counts as acknowledged from the size of the log at that moment.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from codex_control_plane_contract.records import JournalRow
from codex_control_plane_mcp.store import Fence, Store
from codex_control_plane_mcp.store.conformance import first_violation
from codex_control_plane_mcp.testing.manual_clock import ManualClock
from codex_control_plane_mcp.testing.sample_rows import SampleRows

COMMITS = 6
ALL = 1_000_000
LOG_HEADER = 32
FRAME_HEADER = 24


@dataclass(frozen=True)
class Image:
    """The bytes of a store in use, and what it had acknowledged."""

    database: bytes
    log: bytes
    before: bytes
    """What the blocks of the log held before it was written; empty for a new log."""
    journal: Sequence[JournalRow]
    acknowledged: Sequence[tuple[int, int]]
    """After each commit: the size of the log, and the number of journal rows."""

    def rows_at(self, cut: int) -> int:
        """Return how many journal rows were acknowledged when the log had so many bytes."""
        return max((rows for size, rows in self.acknowledged if size <= cut), default=0)

    def cuts(self) -> Iterator[int]:
        """Give every boundary of a frame, and bytes right beside it, in its header, and in its page."""
        page = int.from_bytes(self.log[8:12], "big")
        for start in range(LOG_HEADER, len(self.log), FRAME_HEADER + page):
            for offset in (-1, 0, 1, 13, FRAME_HEADER, FRAME_HEADER + page // 2):
                yield start + offset
        yield from (0, 1, LOG_HEADER // 2, len(self.log))


def image(path: Path, *, restart: bool) -> Image:
    """Record a store while it works; with ``restart`` its log has been full and starts again at the top."""
    log = path.with_name(f"{path.name}-wal")
    with Store.open(path, clock=ManualClock()) as store:
        samples = SampleRows(store, Fence("nobody", 0))
        before = b""
        if restart:
            # More than comes after it, so that old frames lie behind every new one.
            for _ in range(2 * COMMITS):
                samples.row("operation", "cancelled")
            before = log.read_bytes()
            with store.transaction("test") as (transaction, _):
                connection = transaction.connection
            connection.execute("PRAGMA wal_checkpoint(FULL)")
        database = path.read_bytes()
        acknowledged = [(0, len(journal(store)))]
        for _ in range(COMMITS):
            samples.row("operation", "cancelled")
            acknowledged.append((_used(log, before), len(journal(store))))
        written = log.read_bytes()[: acknowledged[-1][0]]
        assert len(written) < len(before) or not restart, "the log has not started again"
        return Image(database, written, before, journal(store), acknowledged)


def _used(log: Path, before: bytes) -> int:
    """Return how many bytes of the log are not those that lay there before."""
    now = log.read_bytes()
    if not before:
        return len(now)
    return max(index + 1 for index, (new, old) in enumerate(itertools.zip_longest(now, before)) if new != old)


def journal(store: Store) -> Sequence[JournalRow]:
    """Return the whole journal."""
    with store.read() as reader:
        return reader.journal(limit=ALL)


def nothing(_image: Image, _cut: int) -> bytes:
    """The file ends at the cut."""
    return b""


def zeros(image: Image, cut: int) -> bytes:
    """The file has its length, but the blocks behind the cut were never written."""
    return bytes(len(image.log) - cut)


def old_frames(image: Image, cut: int) -> bytes:
    """The blocks behind the cut still hold what was there before."""
    return image.before[cut:]


@pytest.mark.parametrize("tail", [nothing, zeros, old_frames])
def test_every_torn_log_reopens_to_what_was_acknowledged(
    tmp_path: Path, tail: Callable[[Image, int], bytes]
) -> None:
    """It holds every acknowledged commit and none in part, its rows agree with it, and it goes on."""
    taken = image(tmp_path / "taken" / "state.sqlite", restart=tail is old_frames)
    for number, cut in enumerate(taken.cuts()):
        path = tmp_path / f"torn-{number}" / "state.sqlite"
        path.parent.mkdir()
        path.write_bytes(taken.database)
        path.with_name("state.sqlite-wal").write_bytes(taken.log[:cut] + tail(taken, cut))
        with Store.open(path, clock=ManualClock()) as store:
            assert journal(store) == taken.journal[: taken.rows_at(cut)], cut
            SampleRows(store, Fence("nobody", 0)).row("worker", "standby")
            assert first_violation(path) is None, cut
