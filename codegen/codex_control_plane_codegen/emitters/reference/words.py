"""Emits the pages that explain words: errors, settings, Codex's protocol, and the words of the contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from codex_control_plane_codegen.facts import Facts
from codex_control_plane_codegen.model import CodexField, Configuration, Contract, Setting
from codex_control_plane_codegen.output import REFERENCE, Output
from codex_control_plane_codegen.templating import render


def emit(facts: Facts) -> Iterator[Output]:
    """`errors.md`, `settings.md`, `codex.md` and `words.md`, each if the spec has what it is about."""
    model = facts.model
    if model.errors:
        yield _page("errors", [model.errors[0].document.path], errors=model.errors, tools=_tools(facts))
    if model.configuration is not None:
        yield _settings(model.configuration)
    if model.codex is not None:
        yield _page("codex", [model.codex.document.path], codex=model.codex, fields=_fields)
    if model.contract is not None:
        yield _words(facts, model.contract)


def _tools(facts: Facts) -> Mapping[str, list[str]]:
    """The tools that may answer each error."""
    return {
        error.code: [tool.name for tool in facts.tools if error.code in tool.errors]
        for error in facts.model.errors
    }


def _words(facts: Facts, contract: Contract) -> Output:
    sources = [contract.document.path, *(finding.document.path for finding in facts.model.findings)]
    return _page("words", sources, contract=contract, findings=facts.model.findings)


def _settings(configuration: Configuration) -> Output:
    sources = [configuration.document.path]
    return _page(
        "settings", sources, configuration=configuration, allowed=_allowed, default=_default, kind=_kind
    )


def _page(name: str, sources: Sequence[str], **context: object) -> Output:
    text = render(f"reference/{name}.md", sources=sources, **context)
    return Output(REFERENCE / f"{name}.md", text)


_KINDS = {"paths": "list of paths", "enum": "word"}


def _kind(setting: Setting) -> str:
    return _KINDS.get(setting.type, setting.type)


def _allowed(setting: Setting) -> str:
    """What a setting may be, beyond its type; empty for anything of the type."""
    if setting.values:
        return ", ".join(f"`{value}`" for value in setting.values)
    if setting.type == "boolean":
        return "`true`, `false`"
    if setting.minimum is None and setting.maximum is None:
        return ""
    return f"{_number(setting.minimum)} to {_number(setting.maximum)}"


def _number(bound: int | None) -> str:
    return "any" if bound is None else str(bound)


def _default(setting: Setting) -> str:
    if setting.default is None or setting.default == ():
        return "" if setting.default is None and not setting.optional else "empty"
    return f"`{_text(setting.default)}`"


def _text(value: str | int | bool | tuple[str, ...]) -> str:
    if isinstance(value, tuple):
        return ":".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _fields(fields: Sequence[CodexField]) -> str:
    """The fields of a message in one line, the required ones marked."""
    return ", ".join(
        f"`{each.name}{'' if each.required else '?'}: {each.type}{'[]' if each.many else ''}`" for each in fields
    )
