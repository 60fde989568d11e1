"""Which `codex` is used, and what is said when none can be."""

import asyncio
import os
from pathlib import Path

import pytest

from codex_control_plane_mcp.codex import binary as binaries
from codex_control_plane_mcp.codex.binary import (
    Binary,
    binary_version,
    find_binary,
    require_version,
    version_order,
)
from codex_control_plane_mcp.codex.errors import BinaryMissing, BinaryTooOld, BinaryUnusable
from codex_control_plane_mcp.testing.process_end import ends


def program(path: Path, script: str) -> Binary:
    """An executable shell script, as a configured binary."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return Binary(path, "setting")


def test_the_configured_binary_wins(tmp_path: Path) -> None:
    """A setting outranks PATH."""
    program(tmp_path / "codex", "")
    chosen = program(tmp_path / "mine", "")
    assert find_binary(chosen.path, search_path=str(tmp_path)) == chosen


def test_a_configured_binary_that_is_missing_is_an_error(tmp_path: Path) -> None:
    """Another Codex is never used in its place."""
    program(tmp_path / "codex", "")
    with pytest.raises(BinaryMissing, match="configured Codex binary"):
        find_binary(tmp_path / "mine", search_path=str(tmp_path))


def test_path_outranks_the_package(tmp_path: Path) -> None:
    """A Codex that the user installed is the one that they know."""
    program(tmp_path / "codex", "")
    assert find_binary(None, search_path=str(tmp_path)) == Binary(tmp_path / "codex", "path")


def test_the_package_is_the_last_resort(tmp_path: Path) -> None:
    """Without Codex on PATH, that of openai-codex-cli-bin is used."""
    found = find_binary(None, search_path=str(tmp_path))
    assert found.source == "package"
    assert os.access(found.path, os.X_OK)


def test_a_missing_binary_names_what_was_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message tells the places and the remedy."""
    monkeypatch.setattr(binaries, "_PACKAGE", "no_such_package")
    with pytest.raises(BinaryMissing, match=f"{tmp_path}.*npm install"):
        find_binary(None, search_path=str(tmp_path))


def test_the_real_binary_tells_its_version() -> None:
    """`codex --version` is understood."""
    version = asyncio.run(binary_version(find_binary(None, search_path="")))
    assert version_order(version) >= version_order("0.163.0")


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo broken >&2; exit 3", "ended with 3: broken"),
        ("kill -SEGV $$", "ended with -11"),
        ("echo something else", "printed 'something else'"),
    ],
)
def test_a_binary_that_does_not_answer_as_codex_is_unusable(tmp_path: Path, script: str, reason: str) -> None:
    """Its own words are in the message."""
    with pytest.raises(BinaryUnusable, match=reason):
        asyncio.run(binary_version(program(tmp_path / "codex", script)))


def test_a_file_that_is_no_program_is_unusable(tmp_path: Path) -> None:
    """A file without the permission to run is named with the reason."""
    (tmp_path / "codex").write_text("")
    with pytest.raises(BinaryUnusable, match="cannot be run"):
        asyncio.run(binary_version(Binary(tmp_path / "codex", "setting")))


def test_a_hanging_binary_is_unusable_and_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither it nor what it started stays."""
    monkeypatch.setattr(binaries, "VERSION_SECONDS", 0.3)
    pid_file = tmp_path / "pid"
    hanging = program(tmp_path / "codex", f"sleep 1000 & echo $! > {pid_file}; wait")
    with pytest.raises(BinaryUnusable, match="did not end within"):
        asyncio.run(binary_version(hanging))
    assert ends(int(pid_file.read_text()))


def test_an_old_binary_is_refused(tmp_path: Path) -> None:
    """The message has both versions; the minimum itself is enough."""
    binary = Binary(tmp_path / "codex", "path")
    require_version(binary, "0.163.0", "0.163.0")
    with pytest.raises(BinaryTooOld, match=r"0\.99\.0.*0\.163\.0"):
        require_version(binary, "0.99.0", "0.163.0")


def test_versions_are_ordered_by_number_and_stage() -> None:
    """Numbers compare as numbers, and a pre-release comes before its release."""
    mixed = ["0.163.1", "0.163.0", "0.99.0", "0.163.0-alpha.2"]
    assert sorted(mixed, key=version_order) == ["0.99.0", "0.163.0-alpha.2", "0.163.0", "0.163.1"]
