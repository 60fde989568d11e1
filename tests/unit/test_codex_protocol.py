"""What the spec uses of Codex's protocol: cut out, pinned, compared; and what a program lacks of it."""

import asyncio
import copy
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from codex_control_plane_codegen.cli import main
from codex_control_plane_codegen.loader import load
from codex_control_plane_codegen.model import Codex, JsonObject
from codex_control_plane_codegen.protocol.comparison import Comparison, compare
from codex_control_plane_codegen.protocol.extract import extract
from codex_control_plane_codegen.protocol.fitting import Protocol
from codex_control_plane_codegen.protocol.merging import patch_between, patched
from codex_control_plane_codegen.protocol.pins import read_pins, write_pins
from codex_control_plane_codegen.protocol.program import Program, describe
from codex_control_plane_codegen.protocol.table import as_text
from codex_control_plane_codegen.reading import read_model
from codex_control_plane_contract import codex as contract
from codex_control_plane_mcp.codex.binary import Binary, find_binary
from codex_control_plane_mcp.codex.errors import BinaryLacksProtocol
from codex_control_plane_mcp.codex.protocol import missing_from, require_protocol

ROOT: Final = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def codex() -> Codex:
    """What the spec of this repository says of Codex."""
    read = read_model(load(ROOT).documents).codex
    assert read is not None
    return read


@pytest.fixture(scope="module")
def real() -> Program:
    """The real Codex of the tests, as it describes itself."""
    return describe(find_binary(None, search_path="").path)


@pytest.fixture
def program(real: Program) -> Program:
    """The same, to be changed by a test."""
    return copy.deepcopy(real)


def types(program: Program) -> Any:
    """The definitions of a program's schemas, to be changed in place."""
    return program.whole["definitions"]


def rename(program: Program, union: str, old: str, new: str) -> None:
    """Give a message of the program another name."""
    [variant] = [
        one for one in types(program)[union]["oneOf"] if one["properties"]["method"]["enum"] == [old]
    ]
    variant["properties"]["method"]["enum"] = [new]


def compared(codex: Codex, program: Program) -> Comparison:
    """The program beside the pinned version."""
    pinned = Protocol(read_pins(ROOT)[codex.tested_version])
    return compare(codex, pinned, program.version, Protocol(extract(codex, program)))


def statuses(comparison: Comparison) -> Mapping[str, tuple[str, Mapping[str, str]]]:
    """Name → status of each message that is not the same, with the fields that are not."""
    return {
        row.name: (row.status, {field.path: field.status for field in row.fields if field.status != "same"})
        for row in comparison.rows
        if row.status != "same"
    }


def test_the_real_codex_is_pinned_as_it_is(codex: Codex, real: Program) -> None:
    """The pin of the tested version is what the program says, and nothing differs."""
    assert real.version == codex.tested_version
    assert extract(codex, real) == read_pins(ROOT)[codex.tested_version]
    assert statuses(compared(codex, real)) == {}


def test_a_new_field_is_additive(codex: Codex, program: Program) -> None:
    """One that may be left out harms nobody."""
    types(program)["v2"]["ThreadStartParams"]["properties"]["colour"] = {"type": "string"}
    comparison = compared(codex, program)
    assert statuses(comparison) == {"thread/start": ("additive", {})}
    assert comparison.compatible


def test_a_new_word_is_additive(codex: Codex, program: Program) -> None:
    """What is read may say more than it did."""
    types(program)["v2"]["TurnStatus"]["enum"].append("dreaming")
    comparison = compared(codex, program)
    assert statuses(comparison) == {"Turn": ("additive", {"status": "additive"})}
    assert "adds status = 'dreaming'" in as_text(comparison)


