"""The loader keeps positions, reads YAML 1.2 and nothing beyond, and says what is no document."""

from pathlib import Path

import pytest

from codex_control_plane_codegen.documents import Document
from codex_control_plane_codegen.loader import load, parse

COMMENT = "# yaml-language-server: $schema=../schemas/spec/errors.schema.json\n"


def read(text: str) -> Document:
    """The only document of the text."""
    (document,) = parse("spec/errors.yaml", "errors", COMMENT + text).documents
    return document


def codes(text: str) -> list[str]:
    """The codes that the text is answered with."""
    return [found.code for found in parse("spec/errors.yaml", "errors", COMMENT + text).diagnostics]


def test_a_scalar_is_pointed_at_by_its_text() -> None:
    """The place of a value covers the value and no more."""
    place = read("a:\n  b: {c: some words}\n").place("a", "b", "c")

    assert (place.line, place.source[place.column - 1 : place.end - 1]) == (3, "some words")


def test_a_collection_is_pointed_at_by_its_key() -> None:
    """The place of a mapping or a list is the key that names it."""
    document = read("a:\n  b: [1, 2]\n")

    assert str(document.place("a")) == "spec/errors.yaml:2:1"
    assert str(document.place("a", "b")) == "spec/errors.yaml:3:3"


def test_a_key_can_be_pointed_at() -> None:
    """The place of a key is the key even where a text stands behind it."""
    place = read("a: text\n").key_place("a")

    assert (place.column, place.end) == (1, 2)


def test_an_item_of_a_list_is_pointed_at() -> None:
    """The place of an item that is a mapping is its first character."""
    assert str(read("a:\n  - {b: 1}\n").place("a", 0)) == "spec/errors.yaml:3:5"


def test_keys_that_lead_nowhere_point_at_the_last_that_exists() -> None:
    """What is missing is shown at the element in which it is missing."""
    assert str(read("a:\n  b:\n    c: 1\n").place("a", "b", "x", "y")) == "spec/errors.yaml:3:3"


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("2026-11-22", "2026-11-22"),
        ("0.154.0", "0.154.0"),
        ("010", 10),
        ("0o10", 8),
        ("0x1f", 31),
        ("-1", -1),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("true", True),
        ("~", None),
        ('"1"', "1"),
    ],
)
def test_scalars_follow_the_core_schema_of_yaml_1_2(word: str, value: object) -> None:
    """Only the words of YAML 1.2 are booleans, numbers and empty; dates and `yes` are texts."""
    assert read(f"a: {word}\n").data == {"a": value}


def test_every_duplicate_key_is_found() -> None:
    """Two keys that are given twice are two findings."""
    assert codes("a: 1\na: 2\nb: {c: 1, c: 2}\n") == ["SPEC-Y002", "SPEC-Y002"]


@pytest.mark.parametrize(
    "text",
    [
        "a: &x 1\n",
        "a: &x {b: 1}\nc: *x\n",
        "a: *x\n",
        "a: !!str 1\n",
        "a: !mine {b: 1}\n",
        "? [a]\n: 1\n",
        "? {a: [1]}\n: 2\n",
    ],
)
def test_what_makes_a_place_ambiguous_is_refused(text: str) -> None:
    """Anchors, aliases, tags and keys that are no texts are no part of the spec language."""
    assert set(codes(text)) == {"SPEC-Y003"}


def test_a_directive_is_refused() -> None:
    """No file can ask to be read as YAML 1.1, where `on` is true."""
    found = parse("spec/errors.yaml", "errors", "%YAML 1.1\n---\na: on\n").diagnostics

    assert "SPEC-Y003" in [finding.code for finding in found]


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a\n", "word\n", "a: 1\n---\nb: 1\n"])
def test_a_document_is_one_mapping(text: str) -> None:
    """An empty file, a list, a word and two documents are refused."""
    assert codes(text) == ["SPEC-Y004"]


@pytest.mark.parametrize("text", ["a: [1,\n", "a: 'x\n", "\ta: 1\n", "a: b: c\n", "a: \x07\n", "a: }\n"])
def test_bad_syntax_is_a_finding(text: str) -> None:
    """What is not YAML is reported and ends in no exception."""
    assert codes(text) == ["SPEC-Y001"]


def test_windows_line_ends_change_nothing() -> None:
    """A file with carriage returns reads alike, and its excerpts have none."""
    document = read("a: word\r\nb: 1\r\n")

    assert document.data == {"a": "word", "b": 1}
    assert document.place("a").source == "a: word"


def test_documents_come_in_the_order_of_their_paths(spec_root: Path) -> None:
    """The same spec is the same list on every file system."""
    paths = [document.path for document in load(spec_root).documents]

    assert paths == sorted(paths)
    assert "spec/lifecycles/job.yaml" in paths


def test_a_hidden_file_is_passed_over(spec_root: Path) -> None:
    """Editors may leave their own files beside a document."""
    (spec_root / "spec" / "types" / ".job.yaml.swp").write_text("x")

    assert not load(spec_root).diagnostics
