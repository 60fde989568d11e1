"""Compiles again whenever a file of the spec is saved.

One process stays for the whole session. What did not change is not read again: `loader.parse` and the
findings of a schema are remembered by text, which saves most of the time that a first compilation takes.
"""

import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

import watchfiles

from codex_control_plane_codegen import build
from codex_control_plane_codegen.analysis import analyse
from codex_control_plane_codegen.rendering import as_text

_STEP: Final = 10
"""Milliseconds without a further save after which a round begins: editors save in several steps."""

_LONGEST: Final = 50
"""Milliseconds after which a round begins although files are still being saved."""


def watch(root: Path, show: Callable[[str], object], *, colour: bool = False) -> None:
    """Compiles the spec below `root` now and after every save, and shows each result, until interrupted.

    Raises KeyboardInterrupt then, and SchemaMissingError if ``schemas/spec`` is not there.
    """
    changes = watchfiles.watch(
        root / "spec",
        watch_filter=_is_read,
        debounce=_LONGEST,
        step=_STEP,
        rust_timeout=_LONGEST,
        yield_on_timeout=True,
    )
    # The first round comes after the watching has begun, so that no save falls between the two.
    next(changes)
    show(_round(root, (), colour=colour) + "Watching spec/; Ctrl-C ends it.\n")
    for changed in changes:
        if changed:
            show(_round(root, {Path(path) for _, path in changed}, colour=colour))


def _is_read(_change: watchfiles.Change, path: str) -> bool:
    """Whether the compiler would read the file; hidden ones are what editors keep beside it."""
    return not Path(path).name.startswith(".")


def _round(root: Path, saved: Collection[Path], *, colour: bool) -> str:
    """Compiles once and says what came of it, and how long after the save."""
    since = _time_of(saved)
    analysis = analyse(root)
    if analysis.errors:
        outcome = "nothing written"
    else:
        outputs = build.compile_model(root, analysis.model)
        written = build.write(outputs)
        outcome = f"{len(written)} of {len(outputs)} files written"
    after = f" after the save of {', '.join(sorted(path.name for path in saved))}" if saved else ""
    closing = f"{time.strftime('%H:%M:%S')}  {outcome}, {time.time() - since:.2f} s{after}\n"
    return as_text(analysis.diagnostics, colour=colour) + closing


def _time_of(saved: Collection[Path]) -> float:
    """When the last of these files was saved, in seconds since the epoch; now, if none of them is there.

    The time of the last change of its entry, since an editor may move a file into place that it wrote before.
    """
    return max((path.stat().st_ctime for path in saved if path.exists()), default=time.time())
