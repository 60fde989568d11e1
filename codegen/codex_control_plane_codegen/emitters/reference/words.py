"""Emits the pages that explain words: errors, settings, Codex's protocol, and the words of the contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from codex_control_plane_codegen.facts import Facts
from codex_control_plane_codegen.markdown import codes
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
    model = facts.model
    tables = (*model.findings, *model.repairs)
    sources = [contract.document.path, *(row.document.path for row in tables)]
    return _page("words", sources, contract=contract, findings=model.findings, repairs=model.repairs)


def _settings(configuration: Configuration) -> Output:
    sources = [configuration.document.path]
    return _page("settings", sources, configuration=configuration, kind=_kind, default=_default)


def _page(name: str, sources: Sequence[str], **context: object) -> Output:
    text = render(f"reference/{name}.md", sources=sources, **context)
    return Output(REFERENCE / f"{name}.md", text)


_KINDS: Final[Mapping[str, str]] = {"paths": "list of paths", "enum": "one of"}


def _kind(setting: Setting) -> str:
    """What a setting is, and the words or numbers that it may be."""
    kind = _KINDS.get(setting.type, setting.type)
    if setting.values:
        return f"{kind} {codes(setting.values)}"
    bounds = [("at least", setting.minimum), ("at most", setting.maximum)]
    return ", ".join([kind, *(f"{words} {bound}" for words, bound in bounds if bound is not None)])


def _default(setting: Setting) -> str:
    if setting.default is None:
        return "may stay empty" if setting.optional else "must be set"
    text = _text(setting.default)
    return f"`{text}` by default" if text else "empty by default"


def _text(value: str | int | bool | tuple[str, ...]) -> str:
    if isinstance(value, tuple):
        return ", ".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _fields(fields: Sequence[CodexField]) -> str:
    """The fields of a message in one line, the required ones marked."""
    return ", ".join(
        f"`{each.name}{'' if each.required else '?'}: {each.type}{'[]' if each.many else ''}`"
        for each in fields
    )