def test_a_renamed_method_is_missing_and_says_what_is_lost(codex: Codex, program: Program) -> None:
    """The words are those of the spec, and the verdict names a version that will do."""
    rename(program, "ClientRequest", "turn/interrupt", "turn/stop")
    comparison = compared(codex, program)
    assert statuses(comparison) == {"turn/interrupt": ("missing", {})}
    assert not comparison.compatible
    shown = as_text(comparison)
    assert "breaks: A task cannot be stopped." in shown
    assert f"Use Codex {codex.minimum_version} to {codex.tested_version}." in shown


def test_an_optional_method_is_no_loss_that_counts(codex: Codex, program: Program) -> None:
    """It is missing, the table says what is lost, and the server works."""
    rename(program, "ClientRequest", "thread/name/set", "thread/title/set")
    comparison = compared(codex, program)
    assert statuses(comparison) == {"thread/name/set": ("missing", {})}
    assert comparison.compatible
    assert "loses: Threads have no titles" in as_text(comparison)


def drop_label(params: Any) -> None:
    """Codex takes no label of a prompt any more."""
    del params["properties"]["clientUserMessageId"]


def number_effort(params: Any) -> None:
    """Codex takes another type."""
    params["properties"]["effort"] = {"type": "integer"}


def insist_on_mode(params: Any) -> None:
    """Codex insists on something that is never sent."""
    params["required"].append("multiAgentMode")


def insist_on_model(params: Any) -> None:
    """Codex insists on something that may be left out."""
    params["required"].append("model")


@pytest.mark.parametrize(
    ("change", "path", "status"),
    [
        (drop_label, "params.clientUserMessageId", "missing"),
        (number_effort, "params.effort", "changed"),
        (insist_on_mode, "params.multiAgentMode", "changed"),
        (insist_on_model, "params.model", "changed"),
    ],
)
def test_a_parameter_that_no_longer_fits_breaks_its_method(
    codex: Codex, program: Program, change: Callable[[Any], None], path: str, status: str
) -> None:
    """One that is gone, of another type, or now insisted on."""
    change(types(program)["v2"]["TurnStartParams"])
    comparison = compared(codex, program)
    assert statuses(comparison) == {"turn/start": ("changed", {path: status})}
    assert [row.name for row in comparison.broken] == ["turn/start"]


def test_a_reply_that_may_lack_its_heart_breaks(codex: Codex, program: Program) -> None:
    """What is relied on has to be there always."""
    types(program)["v2"]["Turn"]["required"].remove("status")
    assert [row.name for row in compared(codex, program).broken] == ["Turn"]


def test_a_patch_makes_the_older_protocol_of_the_newer() -> None:
    """Removed, added and changed keys at any depth."""
    newer: JsonObject = {"a": {"b": 1, "c": [1]}, "d": 1}
    older: JsonObject = {"a": {"b": 2, "c": [1], "e": {}}}
    patch = patch_between(newer, older)
    assert patch == {"a": {"b": 2, "e": {}}, "d": None}
    assert patched(newer, patch) == older


def test_pins_are_read_as_they_were_written(tmp_path: Path) -> None:
    """Whole for the newest version, changes for the others; a newer one moves the whole."""
    protocols: dict[str, JsonObject] = {"0.9.0": {"a": 1}, "0.10.0": {"a": 2}}
    write_pins(tmp_path, protocols)
    assert read_pins(tmp_path) == protocols
    protocols["0.11.0"] = {"a": 2}
    write_pins(tmp_path, protocols)
    assert read_pins(tmp_path) == protocols
    files = {path.relative_to(tmp_path / "schemas/codex").as_posix() for path in tmp_path.rglob("*.json")}
    assert files == {"0.9.0/changes.json", "0.10.0/changes.json", "0.11.0/protocol.json"}


def test_pinning_the_real_codex_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """The committed pin is what the command writes."""
    binary = find_binary(None, search_path="").path
    assert main(["codex-pin", "--binary", str(binary), "--root", str(ROOT)]) == 0
    assert "wrote" not in capsys.readouterr().out


