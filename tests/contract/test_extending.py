"""docs/extending.md does what it says: its first walk, in a copy of the repository, with its very texts."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import anyio
import pytest
from mcp import Client, StdioServerParameters

ROOT: Final = Path(__file__).parents[2]
GUIDE: Final = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
WALK: Final = GUIDE[GUIDE.index("\n## A read tool") : GUIDE.index("\n## An operation status")]
PROGRAM: Final = "codex-control-plane-mcp-codegen"

SPEC: Final = "spec/tools/codex_get_workload.yaml"
HANDLER: Final = "runtime/codex_control_plane_mcp/handlers/workload.py"
TEST: Final = "tests/unit/handlers/test_handlers_workload.py"
PARTS: Final = ("codegen", "docs", "generated", "runtime", "schemas", "spec", "tests")


class Copy:
    """A copy of the repository, committed, with its own packages before those that are installed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for part in PARTS:
            shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
        for file in ("pyproject.toml", ".gitignore"):
            shutil.copy(ROOT / file, root / file)
        paths = os.pathsep.join(str(root / part) for part in ("codegen", "generated", "runtime"))
        self.environment = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
        author = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        for words in (("init", "--quiet"), ("add", "--all"), (*author, "commit", "--quiet", "-m", "Start")):
            self.run("git", *words)

    def run(self, *command: str) -> str:
        """What the command prints, in the copy; it must succeed."""
        result = subprocess.run(
            command, cwd=self.root, env=self.environment, capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def python(self, module: str, *arguments: str) -> str:
        """What a module prints that is run with this interpreter."""
        return self.run(sys.executable, "-m", module, *arguments)

    def changed(self) -> set[str]:
        """The files that differ from the commit, without what is compiled."""
        files = self.run("git", "status", "--porcelain", "--untracked-files=all").splitlines()
        return {line[3:] for line in files if not line[3:].startswith(("generated/", "docs/reference/"))}


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy after the walk: its commands in their order, and its texts in place of what `new` wrote."""
    copy = Copy(tmp_path_factory.mktemp("extended"))
    begin, *others = re.findall(rf"^\$ {PROGRAM} (.+)$", WALK, flags=re.MULTILINE)
    copy.python("codex_control_plane_codegen", *shlex.split(begin))
    assert copy.changed() == {SPEC, HANDLER, TEST}
    texts = dict(re.findall(r"^`([\w/.]+)`\n\n```\w+\n(.*?)^```$", WALK, flags=re.MULTILINE | re.DOTALL))
    assert texts.keys() == {SPEC, HANDLER, TEST}
    for file, text in texts.items():
        (copy.root / file).write_text(text, encoding="utf-8")
    for command in others:
        copy.python("codex_control_plane_codegen", *shlex.split(command))
    return copy


def test_a_tool_is_one_file_of_the_spec_and_one_handler(extended: Copy) -> None:
    """Beside them only their test and what is compiled has changed."""
    assert extended.changed() == {SPEC, HANDLER, TEST}


def test_the_new_tool_is_written_as_the_others_are(extended: Copy) -> None:
    """Format, lint, import rules and types hold, for the generated files as well."""
    extended.python("ruff", "format", "--check", "--no-cache", "generated", "runtime", "tests")
    extended.python("ruff", "check", "--no-cache", "generated", "runtime", "tests")
    extended.run(str(Path(sys.executable).parent / "lint-imports"), "--no-cache")
    extended.python("mypy", "--cache-dir", os.devnull, "generated/handler_bindings.py", HANDLER, TEST)


def test_the_new_tool_passes_its_tests_and_those_of_every_tool(extended: Copy) -> None:
    """The test of the walk, those of the emitted tables, and those of the dispatcher."""
    tests = (TEST, "tests/unit/test_contract_words.py", "tests/contract/test_server_dispatch.py")
    printed = extended.python("pytest", "-v", "-p", "no:cacheprovider", *tests)
    assert "::test_a_task_that_waits_is_counted PASSED" in printed


@pytest.mark.anyio
async def test_a_client_calls_the_new_tool(extended: Copy, environment: dict[str, str]) -> None:
    """A real client finds it in the list and gets the answer from a real server process."""
    environment["PYTHONPATH"] = extended.environment["PYTHONPATH"]
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "codex_control_plane_mcp.server"], env=environment
    )
    with anyio.fail_after(60):
        async with Client(server) as client:
            names = [tool.name for tool in (await client.list_tools()).tools]
            result = await client.call_tool("codex_get_workload", {})

    assert "codex_get_workload" in names
    assert result.structured_content == {"ok": True, "queued": 0, "running": 0, "openQuestions": 0}


def test_a_new_state_lists_what_the_guide_shows(extended: Copy, tmp_path: Path) -> None:
    """The second walk begins with the very findings that it quotes, in their order."""
    for part in ("spec", "schemas"):
        shutil.copytree(ROOT / part, tmp_path / part)
    (begin,) = re.findall(rf"^\$ {PROGRAM} (new state operation .+)$", GUIDE, flags=re.MULTILINE)
    printed = extended.python("codex_control_plane_codegen", *begin.split(), "--root", str(tmp_path))

    quoted = re.findall(r"^spec/lifecycles/operation.yaml:….+$", GUIDE, flags=re.MULTILINE)
    assert quoted
    steps = re.sub(r"yaml:\d+", "yaml:…", printed)
    for number, line in enumerate(quoted, 1):
        assert f"{number:3}. {line}\n" in steps
