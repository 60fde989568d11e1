"""A small spec that is sound, for tests that break it in one place."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

import pytest

from codex_control_plane_codegen.build import compile_model
from codex_control_plane_codegen.documents import kind_of
from codex_control_plane_codegen.loader import parse
from codex_control_plane_codegen.reading import read_model

_HERE = Path(__file__).parent


@pytest.fixture
def spec_root(tmp_path: Path) -> Path:
    """A root with the base spec and the schemas of the spec language."""
    shutil.copytree(_HERE / "base_spec", tmp_path / "spec")
    shutil.copytree(_HERE.parents[1] / "schemas" / "spec", tmp_path / "schemas" / "spec")
    return tmp_path


@pytest.fixture
def compiled() -> Callable[[Mapping[str, str]], Mapping[str, str]]:
    """Compiles documents, given as path below `spec/` to text; the outputs are named within their package."""

    def compile_documents(texts: Mapping[str, str]) -> Mapping[str, str]:
        documents = [
            document
            for name, text in texts.items()
            for document in parse(f"spec/{name}", kind_of(PurePosixPath("spec", name)) or "", text).documents
        ]
        outputs = compile_model(Path("/root"), read_model(documents))
        package = Path("/root/generated/codex_control_plane_contract")
        return {
            path.relative_to(package).as_posix(): text.decode()
            for path, text in outputs.items()
            if path.is_relative_to(package)
        }

    return compile_documents
