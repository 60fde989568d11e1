"""The files that a client in another language reads."""

import json
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import pytest

ROOT: Final = Path(__file__).parents[2]
PACKAGE: Final = ROOT / "generated/codex_control_plane_contract"


@pytest.fixture(scope="module")
def contract() -> Any:
    """The contract as it is published."""
    return json.loads((PACKAGE / "contract.json").read_text(encoding="utf-8"))


def test_the_contract_has_its_documented_shape(contract: Any) -> None:
    """Its schema says what each part of it means, and allows no other part."""
    shape = json.loads((ROOT / "schemas/published/contract.schema.json").read_text(encoding="utf-8"))
    jsonschema_rs.validator_for(shape).validate(contract)


def test_each_tool_has_a_file_for_each_schema(contract: Any) -> None:
    """The same schemas as in the contract, for who needs only one."""
    for tool in contract["tools"]:
        for half in ("input", "output"):
            text = (PACKAGE / "schemas" / f"{tool['name']}.{half}.json").read_text(encoding="utf-8")
            assert json.loads(text) == tool[f"{half}Schema"]


def test_what_a_tool_may_answer_is_in_the_contract(contract: Any) -> None:
    """Each error code and each following tool that a tool names is explained."""
    names = {tool["name"] for tool in contract["tools"]}
    for tool in contract["tools"]:
        assert set(tool["errors"]) <= set(contract["errors"])
        assert set(tool["nextTools"]) <= names
