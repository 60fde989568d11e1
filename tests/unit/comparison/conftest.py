"""A released contract of the base spec, and its comparison with what the spec is now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TypeAlias

import pytest

from codex_control_plane_codegen.analysis import analyse
from codex_control_plane_codegen.comparison.commands import contract_of
from codex_control_plane_codegen.comparison.locating import Locator
from codex_control_plane_codegen.comparison.policy import Comparison
from codex_control_plane_codegen.comparison.reports import Report

Comparing: TypeAlias = Callable[[], Report]


@pytest.fixture
def comparing(spec_root: Path) -> Comparing:
    """Compares the spec, as it stands when called, with the base spec as released; it is 1 January 2027."""
    released = contract_of(spec_root, analyse(spec_root))

    def compare() -> Report:
        analysis = analyse(spec_root)
        assert analysis.errors == []
        new = contract_of(spec_root, analysis)
        comparison = Comparison(released, new, analysis.model, date(2027, 1, 1))
        return Report(comparison, Locator(analysis.model, spec_root))

    return compare
