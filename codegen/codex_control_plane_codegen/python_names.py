"""What may be imported from emitted modules, read back from their text: the names that importers rely on."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import lru_cache

from codex_control_plane_codegen.model import JsonObject
from codex_control_plane_codegen.output import CONTRACT_PACKAGE, Output


def public_names(outputs: Iterable[Output]) -> JsonObject:
    """Module → name → declaration; a member of a class is named ``Class.member``.

    A declaration is ``class(Bases)``, ``(parameters) -> result``, or a type; a default is written ``...``,
    since it is no part of the promise which one it is.
    """
    modules = {
        ".".join(output.path.relative_to(CONTRACT_PACKAGE).with_suffix("").parts): output.text
        for output in outputs
        if output.path.suffix == ".py" and output.path.is_relative_to(CONTRACT_PACKAGE)
    }
    return {name: dict(_names(text)) for name, text in sorted(modules.items())}


@lru_cache(maxsize=256)
def _names(text: str) -> tuple[tuple[str, str], ...]:
    """Remembered by text: `watch` compiles again and again, and most modules stay as they are."""
    return tuple(_declarations(ast.parse(text).body))


def _declarations(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, str]]:
    for statement in body:
        for name, declaration in _declared(statement):
            if not name.startswith("_"):
                yield f"{prefix}{name}", declaration
        if isinstance(statement, ast.ClassDef) and not statement.name.startswith("_"):
            yield from _declarations(statement.body, f"{prefix}{statement.name}.")


def _declared(statement: ast.stmt) -> Iterator[tuple[str, str]]:
    match statement:
        case ast.ClassDef(name=name, bases=bases):
            yield name, f"class({', '.join(map(ast.unparse, bases))})"
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            yield name, _signature(statement)
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
            yield name, _typed(annotation, value)
        case ast.Assign(targets=targets):
            yield from ((target.id, "value") for target in targets if isinstance(target, ast.Name))
        case _:
            pass


def _signature(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    given = function.args
    given.defaults = [ast.Constant(...) for _ in given.defaults]
    given.kw_defaults = [default and ast.Constant(...) for default in given.kw_defaults]
    if any(ast.unparse(decorator) == "property" for decorator in function.decorator_list):
        return ast.unparse(function.returns) if function.returns else "Any"
    result = f" -> {ast.unparse(function.returns)}" if function.returns else ""
    return f"({ast.unparse(given)}){result}"


def _typed(annotation: ast.expr, value: ast.expr | None) -> str:
    kind = ast.unparse(annotation)
    if kind == "TypeAlias" and value is not None:
        return f"alias {ast.unparse(value)}"
    return kind if value is None else f"{kind} = ..."
