"""The one place that knows the two libraries for JSON Schema: one that is fast, and one that explains.

`jsonschema-rs` decides in microseconds whether a value fits, which is almost always so. Only what does not
fit is taken apart by `jsonschema`, whose errors say where and why in full.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import jsonschema_rs

from codex_control_plane_codegen.places import Keys

Schema: TypeAlias = Mapping[str, Any]
"""A schema of JSON Schema 2020-12."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One failed keyword of a schema.

    `keys` lead to the value that was `met`, `wanted` is the value of the `keyword`, `schema` the one that
    holds the keyword, and `message` what jsonschema says.
    """

    keys: Keys
    keyword: str
    wanted: Any
    met: Any
    schema: Schema
    message: str

    @classmethod
    def of(cls, error: Any) -> Self:
        """The violation that a `jsonschema.ValidationError` tells of."""
        keys = tuple(error.absolute_path)
        return cls(keys, error.validator, error.validator_value, error.instance, error.schema, error.message)


@dataclass(frozen=True, slots=True, eq=False)
class Validator:
    """A schema, ready to use, and the schemas that it refers to by name."""

    quick: jsonschema_rs.Validator
    schema: Schema
    schemas: Mapping[str, Schema]

    def violations(self, value: object) -> Iterator[Violation]:
        """Everything that keeps the value from fitting the schema."""
        if not self.quick.is_valid(value):
            yield from self._explained(value)

    def _explained(self, value: object) -> Iterator[Violation]:
        # Imported here, because it takes a tenth of the time of a whole run, which a sound spec need not pay.
        from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # noqa: PLC0415  # it ships no types
        from referencing import Registry  # noqa: PLC0415
        from referencing.jsonschema import DRAFT202012  # noqa: PLC0415

        resources = [(name, DRAFT202012.create_resource(schema)) for name, schema in self.schemas.items()]
        thorough: Any = Draft202012Validator(self.schema, registry=Registry[Any]().with_resources(resources))
        return (Violation.of(error) for error in thorough.iter_errors(value))


def validators(schemas: Mapping[str, Schema]) -> Mapping[str, Validator]:
    """A validator of each schema; they refer to each other by the names that they have here."""
    registry = jsonschema_rs.Registry([(name, dict(schema)) for name, schema in schemas.items()])
    return {
        name: Validator(jsonschema_rs.Draft202012Validator(dict(schema), registry=registry), schema, schemas)
        for name, schema in schemas.items()
    }
