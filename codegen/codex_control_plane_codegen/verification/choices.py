"""What a caller chooses to explore: views by name, limits of bounds."""

from collections.abc import Collection, Mapping, Sequence

from codex_control_plane_codegen.diagnostics import nearest
from codex_control_plane_codegen.model import Composition, View


class ChoiceError(Exception):
    """A view or a bound that does not exist, or a limit that will not do; the message says what does."""


def chosen_views(composition: Composition, names: Sequence[str]) -> Sequence[View]:
    """The views of these names; without any, those that need no request. Raises ChoiceError."""
    views = {view.name: view for view in composition.views}
    for name in names:
        _require("view", name, views)
    return [views[name] for name in names] or [view for view in views.values() if not view.on_request]


def chosen_limits(composition: Composition, choices: Sequence[str]) -> Mapping[str, int]:
    """The limit of each bound that is given as ``name=limit``. Raises ChoiceError."""
    bounds = [bound.name for bound in composition.bounds]
    limits: dict[str, int] = {}
    for choice in choices:
        name, _, limit = choice.partition("=")
        _require("bound", name, bounds)
        if not limit.isdecimal() or int(limit) > 9:
            raise ChoiceError(f"{choice}: the limit is a number from 0 to 9, like --bound {name}=1")
        limits[name] = int(limit)
    return limits


def _require(what: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        meant = nearest(name, known)
        hint = f"did you mean {meant}?" if meant else f"there are {', '.join(known)}"
        raise ChoiceError(f"there is no {what} {name}; {hint}")
