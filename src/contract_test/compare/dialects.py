"""The dialects of JSON Schema as data: which keywords each of them knows, and under which name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_VALUES_AND_LOGIC = frozenset({
    "type", "enum", "allOf", "anyOf", "oneOf", "not", "minimum", "maximum", "multipleOf", "minLength",
    "maxLength", "pattern", "format", "minItems", "maxItems", "uniqueItems", "items", "minProperties",
    "maxProperties", "required", "properties", "patternProperties", "additionalProperties", "dependencies",
    "$ref",
})  # fmt: skip
_SIX = _VALUES_AND_LOGIC | {
    "const",
    "contains",
    "propertyNames",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "additionalItems",
}
_SEVEN = _SIX | {"if", "then", "else"}
_2019 = _SEVEN | {
    "minContains", "maxContains", "dependentRequired", "dependentSchemas", "unevaluatedProperties",
    "unevaluatedItems", "$recursiveRef",
}  # fmt: skip
_2020 = (_2019 | {"prefixItems", "$dynamicRef"}) - {"additionalItems", "$recursiveRef"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """One draft. `number` is what jsonschema-rs calls it: 4, 6, 7, 19 or 20."""

    number: int
    uri: str
    keywords: frozenset[str]
    id_keyword: str = "$id"

    @property
    def ref_stands_alone(self) -> bool:
        """Whether keywords beside `$ref` are ignored (up to draft 7)."""
        return self.number < 19  # noqa: PLR2004 - drafts are named by number


def _without_scheme(uri: str) -> str:
    """Return what `http` and `https` share: both are written."""
    return uri.rstrip("#").partition("://")[2]


DIALECTS = {
    _without_scheme(dialect.uri): dialect
    for dialect in (
        Dialect(4, "http://json-schema.org/draft-04/schema", _VALUES_AND_LOGIC | {"additionalItems"}, "id"),
        Dialect(6, "http://json-schema.org/draft-06/schema", frozenset(_SIX)),
        Dialect(7, "http://json-schema.org/draft-07/schema", frozenset(_SEVEN)),
        Dialect(19, "https://json-schema.org/draft/2019-09/schema", frozenset(_2019)),
        Dialect(20, "https://json-schema.org/draft/2020-12/schema", frozenset(_2020)),
    )
}
NEWEST = DIALECTS["json-schema.org/draft/2020-12/schema"]


def dialect_of(schema: Any, default: Dialect = NEWEST) -> Dialect | None:
    """Return the dialect that `$schema` names, `default` where it names none, None where it is unknown."""
    if not isinstance(schema, dict) or not isinstance(schema.get("$schema"), str):
        return default
    return DIALECTS.get(_without_scheme(schema["$schema"]))