def test_the_command_compares_the_real_codex(capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON it lists each message with each field."""
    binary = find_binary(None, search_path="").path
    assert main(["codex-check", "--binary", str(binary), "--root", str(ROOT), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["compatible"] is True
    [start] = [one for one in told["messages"] if one["name"] == "turn/start"]
    assert {"path": "params.input", "status": "same", "details": [], "breaks": False} in start["fields"]


def test_a_program_that_is_no_codex_is_a_wrong_call(capsys: pytest.CaptureFixture[str]) -> None:
    """It is named, with what it said."""
    assert main(["codex-check", "--binary", "/bin/echo", "--root", str(ROOT)]) == 2
    assert "/bin/echo is no Codex: `--version` printed" in capsys.readouterr().err


def test_the_real_codex_lacks_nothing_that_is_needed(real: Program) -> None:
    """The runtime reads the whole schemas of Codex, the compiler its extract: both agree."""
    assert [*missing_from(real.whole, contract.NEEDS)] == []


def test_the_runtime_names_what_is_missing(program: Program) -> None:
    """A method, a parameter, one that is insisted on, and a field of a reply."""
    rename(program, "ClientRequest", "turn/interrupt", "turn/stop")
    start = types(program)["v2"]["TurnStartParams"]
    del start["properties"]["clientUserMessageId"]
    start["required"].append("multiAgentMode")
    del types(program)["v2"]["Turn"]["properties"]["status"]
    missing = [*missing_from(program.whole, contract.NEEDS)]
    assert missing == [
        "thread/turns/list result.data.status",
        "turn/start params.clientUserMessageId",
        "turn/start params.multiAgentMode, which it insists on",
        "turn/start result.turn.status",
        "turn/interrupt",
        "turn/started params.turn.status",
        "turn/completed params.turn.status",
    ]


def codex_with(path: Path, program: Program) -> Binary:
    """A program that writes these schemas, and counts in a file beside it how often it was asked."""
    (path / "schemas.json").write_text(json.dumps(program.whole), encoding="utf-8")
    script = path / "codex"
    script.write_text(
        f"#!/bin/sh\necho x >> {path}/asked\n"
        f'cp {path}/schemas.json "$5/codex_app_server_protocol.schemas.json"\n'
    )
    script.chmod(0o700)
    return Binary(script, "setting")


def test_an_unknown_version_is_asked_once(tmp_path: Path, program: Program) -> None:
    """The verdict is kept, whichever it is, until another program is there."""
    rename(program, "ClientRequest", "turn/interrupt", "turn/stop")
    binary = codex_with(tmp_path, program)
    for _ in range(2):
        with pytest.raises(BinaryLacksProtocol, match=r"9\.9\.9, which lacks turn/interrupt"):
            asyncio.run(require_protocol(binary, "9.9.9", contract.NEEDS, (), tmp_path))
    assert (tmp_path / "asked").read_text() == "x\n"
    rename(program, "ClientRequest", "turn/stop", "turn/interrupt")
    asyncio.run(require_protocol(codex_with(tmp_path, program), "9.9.10", contract.NEEDS, (), tmp_path))
    assert (tmp_path / "asked").read_text() == "x\nx\n"


def test_a_pinned_version_is_not_asked(tmp_path: Path, program: Program) -> None:
    """The compiler did that."""
    binary = codex_with(tmp_path, program)
    asyncio.run(require_protocol(binary, "1.0.0", contract.NEEDS, ("1.0.0",), tmp_path))
    assert not (tmp_path / "asked").exists()


def test_a_codex_that_writes_no_schemas_is_used_as_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Not knowing is no reason to refuse, and the log says so."""
    script = tmp_path / "codex"
    script.write_text("#!/bin/sh\nexit 2\n")
    script.chmod(0o700)
    with caplog.at_level(logging.WARNING):
        asyncio.run(require_protocol(Binary(script, "setting"), "9.9.9", contract.NEEDS, (), tmp_path))
    assert "does not say what it can do" in caplog.text
