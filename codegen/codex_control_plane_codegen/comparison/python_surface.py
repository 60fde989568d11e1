"""The elements that importers of the emitted package meet."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache

from codex_control_plane_codegen.comparison.elements import Element, Path, Spot, entries
from codex_control_plane_codegen.model import JsonObject


def python_elements(contract: JsonObject) -> Iterator[Element]:
    """Modules and names with their declarations, as `python_names` writes them.

    Fields are compared as what importers read: rows, arguments and settings are made by the emitted package.
    """
    for module, names in entries(contract["python"]).items():
        path, spot = ("python", module), Spot("python", module)
        yield Element("python module", path, spot)
        for name, declaration in names.items():
            if _is_inherited(names, name):
                kind = str(declaration).removesuffix(" = ...")
                yield Element("python type", (*path, *name.split("."), "type"), spot.below(name), kind)
            else:
                yield from _name((*path, *name.split(".")), spot.below(name), str(declaration))


def _is_inherited(names: JsonObject, name: str) -> bool:
    """Whether a class only narrows what a base in its module declares."""
    owner, _, member = name.rpartition(".")
    bases = str(names.get(owner, "")).removeprefix("class(").removesuffix(")").split(", ")
    return any(f"{base}.{member}" in names for base in bases if owner)


def _name(path: Path, spot: Spot, declaration: str) -> Iterator[Element]:
    if declaration.startswith("class("):
        yield Element("python name", path, spot, "class")
        yield Element("python bases", (*path, "bases"), spot, declaration.removeprefix("class"))
    elif declaration.startswith("("):
        yield Element("python name", path, spot, "function")
        yield from _function(path, spot, declaration)
    else:
        kind = declaration.removesuffix(" = ...")
        yield Element("python name", path, spot, "alias" if kind.startswith("alias ") else "value")
        yield Element("python type", (*path, "type"), spot, kind.removeprefix("alias "))


def _function(path: Path, spot: Spot, declaration: str) -> Iterator[Element]:
    parameters, result = _signature(declaration)
    yield Element("python type", (*path, "result"), spot, result)
    for name, kind, required in parameters:
        parameter = (*path, "parameters", name)
        yield Element("python parameter", parameter, spot)
        yield Element("python type", (*parameter, "type"), spot, kind)
        if required:
            yield Element("python requirement", (*path, "required", name), spot, leaves_with=parameter)


@cache
def _signature(declaration: str) -> tuple[tuple[tuple[str, str, bool], ...], str]:
    """Name, type and need of each parameter, and the type of the result."""
    function = ast.parse(f"def _{declaration}: ...").body[0]
    assert isinstance(function, ast.FunctionDef)
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    defaulted = {each.arg for each in positional[len(positional) - len(given.defaults) :]}
    pairs = zip(given.kwonlyargs, given.kw_defaults, strict=True)
    defaulted |= {each.arg for each, default in pairs if default is not None}
    parameters = tuple(
        (each.arg, ast.unparse(each.annotation) if each.annotation else "", each.arg not in defaulted)
        for each in [*positional, *given.kwonlyargs]
        if each.arg != "self"
    )
    return parameters, ast.unparse(function.returns) if function.returns else ""
