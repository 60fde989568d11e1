"""What git knows, asked of real repositories, also of those that would have it start something."""

import os
import subprocess
from pathlib import Path

import pytest

from codex_control_plane_contract.errors import InvalidArgument
from codex_control_plane_mcp.handlers.revisions import refuse_no_repository, refuse_unknown_revision
from codex_control_plane_mcp.testing.git_repository import GitRepository, git


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    """A repository."""
    directory = tmp_path / "repository"
    directory.mkdir()
    return GitRepository.make(directory)


def test_branches_tags_and_commits_are_known(repository: GitRepository) -> None:
    """Also from a directory below, and in a worktree."""
    git(repository.path, "tag", "v1")
    below = repository.path / "below"
    below.mkdir()
    git(repository.path, "worktree", "add", "--quiet", "../elsewhere", "main")
    for directory in (repository.path, below, repository.path.parent / "elsewhere"):
        for revision in ("main", "topic", "v1", repository.commit, repository.commit[:7]):
            refuse_unknown_revision(directory, revision, argument="base_branch")


@pytest.mark.parametrize("revision", ["nowhere", "0123456789abcdef", "topic:b.txt"])
def test_what_is_no_commit_is_refused(repository: GitRepository, revision: str) -> None:
    """The error names the argument and what to do."""
    with pytest.raises(InvalidArgument, match="Fetch it, or correct base_branch") as refused:
        refuse_unknown_revision(repository.path, revision, argument="base_branch")
    assert refused.value.details["path"] == "base_branch"


def test_a_directory_in_no_repository_is_refused(tmp_path: Path) -> None:
    """Whatever was to be looked up there."""
    with pytest.raises(InvalidArgument, match="in none"):
        refuse_unknown_revision(tmp_path, "main", argument="base_branch")
    with pytest.raises(InvalidArgument, match="in none"):
        refuse_no_repository(tmp_path, argument="target_type")


def test_without_git_nothing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Codex says then what is wrong."""
    monkeypatch.setenv("PATH", str(tmp_path))
    refuse_unknown_revision(tmp_path, "nowhere", argument="base_branch")


def test_nothing_of_the_repository_is_started(repository: GitRepository, tmp_path: Path) -> None:
    """Plain git starts the program of a partial clone's remote; asked by us, it starts nothing."""
    started = tmp_path / "started"
    for name, value in {
        "core.repositoryformatversion": "1",
        "extensions.partialClone": "evil",
        "remote.evil.url": f"ext::touch {started}",
        "remote.evil.promisor": "true",
        "protocol.allow": "always",
        "protocol.ext.allow": "always",
        "core.fsmonitor": f"touch {started}",
    }.items():
        git(repository.path, "config", name, value)
    unknown = "0123456789012345678901234567890123456789"
    subprocess.run(
        ("git", "rev-parse", "--verify", "--quiet", f"{unknown}^{{commit}}"),  # noqa: S607 -- as anybody would
        cwd=repository.path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        check=False,
    )
    assert started.exists(), "the repository is harmless, so the test shows nothing"
    started.unlink()
    with pytest.raises(InvalidArgument):
        refuse_unknown_revision(repository.path, unknown, argument="commit_sha")
    assert not started.exists()
