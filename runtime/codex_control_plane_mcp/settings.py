"""Reading the settings: environment over JSON file over default (contract §17, spec/config.yaml).

Nothing is guessed: an unknown name or a value that does not fit stops the start with a message that names
the variable, the value and what is allowed.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

from codex_control_plane_contract.contract import NAME
from codex_control_plane_contract.settings import FILE_VARIABLES, SETTINGS, Setting, Settings
from codex_control_plane_contract.values import JsonValue
from codex_control_plane_mcp.projects import is_directory
from codex_control_plane_mcp.suggestions import did_you_mean

Parsed: TypeAlias = str | int | bool | Path | tuple[Path, ...]

OWN_PREFIXES: Final = ("CODEX_MCP_", "CODEX_CONTROL_PLANE_")
"""Environment names that can only be meant for us, so an unknown one is a mistake."""

_SHOWN: Final = 200
_BOOLEANS: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class SettingsInvalid(Exception):
    """The settings cannot be used; the message has one line per problem."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Return the settings, complete: state and log file set, `projects_root` among the `allowed_roots`.

    An empty variable counts as absent. Raises SettingsInvalid with all problems at once.
    """
    file_name, file_values = _read_file(environ)
    problems = [*_unknown(environ), *_unknown_keys(file_name, file_values)]
    values: dict[str, Parsed | None] = {}
    for variable, setting in SETTINGS.items():
        given = environ.get(variable) or file_values.get(variable)
        try:
            values[setting.name] = (
                _default(setting) if given in (None, "") else parse(variable, setting, given)
            )
        except SettingsInvalid as invalid:
            problems.extend(invalid.problems)
    if problems:
        raise SettingsInvalid(problems)
    # Each value has the type of its field: `parse` and the table of settings come from the same spec.
    return _completed(replace(Settings(), **cast("dict[str, Any]", values)))


def parse(variable: str, setting: Setting, given: JsonValue) -> Parsed:
    """Return the value of `variable` as its type, from text or from a JSON value. Raises SettingsInvalid."""
    match setting.type:
        case "integer":
            return _integer(variable, setting, given)
        case "enum":
            return _choice(variable, setting, given)
        case "boolean":
            return _boolean(variable, given)
        case "path":
            return _absolute(variable, _text(variable, given))
        case "paths":
            return _paths(variable, given)
        case _:
            return _text(variable, given)


def state_file(settings: Settings) -> Path:
    """Return the state file; its directory is private to this user."""
    return settings.state_db or _default_state_file()


def log_file(settings: Settings) -> Path:
    """Return the log file: the one set, else the one beside the state file."""
    return settings.log_file or state_file(settings).with_suffix(".log")


def _completed(settings: Settings) -> Settings:
    root = settings.projects_root
    given = [("CODEX_ALLOWED_ROOTS", path) for path in settings.allowed_roots]
    if root is not None:
        given.append(("CODEX_PROJECTS_ROOT", root))
    for variable, path in given:
        if not is_directory(path):
            raise _invalid(variable, str(path), "an existing absolute directory")
    roots = tuple(dict.fromkeys(path for _, path in given))
    completed = replace(settings, allowed_roots=roots, state_db=state_file(settings))
    return replace(completed, log_file=log_file(completed))


def _default_state_file() -> Path:
    # Imported here because the start of a server with CODEX_MCP_STATE_DB set does not need it.
    import platformdirs  # noqa: PLC0415 - see above

    return platformdirs.user_state_path(NAME, appauthor=False) / "state.sqlite"


def _read_file(environ: Mapping[str, str]) -> tuple[str, Mapping[str, JsonValue]]:
    """Return the name and the content of the JSON file, both empty if none is named."""
    variable = next((name for name in FILE_VARIABLES if environ.get(name)), None)
    if variable is None:
        return "", {}
    path = _absolute(variable, environ[variable])
    try:
        content: JsonValue = json.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise _invalid(variable, str(path), f"a readable file ({fault.strerror})") from fault
    except ValueError as fault:
        raise _invalid(variable, str(path), f"a JSON file in UTF-8 ({fault})") from fault
    if not isinstance(content, dict):
        raise _invalid(variable, str(path), "a JSON file that holds one object")
    return str(path), content


def _unknown(environ: Mapping[str, str]) -> Iterator[str]:
    known = [*SETTINGS, *FILE_VARIABLES]
    for name in sorted(environ):
        if name.startswith(OWN_PREFIXES) and name not in known:
            yield f"{name} is not a setting of this version.{did_you_mean(name, known)}"


def _unknown_keys(file_name: str, values: Mapping[str, JsonValue]) -> Iterator[str]:
    variable_of = {setting.name: variable for variable, setting in SETTINGS.items()}
    for key in sorted(values):
        if key not in SETTINGS:
            hint = f" Did you mean {variable_of[key]}?" if key in variable_of else did_you_mean(key, SETTINGS)
            yield f"{key} in {file_name} is not a setting of this version.{hint}"


def _default(setting: Setting) -> Parsed | None:
    default: object = setting.default
    if setting.type == "paths":
        return ()
    return cast("Parsed | None", default)


def _integer(variable: str, setting: Setting, given: JsonValue) -> int:
    allowed = f"a whole number from {setting.minimum} to {setting.maximum}"
    text = str(given).strip()
    # Neither True nor 4.5 nor "4_0" nor a thousand digits is meant as a number of turns or seconds.
    if (
        isinstance(given, bool)
        or not isinstance(given, int | str)
        or not re.fullmatch(r"-?[0-9]{1,18}", text)
    ):
        raise _invalid(variable, given, allowed)
    number = int(text)
    if (setting.minimum is not None and number < setting.minimum) or (
        setting.maximum is not None and number > setting.maximum
    ):
        raise _invalid(variable, given, allowed)
    return number


def _choice(variable: str, setting: Setting, given: JsonValue) -> str:
    values = setting.values or ()
    if not isinstance(given, str) or given.strip() not in values:
        hint = did_you_mean(given, values) if isinstance(given, str) else ""
        raise _invalid(variable, given, f"one of {', '.join(values)}", hint)
    return given.strip()


def _boolean(variable: str, given: JsonValue) -> bool:
    known = _BOOLEANS.get(str(given).strip().lower())
    if known is None:
        raise _invalid(variable, given, "true or false")
    return known


def _paths(variable: str, given: JsonValue) -> tuple[Path, ...]:
    if isinstance(given, list):
        texts = [_text(variable, one) for one in given]
    else:
        texts = re.split(f"[;{re.escape(os.pathsep)}]", _text(variable, given))
    return tuple(_absolute(variable, text) for text in texts if text.strip())


def _absolute(variable: str, text: str) -> Path:
    """Return the path; `~` is understood, since the configuration of an MCP client passes no shell."""
    allowed = "an absolute path"
    if "\0" in text:
        raise _invalid(variable, text, allowed)
    try:
        path = Path(text.strip()).expanduser()
    except RuntimeError as fault:
        raise _invalid(variable, text, f"{allowed} ({fault})") from fault
    if not path.is_absolute():
        raise _invalid(variable, text, allowed)
    return path


def _text(variable: str, given: JsonValue) -> str:
    if not isinstance(given, str):
        raise _invalid(variable, given, "text")
    return given


def _invalid(variable: str, given: JsonValue, allowed: str, hint: str = "") -> SettingsInvalid:
    shown = json.dumps(given, ensure_ascii=False)
    if len(shown) > _SHOWN:
        shown = f"{shown[:_SHOWN]}…"
    return SettingsInvalid([f"{variable} is {shown}; allowed is {allowed}.{hint}"])
