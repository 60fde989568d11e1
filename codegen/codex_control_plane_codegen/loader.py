"""Reads ``spec/`` from disk into documents, and says what is no document."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Final

from codex_control_plane_codegen.diagnostics import Diagnostic, Edit, nearest
from codex_control_plane_codegen.documents import DIRECTORIES, SINGLE_FILES, Document, Span, kind_of
from codex_control_plane_codegen.places import Place
from codex_control_plane_codegen.yaml_reading import read_yaml

_SCHEMA_COMMENT: Final = "# yaml-language-server: $schema="


@dataclass(frozen=True, slots=True)
class Loaded:
    """The documents that could be read, in the order of their paths, and what is wrong with the rest."""

    documents: tuple[Document, ...]
    diagnostics: tuple[Diagnostic, ...]


def load(root: Path) -> Loaded:
    """Reads every file below ``root/spec``.

    A file with a fault of syntax is reported and left out; files that are not documents are reported, so that
    nobody writes a rule that no compiler reads. Hidden files are editors' own and passed over.
    """
    documents: list[Document] = []
    diagnostics: list[Diagnostic] = []
    for path in _files(root):
        loaded = load_file(root, path)
        documents.extend(loaded.documents)
        diagnostics.extend(loaded.diagnostics)
    diagnostics.extend(_missing(root))
    return Loaded(tuple(documents), tuple(diagnostics))


def _files(root: Path) -> Iterator[PurePosixPath]:
    paths = [
        PurePosixPath(path.relative_to(root).as_posix())
        for path in (root / "spec").rglob("*")
        if path.is_file()
    ]
    return iter(sorted(path for path in paths if not any(part.startswith(".") for part in path.parts)))


def _missing(root: Path) -> Iterator[Diagnostic]:
    for name, kind in SINGLE_FILES.items():
        if not (root / "spec" / name).is_file():
            message = f"There is no spec/{name}"
            hint = f"Add it; schemas/spec/{kind}.schema.json says what belongs into it."
            yield Diagnostic("SPEC-Y007", Place(f"spec/{name}"), message, hint)


def load_file(root: Path, path: PurePosixPath) -> Loaded:
    """Reads one file, given by its path relative to the root."""
    kind = kind_of(path)
    if kind is None or path.suffix != ".yaml":
        return Loaded((), (_misplaced(path),))
    try:
        return parse(str(path), kind, (root / path).read_bytes().decode())
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        place = Place(str(path), before.count(b"\n") + 1, len(before) - before.rfind(b"\n"))
        message = f"Byte {error.object[error.start]:#04x} is not UTF-8"
        return Loaded((), (Diagnostic("SPEC-Y006", place, message, "Save the file as UTF-8."),))
    except OSError as error:
        message = f"The file cannot be read: {error.strerror}"
        return Loaded((), (Diagnostic("SPEC-Y006", Place(str(path)), message),))


@lru_cache(maxsize=256)
def parse(path: str, kind: str, text: str) -> Loaded:
    """Reads the text of one document; the same text is read once, which is most of what `watch` saves."""
    reading = read_yaml(text)
    document = Document(path, kind, reading.data, text, reading.values, reading.keys)
    diagnostics = [
        Diagnostic(fault.code, document.at(fault.span), fault.message, fault.hint) for fault in reading.faults
    ]
    if not diagnostics and not isinstance(reading.data, dict):
        diagnostics.append(_not_a_mapping(document))
    if diagnostics:
        return Loaded((), tuple(diagnostics))
    return Loaded((document,), tuple(_schema_comment(document)))


def _misplaced(path: PurePosixPath) -> Diagnostic:
    homes = [*(f"spec/{name}" for name in SINGLE_FILES), *(f"spec/{name}/*.yaml" for name in DIRECTORIES)]
    candidates = [
        *(f"spec/{name}" for name in SINGLE_FILES),
        *(f"spec/{name}/{path.name}" for name in DIRECTORIES),
    ]
    hint = f"Documents are {', '.join(homes)}."
    message = "No document of the spec belongs here"
    return Diagnostic("SPEC-Y005", Place(str(path)), message, hint, nearest(str(path), candidates))


def _not_a_mapping(document: Document) -> Diagnostic:
    hint = f"Start with `{document.kind}:` or what schemas/spec/{document.kind}.schema.json asks for."
    return Diagnostic("SPEC-Y004", document.place(), "The document is not a mapping", hint)


def _schema_comment(document: Document) -> Iterator[Diagnostic]:
    up = "../" * document.path.count("/")
    wanted = f"{_SCHEMA_COMMENT}{up}schemas/spec/{document.kind}.schema.json"
    first = document.text.split("\n", 1)[0].rstrip()
    if first != wanted:
        message = "The first line does not name the schema of this document"
        place = document.at(Span(0, 0, max(len(first), 1)))
        if first.startswith("# yaml-language-server:"):
            fix = Edit(document.at(Span(0, 0, len(first))), wanted)
        else:
            fix = Edit(document.at(Span(0, 0, 0)), f"{wanted}\n")
        yield Diagnostic("SPEC-Y008", place, message, f"Make it `{wanted}`.", fix=fix)
