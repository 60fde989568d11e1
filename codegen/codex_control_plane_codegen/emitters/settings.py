"""Emits `settings.py`: the typed settings and what is known of each environment variable."""

from __future__ import annotations

from collections.abc import Iterator

from codex_control_plane_codegen.facts import Facts
from codex_control_plane_codegen.model import Setting
from codex_control_plane_codegen.output import CONTRACT_PACKAGE, Output
from codex_control_plane_codegen.python_source import Call, Expression, assignment, camel_case
from codex_control_plane_codegen.templating import render

_TYPES = {"text": "str", "integer": "int", "boolean": "bool", "path": "Path", "paths": "tuple[Path, ...]"}


def emit(facts: Facts) -> Iterator[Output]:
    """`settings.py`, if the spec has a configuration."""
    configuration = facts.model.configuration
    if configuration is None:
        return
    text = render(
        "settings.py",
        sources=[configuration.document.path],
        settings=configuration.settings,
        aliases=[setting for setting in configuration.settings if setting.type == "enum"],
        field=_field,
        entries={setting.variable: _entry(setting) for setting in configuration.settings},
        file_variables=configuration.file_variables,
    )
    yield Output(CONTRACT_PACKAGE / "settings.py", text)


def _field(setting: Setting) -> str:
    kind = camel_case(setting.name) if setting.type == "enum" else _TYPES[setting.type]
    if setting.optional:
        return assignment(None, f"{setting.name}: {kind} | None")
    if setting.default is None:
        return f"{setting.name}: {kind}"
    return assignment(_default(setting), f"{setting.name}: {kind}")


def _default(setting: Setting) -> Expression:
    if isinstance(setting.default, tuple):
        return tuple(Call("Path", (path,)) for path in setting.default)
    if setting.type == "path" and setting.default is not None:
        return Call("Path", (str(setting.default),))
    return setting.default


def _entry(setting: Setting) -> Call:
    known: dict[str, Expression] = {
        "values": setting.values or None,
        "minimum": setting.minimum,
        "maximum": setting.maximum,
        "default": setting.default,
        "optional": setting.optional or None,
    }
    named: dict[str, Expression] = {
        "variable": setting.variable,
        "name": setting.name,
        "type": setting.type,
        "means": setting.means,
        **{key: value for key, value in known.items() if value is not None},
    }
    return Call("Setting", (), named)
