"""Settings: environment over file over default; whatever does not fit is named."""

import json
from pathlib import Path

import pytest

from codex_control_plane_contract.settings import SETTINGS
from codex_control_plane_mcp.settings import SettingsInvalid, load_settings, log_file, state_file


def problems(environ: dict[str, str]) -> str:
    """Return what is wrong with the settings."""
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(environ)
    return str(caught.value)


def test_nothing_set_gives_the_defaults_of_the_spec(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """State and log file get their default places."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    settings = load_settings({})
    for setting in SETTINGS.values():
        if setting.type in ("integer", "enum"):
            assert getattr(settings, setting.name) == setting.default
    assert settings.allowed_roots == ()
    assert settings.codex_home is None
    assert state_file(settings).name == "state.sqlite"
    assert log_file(settings) == state_file(settings).with_suffix(".log")


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    """A number in the file may be text or a number."""
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"CODEX_MCP_MAX_ACTIVE_TURNS_GLOBAL": 7, "CODEX_MCP_LEASE_SECONDS": "20"}))
    settings = load_settings(
        {"CODEX_CONTROL_PLANE_MCP_CONFIG": str(file), "CODEX_MCP_MAX_ACTIVE_TURNS_GLOBAL": "9"}
    )
    assert (settings.max_active_turns_global, settings.lease_seconds, settings.retry_seconds) == (9, 20, 10)


def test_the_old_name_of_the_file_variable_still_works(tmp_path: Path) -> None:
    """Configurations of the older server name it so."""
    file = tmp_path / "config.json"
    file.write_text('{"CODEX_MCP_DEFAULT_MODEL": "gpt-x"}')
    assert load_settings({"OPENCLAW_CODEX_MCP_CONFIG": str(file)}).default_model == "gpt-x"


def test_an_empty_variable_counts_as_absent() -> None:
    """Clients expand a variable that they do not know to nothing."""
    settings = load_settings({"CODEX_MCP_LEASE_SECONDS": "", "CODEX_MCP_DEFAULT_MODEL": ""})
    assert (settings.lease_seconds, settings.default_model) == (15, None)


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("CODEX_MCP_LEASE_SECONDS", "1", "2 to 300"),
        ("CODEX_MCP_LEASE_SECONDS", "301", "2 to 300"),
        ("CODEX_MCP_LEASE_SECONDS", "15s", "whole number"),
        ("CODEX_MCP_LEASE_SECONDS", "1_5", "whole number"),
        ("CODEX_MCP_LEASE_SECONDS", "٣٠", "whole number"),
        ("CODEX_MCP_LEASE_SECONDS", "9" * 5000, "whole number"),
        ("CODEX_MCP_DEFAULT_SANDBOX", "read_only", "Did you mean read-only?"),
        ("CODEX_MCP_EXECUTION_MODE", "off", "inline, client, worker, observe"),
        ("CODEX_MCP_STATE_DB", "state.sqlite", "absolute path"),
        ("CODEX_HOME", "~nobody-of-that-name/x", "absolute path"),
        ("CODEX_ALLOWED_ROOTS", "relative", "absolute path"),
        ("CODEX_ALLOWED_ROOTS", "/no/such/directory", "existing absolute directory"),
        ("CODEX_PROJECTS_ROOT", "/no/such/directory", "existing absolute directory"),
        ("CODEX_CONTROL_PLANE_MCP_CONFIG", "/no/such/file.json", "readable file"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_what_is_allowed(
    variable: str, value: str, allowed: str
) -> None:
    """The message has the variable, the value and the rule."""
    said = problems({variable: value})
    assert variable in said
    assert value[:100] in said
    assert allowed in said


def test_all_problems_are_told_at_once() -> None:
    """One line each."""
    said = problems(
        {"CODEX_MCP_LEASE_SECONDS": "0", "CODEX_MCP_EXECUTION_MODE": "x", "CODEX_MCP_STATEDB": "/x"}
    )
    assert len(said.splitlines()) == 3


@pytest.mark.parametrize(
    ("unknown", "meant"),
    [
        ("CODEX_MCP_STATEDB", "CODEX_MCP_STATE_DB"),
        ("CODEX_MCP_MAX_ACTIVE_TURNS_PER_PROJECTS", "CODEX_MCP_MAX_ACTIVE_TURNS_PER_PROJECT"),
        ("CODEX_CONTROL_PLANE_MCP_LOGS", "CODEX_CONTROL_PLANE_MCP_LOG"),
    ],
)
def test_an_unknown_name_of_ours_is_refused_with_the_nearest(unknown: str, meant: str) -> None:
    """Also a name that a later version will know."""
    said = problems({unknown: "1"})
    assert unknown in said
    assert f"Did you mean {meant}?" in said


def test_names_of_others_are_left_alone() -> None:
    """Codex and other programs have variables too."""
    load_settings({"CODEX_SANDBOX": "seatbelt", "CODEX_API_KEY": "x", "MCP_TIMEOUT": "1"})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"CODEX_MCP_LEASE_SECOND": 3}', "Did you mean CODEX_MCP_LEASE_SECONDS?"),
        ('{"lease_seconds": 3}', "Did you mean CODEX_MCP_LEASE_SECONDS?"),
        ('{"CODEX_MCP_LEASE_SECONDS": true}', "whole number"),
        ('{"CODEX_MCP_LEASE_SECONDS": 3.5}', "whole number"),
        ('{"CODEX_MCP_DEFAULT_SANDBOX": ["read-only"]}', "one of read-only"),
        ('{"CODEX_HOME": 3}', "text"),
        ("[]", "one object"),
        ("{", "JSON file"),
        ("\ud800", "JSON file"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tmp_path: Path, content: str, said: str) -> None:
    """An unknown key, a value of the wrong type, and what is no JSON object."""
    file = tmp_path / "config.json"
    file.write_bytes(content.encode("utf-8", "surrogatepass"))
    assert said in problems({"CODEX_CONTROL_PLANE_MCP_CONFIG": str(file)})


def test_roots_come_in_order_from_both_separators_and_include_the_projects_root(tmp_path: Path) -> None:
    """Each root once."""
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    for path in (one, two, three):
        path.mkdir()
    settings = load_settings(
        {"CODEX_ALLOWED_ROOTS": f"{one};{two}:{one}; ", "CODEX_PROJECTS_ROOT": str(three)}
    )
    assert settings.allowed_roots == (one, two, three)


def test_roots_of_the_file_are_a_list(tmp_path: Path) -> None:
    """JSON has lists, so nobody has to join paths there."""
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"CODEX_ALLOWED_ROOTS": [str(tmp_path)]}))
    assert load_settings({"CODEX_CONTROL_PLANE_MCP_CONFIG": str(file)}).allowed_roots == (tmp_path,)


def test_the_home_directory_may_be_written_as_a_tilde(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A client passes no shell that would expand it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_settings({"CODEX_HOME": "~/.codex"}).codex_home == tmp_path / ".codex"


def test_a_root_that_is_a_file_is_no_root(tmp_path: Path) -> None:
    """Nor is one that does not exist."""
    file = tmp_path / "file"
    file.touch()
    assert "existing absolute directory" in problems({"CODEX_ALLOWED_ROOTS": str(file)})
