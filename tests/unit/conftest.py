"""A small spec that is sound, for tests that break it in one place."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

import pytest

from codex_control_plane_codegen.build import compile_model
from codex_control_plane_codegen.documents import kind_of
from codex_control_plane_codegen.loader import parse
from codex_control_plane_codegen.output import CONTRACT_PACKAGE, REFERENCE
from codex_control_plane_codegen.reading import read_model

_HERE = Path(__file__).parent


@pytest.fixture
def spec_root(tmp_path: Path) -> Path:
    """A root with the base spec, the schemas of the spec language and pinned protocols."""
    shutil.copytree(_HERE / "base_spec", tmp_path / "spec")
    shutil.copytree(_HERE / "base_codex", tmp_path / "schemas" / "codex")
    shutil.copytree(_HERE.parents[1] / "schemas" / "spec", tmp_path / "schemas" / "spec")
    return tmp_path


@pytest.fixture
def compiled() -> Callable[[Mapping[str, str]], Mapping[str, str]]:
    """Compiles documents, given as path below `spec/` to text; the outputs are named within their package."""
    return lambda texts: _compiled(texts, CONTRACT_PACKAGE)


@pytest.fixture
def pages() -> Callable[[Mapping[str, str]], Mapping[str, str]]:
    """Compiles documents like `compiled`; the pages are named within the reference."""
    return lambda texts: _compiled(texts, REFERENCE)


def _compiled(texts: Mapping[str, str], directory: PurePosixPath) -> Mapping[str, str]:
    documents = [
        document
        for name, text in texts.items()
        for document in parse(f"spec/{name}", kind_of(PurePosixPath("spec", name)) or "", text).documents
    ]
    below = Path("/root") / directory
    return {
        path.relative_to(below).as_posix(): text.decode()
        for path, text in compile_model(Path("/root"), read_model(documents)).items()
        if path.is_relative_to(below)
    }
