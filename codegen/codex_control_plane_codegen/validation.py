"""The one place that touches `jsonschema`, which ships no types."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from codex_control_plane_codegen.places import Keys


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
    schema: Mapping[str, Any]
    message: str

    @classmethod
    def of(cls, error: Any) -> Self:
        """The violation that a `jsonschema.ValidationError` tells of."""
        keys = tuple(error.absolute_path)
        return cls(keys, error.validator, error.validator_value, error.instance, error.schema, error.message)


@dataclass(frozen=True, slots=True, eq=False)
class Validator:
    """A schema of JSON Schema 2020-12, ready to use."""

    inner: Any
    """A `jsonschema.Draft202012Validator`."""

    def violations(self, value: object) -> Iterator[Violation]:
        """Everything that keeps the value from fitting the schema."""
        return (Violation.of(error) for error in self.inner.iter_errors(value))


def validators(schemas: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Validator]:
    """A validator of each schema; they refer to each other by the names that they have here."""
    resources = [(name, DRAFT202012.create_resource(schema)) for name, schema in schemas.items()]
    registry: Registry[Any] = Registry[Any]().with_resources(resources)
    return {
        name: Validator(Draft202012Validator(schema, registry=registry)) for name, schema in schemas.items()
    }
