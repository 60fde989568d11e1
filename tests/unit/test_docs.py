"""The documents of the repository: what they link to is there."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
DOCUMENTS: Final = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
LINK: Final = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)")
FENCED: Final = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
TEST: Final = re.compile(r"^(?:async )?def (test_\w+)", re.MULTILINE)
HEADING: Final = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


def links(document: Path) -> Iterator[tuple[Path, str]]:
    """Yield the file and the anchor of each link that stays in the repository."""
    prose = FENCED.sub("", document.read_text(encoding="utf-8"))
    for target in LINK.findall(prose):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            yield (document.parent / path).resolve() if path else document, anchor


def anchors(document: Path) -> set[str]:
    """Return the anchors that a forge makes of the headings; of a test file, the tests that it holds."""
    if document.suffix == ".py":
        return set(TEST.findall(document.read_text(encoding="utf-8")))
    prose = FENCED.sub("", document.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in HEADING.findall(prose)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=[str(path.relative_to(ROOT)) for path in DOCUMENTS])
def test_every_link_leads_somewhere(document: Path) -> None:
    """The file exists within the repository, and the heading in it as well."""
    for path, anchor in links(document):
        assert path.is_relative_to(ROOT), f"{path} is not in the repository"
        assert path.exists(), f"{path} does not exist"
        if anchor:
            assert anchor in anchors(path), f"{path} has no heading {anchor}"
