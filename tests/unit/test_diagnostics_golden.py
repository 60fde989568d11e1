"""Every code has a golden file: the smallest edit of the base spec that triggers it, and the exact output.

A golden file holds edits, a line of ``====``, and the rendered findings. An edit is ``in FILE`` with lines to
take out (``-``) and to put in their place (``+``), or ``add FILE`` with its lines (``latin-1 FILE`` in that
encoding), or ``remove FILE``.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from codex_control_plane_codegen.analysis import analyse
from codex_control_plane_codegen.codes import CODES
from codex_control_plane_codegen.rendering import as_text

GOLDEN = Path(__file__).parent / "golden"
COMPARED = Path(__file__).parent / "comparison" / "golden"
"""The golden files of the codes that take two specs; their test is beside them."""


def edits(text: str) -> Iterator[tuple[str, str, list[str]]]:
    """Verb, file and lines of each edit."""
    lines: list[str] = []
    head: list[str] = []
    for line in text.splitlines():
        if line.startswith(("in ", "add ", "latin-1 ", "remove ")):
            if head:
                yield head[0], head[1], lines
            head, lines = line.split(" ", 1), []
        else:
            lines.append(line)
    yield head[0], head[1], lines


def apply(root: Path, verb: str, file: str, lines: list[str]) -> None:
    """Makes one edit below the root."""
    path = root / file
    taken = "".join(f"{line[2:]}\n" for line in lines if line.startswith("-"))
    given = "".join(f"{line[2:]}\n" for line in lines if line.startswith("+"))
    if verb == "remove":
        path.unlink()
    elif verb in ("add", "latin-1"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(given, encoding="utf-8" if verb == "add" else verb)
    else:
        text = path.read_text(encoding="utf-8")
        assert text.count(taken) == 1, f"{file} does not hold these lines once:\n{taken}"
        path.write_text(text.replace(taken, given), encoding="utf-8")


@pytest.mark.parametrize("code", sorted(path.stem for path in GOLDEN.iterdir()))
def test_each_code_is_reported_with_its_place_and_its_cure(code: str, spec_root: Path) -> None:
    """The smallest spec that breaks a rule is answered with exactly the golden text, and with its code."""
    given, _, expected = (GOLDEN / f"{code}.txt").read_text(encoding="utf-8").partition("====\n")
    for edit in edits(given):
        apply(spec_root, *edit)

    found = as_text(analyse(spec_root).diagnostics)

    assert found == expected
    assert f" {code}: " in found


def test_every_code_has_one_golden_file() -> None:
    """The table of codes and the golden files name the same codes."""
    golden = [path.stem for directory in (GOLDEN, COMPARED) for path in directory.iterdir()]

    assert sorted(golden) == sorted(CODES)


def test_the_base_spec_is_sound(spec_root: Path) -> None:
    """What a golden file shows is the effect of its edit alone."""
    assert analyse(spec_root).diagnostics == []


def test_the_real_spec_has_no_finding() -> None:
    """The spec of this repository is sound, warnings included."""
    assert as_text(analyse(Path(__file__).parents[2]).diagnostics) == ""
