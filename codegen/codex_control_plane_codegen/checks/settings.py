"""The settings of the program can hold their own defaults."""

from collections.abc import Iterator

from codex_control_plane_codegen.checks.subject import Subject, place_of
from codex_control_plane_codegen.diagnostics import Diagnostic, nearest
from codex_control_plane_codegen.model import Column, Setting


def setting_defaults_fit(subject: Subject) -> Iterator[Diagnostic]:
    """The default of a setting is of its type, one of its values and within its bounds."""
    settings = subject.model.configuration.settings if subject.model.configuration else ()
    for setting in settings:
        if setting.minimum is not None and setting.maximum is not None and setting.minimum > setting.maximum:
            message = f"No number is at least {setting.minimum} and at most {setting.maximum}"
            yield Diagnostic("SPEC-C002", place_of(setting, "minimum"), message, "Swap the bounds.")
        elif setting.default is not None:
            yield from _default(setting)


def _default(setting: Setting) -> Iterator[Diagnostic]:
    place = place_of(setting, "default")
    value = setting.default
    if not _is_of_type(value, setting.type):
        message = f"The default of `{setting.variable}` is no {setting.type}"
        yield Diagnostic("SPEC-C001", place, message)
    elif setting.type == "enum" and str(value) not in setting.values:
        message = f"The default `{value}` is none of the values"
        hint = f"Values are {', '.join(setting.values)}."
        yield Diagnostic("SPEC-C001", place, message, hint, nearest(str(value), setting.values))
    elif isinstance(value, int) and not _within(value, setting.minimum, setting.maximum):
        message = f"The default {value} is out of bounds"
        yield Diagnostic("SPEC-C001", place, message, f"Bounds are {setting.minimum} and {setting.maximum}.")


def _within(value: int, minimum: int | None, maximum: int | None) -> bool:
    return (minimum is None or minimum <= value) and (maximum is None or value <= maximum)


def _is_of_type(value: object, kind: str) -> bool:
    match kind:
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "paths":
            return isinstance(value, tuple)
        case _:
            return isinstance(value, str)


def column_defaults_fit(subject: Subject) -> Iterator[Diagnostic]:
    """The default of a column is a value that the column can hold."""
    for table in subject.tables:
        for column in table.columns:
            if column.default is not None and not _fits_column(column):
                message = f"The default of `{column.name}` is no {column.type} that it can hold"
                hint = f"Values are {', '.join(column.values)}." if column.values else ""
                yield Diagnostic("SPEC-C001", place_of(column, "default"), message, hint)


def _fits_column(column: Column) -> bool:
    match column.type:
        case "number":
            return isinstance(column.default, int | float) and not isinstance(column.default, bool)
        case "enum":
            return column.default in column.values
        case "json":
            return False
        case "timestamp":
            return _is_of_type(column.default, "integer")
        case kind:
            return _is_of_type(column.default, kind)
