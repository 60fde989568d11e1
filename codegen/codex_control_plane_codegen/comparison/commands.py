"""What ``diff`` and ``release`` do, below their command line."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from codex_control_plane_codegen import build
from codex_control_plane_codegen.analysis import Analysis
from codex_control_plane_codegen.comparison.contracts import (
    LOCK,
    Contract,
    lock_text,
    newest_migration,
    read_contract,
)
from codex_control_plane_codegen.comparison.policy import Comparison


class ReleaseRefusedError(Exception):
    """The contract cannot be released as it stands; the message says why and what to do."""


def contract_of(root: Path, analysis: Analysis, *, released: bool = True) -> Contract:
    """The contract that a sound spec compiles to, with the migrations below `root`."""
    return Contract("the spec", build.contract(analysis.model), newest_migration(root), released)


def compare(root: Path, analysis: Analysis, base: str) -> Comparison:
    """The contract of the spec compared with `base` as of today; raises UnreadableContractError."""
    old = read_contract(root, base)
    return Comparison(old, contract_of(root, analysis), analysis.model, datetime.now(UTC).date())


def release(root: Path, analysis: Analysis) -> Path:
    """Writes the lock as a release that every later contract is held against, and returns its path.

    Raises ReleaseRefusedError while a break is open against the last release. A candidate is no release: its
    breaks hurt nobody.
    """
    comparison = compare(root, analysis, LOCK)
    if comparison.old.released and not comparison.passes:
        raise ReleaseRefusedError(f"{len(comparison.open_breaks)} breaks of {LOCK} are open, see diff")
    return _write(root, contract_of(root, analysis))


def propose(root: Path, analysis: Analysis) -> Path:
    """Writes the lock as a candidate, on which nobody relies yet, and returns its path.

    Raises ReleaseRefusedError once there is a release: what is held against it must stay.
    """
    if (root / LOCK).is_file() and read_contract(root, LOCK).released:
        raise ReleaseRefusedError(f"{LOCK} holds a release; a candidate cannot take its place")
    return _write(root, contract_of(root, analysis, released=False))


def _write(root: Path, contract: Contract) -> Path:
    path = root / LOCK
    path.write_text(lock_text(contract), encoding="utf-8")
    return path
